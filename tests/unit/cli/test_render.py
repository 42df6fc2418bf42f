"""A report as text reads well in a terminal of any width, in a pipe, and whatever stands in it."""

import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.console import Console

from bot.cli.page import Page
from bot.cli.render import report_page
from bot.cli.review import exit_code
from bot.model import BlastRadius, Evidence, Finding, Moment, Report, Route, Scope, Verdict
from bot.redact import MARK
from tests.unit import jwts
from tests.unit.cli import reports
from tests.unit.cli.goldens import FOLDER, REVIEWS, report_text, reviews_text, texts

TOKEN = jwts.token(jwts.BOUND)


@pytest.mark.parametrize(("name", "text"), list(texts()), ids=lambda value: value if len(value) < 40 else "")
def test_the_text_is_the_golden_one(name: str, text: str) -> None:
    """`python -m tests.unit.cli.goldens` writes them anew."""
    assert text == (FOLDER / f"{name}.txt").read_text("utf-8")


def test_every_golden_is_still_made() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == {name for name, _ in texts()}


@pytest.mark.parametrize(
    "report", [reports.CRITICAL, reports.WARNING, reports.HEALTHY, reports.UNKNOWN, reports.NAMESPACE]
)
def test_a_pipe_gets_plain_text_with_whole_lines(report: Report) -> None:
    text = report_text(report, width=80)
    assert "\x1b" not in text
    assert not re.search("[\u2500-\u257f●→↳]", text)
    assert not any(line.endswith(" ") for line in text.splitlines())
    for finding in report.findings:
        for evidence in finding.evidence:
            assert f"> {evidence.text}\n" in text


@settings(deadline=None)  # a busy machine is no defect
@given(st.integers(min_value=40, max_value=200))
def test_no_line_is_wider_than_the_terminal_nor_than_can_be_read(width: int) -> None:
    for report in (reports.CRITICAL, reports.UNKNOWN, reports.WORKLOAD, reports.NAMESPACE):
        text = report_text(report, width=width, terminal=True)
        assert max(map(len, text.splitlines())) <= min(width, 100)


def test_the_order_is_verdict_root_symptom_and_the_rest() -> None:
    text = report_text(reports.CRITICAL)
    parts = (
        "CRITICAL  The token of checkout is refused",
        "* The service account was re-created  critical, proven",
        "> [invalid bearer token, service account UID",
        "- Restart the workload",
        "which explains: The API server answers 401 to this pod  likely",
        '  > E1122 03:04:58.113 reflector.go:158] "Unhandled Error"',
        "Also worth mending",
        "* The pod runs as the namespace's default service account: ",
        "Timeline (UTC)",
        "Who else",
        "Not checked",
        "21 checks: 18 passed, 1 failed, 2 skipped",
        "Asked https://10.0.0.11:6443, https://10.0.0.12:6443 (v1.36.3) in 412 ms",
    )
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert text.count("The API server answers 401 to this pod") == 1


def test_what_was_examined_and_who_has_it_come_before_the_cause() -> None:
    text = report_text(reports.WORKLOAD)
    parts = (
        "CRITICAL  The service account was re-created: 1 of 3 pods",
        "3 of 12 pods were examined",
        "  critical  checkout-7d9f8b6c5-x2x7k  The service account was re-created\n",
        "  healthy   2: checkout-7d9f8b6c5-9qk4m, checkout-7d9f8b6c5-hl2vw\n",
        "* The service account was re-created  critical, proven",
    )
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_pods_that_are_all_well_are_not_listed() -> None:
    well = tuple(replace(member, verdict=Verdict.HEALTHY) for member in reports.WORKLOAD.members)
    report = replace(reports.HEALTHY, members=well, notes=("All 3 pods were examined.",))
    text = report_text(report)
    assert "All 3 pods were examined." in text
    assert "9qk4m" not in text
    assert "9qk4m" in report_text(replace(report, target=reports.NAMESPACE.target)), "a namespace names its workloads"


def test_advice_that_a_cause_explains_stands_under_it_only() -> None:
    root, _, advice = reports.CRITICAL.findings
    report = replace(reports.CRITICAL, findings=(replace(root, symptoms=(advice.code,)), advice))
    text = report_text(report)
    assert text.count(advice.cause.title) == 1
    assert "Also worth mending" not in text


def test_a_symptom_of_two_roots_stands_under_the_first() -> None:
    first, symptom, other = reports.CRITICAL.findings
    other = replace(other, cause=replace(other.cause, practice=False), symptoms=first.symptoms)
    report = replace(reports.CRITICAL, findings=(first, symptom, other))
    assert report_text(report).count(symptom.cause.title) == 1


def test_what_spoils_the_verdict_comes_before_what_was_switched_off_and_one_mend_is_told_once() -> None:
    text = report_text(reports.CRITICAL)
    assert text.index("node, node lease (denied): token-doctor may not get nodes.") < text.index("switched off")
    assert text.count('resources: ["nodes"]') == 1


@pytest.mark.parametrize(
    ("report", "colour"), [(reports.CRITICAL, 31), (reports.WARNING, 33), (reports.HEALTHY, 32), (reports.UNKNOWN, 35)]
)
def test_the_verdict_has_its_colour(report: Report, colour: int) -> None:
    stream = io.StringIO()
    console = Console(file=stream, width=200, force_terminal=True, color_system="standard", highlight=False)
    report_page(Page(console), report, program="token-doctor")
    assert stream.getvalue().startswith(f"\x1b[1;{colour}m{report.verdict.upper()}  {report.headline}")


def hostile(text: str) -> Report:
    """A report whose every free text is the given one."""
    finding = Finding(
        cause=reports.CRITICAL.findings[0].cause,
        severity=reports.CRITICAL.findings[0].severity,
        certainty=reports.CRITICAL.findings[0].certainty,
        explanation=text,
        evidence=(Evidence(source=text, text=text, route=Route.LOG),),
    )
    return replace(
        reports.CRITICAL,
        headline=text,
        findings=(finding,),
        timeline=(Moment(at=reports.NOW, what=text),),
        blast_radius=BlastRadius(scope=Scope.POD, sentence=text, pods=(text,)),
        gaps=tuple(replace(gap, reason=text, mend=text) for gap in reports.CRITICAL.gaps),
        endpoints=(text,),
        version=text,
    )


@pytest.mark.parametrize("terminal", [True, False])
def test_no_token_is_shown(*, terminal: bool) -> None:
    text = report_text(hostile(f"Bearer {TOKEN}"), width=100, terminal=terminal)
    assert text.count(MARK) >= 8
    assert not any(part in text for part in TOKEN.split("."))
    review = reviews_text((replace(REVIEWS[1], error=TOKEN, endpoint=TOKEN),), terminal=terminal)
    assert not any(part in review for part in TOKEN.split("."))


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize(
    "evil", ["\x1b[2J", "\x1b]0;title\x07", "\u202egnp.exe", "\x9b31m", "\x00", "\r", "\b", "\ud800"]
)
def test_nothing_from_outside_steers_the_terminal(evil: str, *, terminal: bool) -> None:
    text = report_text(hostile(f"a{evil}b"), terminal=terminal)
    assert evil not in text
    assert text.encode()


@settings(deadline=None)  # a busy machine is no defect
@given(st.text(max_size=200), st.booleans())
def test_any_text_can_be_shown(text: str, terminal: bool) -> None:  # noqa: FBT001  # hypothesis gives it by place
    shown = report_text(hostile(text), terminal=terminal)
    assert "\x1b" not in shown
    assert shown.encode()


def test_square_brackets_are_not_taken_for_markup() -> None:
    assert "> [bold]x[/bold] :smile:\n" in report_text(hostile("[bold]x[/bold] :smile:"))


def test_a_token_accepted_by_some_api_servers_is_refused() -> None:
    text = reviews_text(REVIEWS)
    assert text.startswith("REFUSED BY SOME  Only 1 of 2 API servers accept this token.")
    assert "> [invalid bearer token, invalid signature, no keys found]\n" in text
    assert exit_code(REVIEWS) == exit_code(REVIEWS[1:]) == 1
    assert exit_code(REVIEWS[:1]) == 0


def test_a_token_accepted_by_all_is_accepted_and_a_refusal_without_a_reason_says_so() -> None:
    assert reviews_text(REVIEWS[:1]).startswith("ACCEPTED  ")
    silent = reviews_text((replace(REVIEWS[1], error=""),))
    assert silent.startswith("REFUSED  ")
    assert "> (no reason given)\n" in silent
