"""The example alerts: PromQL that parses, about figures that the bot really shows, with the labels that these have."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import promql_parser as promql
import pytest
import yaml

from tests.docs.figures import labels

FILE = Path(__file__).parents[2] / "deploy" / "alerts" / "token-doctor.yaml"
GROUPS = yaml.safe_load(FILE.read_text("utf-8"))["groups"]
RULES = [rule for group in GROUPS for rule in group["rules"]]
SHOWN = {"up": [{"job": "token-doctor"}], **labels()}
"""The labels of each figure that the bot shows, by its name; and those that are not its own."""


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
