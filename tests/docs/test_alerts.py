"""The example alerts: PromQL that parses, about figures that the bot really shows, with the labels that these have."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import promql_parser as promql
import pytest
import yaml

from bot.metrics import Known, families
from bot.model import Due, ItemKind, Tally
from bot.store import Figures, Standing

FILE = Path(__file__).parents[2] / "deploy" / "alerts" / "token-doctor.yaml"
GROUPS = yaml.safe_load(FILE.read_text("utf-8"))["groups"]
RULES = [rule for group in GROUPS for rule in group["rules"]]
AT = datetime(2026, 8, 3, 9, 0, tzinfo=UTC)
TALLY = Tally(kinds=dict.fromkeys(ItemKind, 1), due=dict.fromkeys(Due, 1))
KNOWN = Known(
    standings={"daily": Standing(begun_at=AT)},
    figures=[Figures(schedule="daily", cluster="prod", at=AT, complete=True, tallies={"shop": TALLY})],
)


def shown() -> Mapping[str, list[dict[str, str]]]:
    """The labels of each figure that the bot shows, by its name; and those that are not its own."""
    found: dict[str, list[dict[str, str]]] = {"up": [{"job": "token-doctor"}], "token_doctor_database_up": [{}]}
    for family in families(KNOWN):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample.labels)
    return found


SHOWN = shown()


def parts(expression: promql.Expr) -> Iterator[promql.Expr]:
    """The expression and all that it is made of."""
    yield expression
    inside = [getattr(expression, name, None) for name in ("lhs", "rhs", "expr", "param", "vector_selector")]
    for inner in [*inside, *getattr(expression, "args", ())]:
        if isinstance(inner, promql.Expr):
            yield from parts(inner)


def selectors(rule: Mapping[str, str]) -> list[promql.VectorSelector]:
    return [part for part in parts(promql.parse(rule["expr"])) if isinstance(part, promql.VectorSelector)]


def test_the_file_is_made_as_prometheus_reads_it() -> None:
    names = [rule["alert"] for rule in RULES]
    assert len(names) == len(set(names)) >= 8
    for rule in RULES:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert set(rule["annotations"]) == {"summary", "description"}
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        if "for" in rule:
            assert promql.parse_duration(rule["for"]).total_seconds() >= 60


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_each_rule_asks_for_what_there_is(rule: Mapping[str, str]) -> None:
    found = selectors(rule)
    assert found
    for selector in found:
        assert selector.name in SHOWN
        labels = SHOWN[selector.name or ""]
        for matcher in selector.matchers.matchers:
            values = matcher.value.split("|") if matcher.op is promql.MatchOp.Re else [matcher.value]
            for value in values:
                assert value in {one.get(matcher.name) for one in labels}, f"no {matcher.name} is {value}"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_each_label_is_one_that_the_figures_have(rule: Mapping[str, str]) -> None:
    known = {label for selector in selectors(rule) for labels in SHOWN[selector.name or ""] for label in labels}
    aggregates = [part for part in parts(promql.parse(rule["expr"])) if isinstance(part, promql.AggregateExpr)]
    grouped = [set(part.modifier.labels) if part.modifier else set() for part in aggregates]
    assert all(labels <= known for labels in grouped)
    texts = " ".join(rule["annotations"].values())  # type: ignore[attr-defined]  # a section of the YAML
    used = set(re.findall(r"\$labels\.(\w+)", texts))
    assert used <= max(grouped, key=len, default=set()), "a label that is summed away shows as nothing"
    assert texts.count("{{") == texts.count("}}") == len(re.findall(r"\{\{ \$(?:labels\.\w+|value) \}\}", texts))


def test_every_figure_of_the_bot_has_an_alert_or_is_one_to_look_at() -> None:
    alerted = {selector.name for rule in RULES for selector in selectors(rule)}
    assert set(SHOWN) - alerted == set()
