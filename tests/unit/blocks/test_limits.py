"""Whatever a cluster or a person writes, Slack takes the message, and nothing in it can do more than be read."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.blocks import knowledge, notices
from bot.blocks.limits import BLOCKS, BUDGET, Block, Message, cut, fallback, one_line, pack, size, weight
from bot.blocks.report import answer
from bot.blocks.thread import MESSAGES
from bot.diagnosis import CAUSES, runbook
from bot.errors import TargetNotFoundError
from bot.messages import MESSAGES as ENTRIES
from bot.model import (
    BlastRadius,
    Cause,
    Certainty,
    CheckResult,
    CheckStatus,
    Evidence,
    Finding,
    Gap,
    GapKind,
    Member,
    Moment,
    ObjectRef,
    Remedy,
    Report,
    Route,
    Rule,
    Scope,
    Severity,
    Target,
    Verdict,
)
from demo.slack.block_limits import check_message_blocks
from tests.unit.blocks.samples import ASKER
from tests.unit.cli.reports import CRITICAL

NASTY = (
    "<!channel> @here <@U0APPROVER1> *bold* ~x~ `code` ``` <http://evil.example|click>",
    "\x00\x1b[31mred\x1b[0m\r\n\u202eesrever\u2066",
    "`a" * 400,
    '"' * 900,
    "\n" * 900,
    "😀" * 900,
    "\ud800",
    "",
    " ",
    "&<>" * 500,
)
texts = st.one_of(st.sampled_from(NASTY), st.text(max_size=30), st.integers(200, 1_500).map("é".__mul__))
times = st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # the strategy adds the zone
remedies = st.builds(Remedy, text=texts)
causes = st.builds(
    Cause,
    code=texts,
    severity=st.sampled_from(Severity),
    title=texts,
    explanation=texts,
    proof=st.just({Route.LOG: Certainty.LIKELY}),
    remedies=st.lists(remedies, max_size=4).map(tuple),
    practice=st.booleans(),
)
evidence = st.builds(Evidence, source=texts, text=texts, route=st.sampled_from(Route), at=st.none() | times)
findings = st.builds(
    Finding,
    cause=causes,
    severity=st.sampled_from(Severity),
    certainty=st.sampled_from(Certainty),
    explanation=texts,
    evidence=st.lists(evidence, max_size=6).map(tuple),
    remedies=st.lists(remedies, max_size=6).map(tuple),
    symptoms=st.lists(texts, max_size=4).map(tuple),
)
rules = st.builds(Rule, verb=texts, resource=texts, group=texts, namespace=texts)
gaps = st.builds(Gap, facet=texts, kind=st.sampled_from(GapKind), reason=texts, mend=texts, rule=st.none() | rules)
reports = st.builds(
    Report,
    target=st.builds(ObjectRef, cluster=texts, api_version=texts, kind=texts, namespace=texts, name=texts),
    taken_at=times,
    verdict=st.sampled_from(Verdict),
    headline=texts,
    findings=st.lists(findings, max_size=5).map(tuple),
    checks=st.lists(
        st.builds(CheckResult, name=texts, status=st.sampled_from(CheckStatus), reason=texts), max_size=12
    ).map(tuple),
    gaps=st.lists(gaps, max_size=12).map(tuple),
    timeline=st.lists(st.builds(Moment, at=times, what=texts), max_size=12).map(tuple),
    blast_radius=st.none()
    | st.builds(
        BlastRadius, scope=st.sampled_from(Scope), sentence=texts, pods=st.lists(texts, max_size=20).map(tuple)
    ),
    endpoints=st.lists(texts, max_size=4).map(tuple),
    version=texts,
    took_ms=st.integers(0, 100_000),
    notes=st.lists(texts, max_size=5).map(tuple),
    members=st.lists(st.builds(Member, name=texts, verdict=st.sampled_from(Verdict), headline=texts), max_size=20).map(
        tuple
    ),
)


def check(message: Message) -> None:
    """What Slack asks of a message, and what we ask of it beyond."""
    check_message_blocks(list(message.blocks))
    assert len(message.blocks) <= BLOCKS
    assert size(message.blocks) <= BUDGET
    assert message.text.strip()
    assert len(message.text.encode()) <= 4_000
    for unsafe in ("<!", "<@U0APPROVER1>", "<http"):
        assert unsafe not in message.text
    for block in message.blocks:
        assert_untrusted_text_is_plain(block)


def assert_untrusted_text_is_plain(value: object) -> None:
    """Markup is read in mrkdwn and markdown only: of those there is one, and it holds an id."""
    if isinstance(value, dict):
        if value.get("type") == "mrkdwn":
            assert value["text"] == f"Asked by <@{ASKER}>"
        for inner in value.values():
            assert_untrusted_text_is_plain(inner)
    elif isinstance(value, list):
        for inner in value:
            assert_untrusted_text_is_plain(inner)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(reports)
def test_any_report_becomes_messages_that_slack_takes(report: Report) -> None:
    shown = answer(report, ASKER)
    check(shown.message)
    assert len(shown.thread) <= MESSAGES
    for message in shown.thread:
        check(message)


def test_a_hundred_long_findings_are_counted_where_they_are_not_shown() -> None:
    long = "x" * 2_000
    finding = CRITICAL.findings[0]
    many = tuple(
        Finding(
            cause=finding.cause,
            severity=finding.severity,
            certainty=finding.certainty,
            explanation=long,
            evidence=(Evidence(source=long, text=long, route=Route.LOG),) * 9,
        )
        for _ in range(100)
    )
    report = Report(
        target=CRITICAL.target,
        taken_at=CRITICAL.taken_at,
        verdict=Verdict.CRITICAL,
        headline="The token has expired",
        findings=many,
        gaps=tuple(Gap(facet=f"f{i}", kind=GapKind.DENIED, reason=f"{i}{long}") for i in range(100)),
        timeline=tuple(Moment(at=CRITICAL.taken_at, what=long) for _ in range(100)),
    )
    shown = answer(report, ASKER)
    for message in (shown.message, *shown.thread):
        check(message)
    everything = json.dumps([list(message.blocks) for message in (shown.message, *shown.thread)], ensure_ascii=False)
    assert "… and 6 more like it" in everything
    assert f"token-doctor check shop/pod/{CRITICAL.target.name}" in everything


@settings(max_examples=50, deadline=None)
@given(texts, texts)
def test_any_failure_is_told_within_the_limits(sentence: str, name: str) -> None:
    target = Target(namespace="shop", name=name)
    error = TargetNotFoundError(sentence, nearest=(name,) * 40, next_step=sentence)
    check(notices.failed(target, ASKER, error))
    check(notices.checking(target, ASKER))
    check(notices.said(sentence, sentence))


def test_many_that_are_not_well_are_counted_where_they_are_not_shown() -> None:
    long = "x" * 600
    sick = tuple(Member(name=f"{i}{long}", verdict=Verdict.CRITICAL, headline=long) for i in range(40))
    well = tuple(Member(name=f"well-{i}", verdict=Verdict.HEALTHY, headline=long) for i in range(40))
    report = replace(CRITICAL, members=(*sick, *well), notes=(long,) * 4, headline=CRITICAL.findings[0].cause.title)
    shown = answer(report, ASKER).message
    check(shown)
    everything = json.dumps(list(shown.blocks), ensure_ascii=False)
    assert "… and 32 more that are not well" in everything
    assert "🟢 40: well-0, well-1" in everything


@pytest.mark.parametrize("code", sorted(CAUSES))
def test_every_cause_can_be_explained_however_long_its_runbook_is(code: str) -> None:
    message = knowledge.cause(CAUSES[code], "# Title\n\n" + "a word\n\n" * 2_000)
    check_message_blocks(list(message.blocks))
    assert size(message.blocks) <= BUDGET
    assert f"token-doctor explain {code}" in json.dumps(message.blocks)


def test_a_long_runbook_is_cut_between_paragraphs_and_leaves_no_code_block_open() -> None:
    text = "# Title\n\nFirst.\n\n```sh\n" + "kubectl get pods\n\n" * 600 + "```\n"
    _, _, markdown, tail = knowledge.cause(CAUSES["token-expired"], text).blocks
    assert markdown["text"].startswith("First.\n\n```\n")  # type: ignore[attr-defined]  # a block's values are of any type
    assert markdown["text"].endswith("kubectl get pods\n```")  # type: ignore[attr-defined]  # the same
    assert "the rest in a terminal" in json.dumps(tail)


@pytest.mark.parametrize("code", sorted(CAUSES))
def test_every_shipped_runbook_is_shown_whole(code: str) -> None:
    message = knowledge.cause(CAUSES[code], runbook(code))
    check_message_blocks(list(message.blocks))
    assert "the rest in a terminal" not in json.dumps(message.blocks)


def test_every_line_of_the_catalogue_can_be_shown() -> None:
    for entry in ENTRIES:
        check(knowledge.entries((entry,), CAUSES))
    check(knowledge.entries(ENTRIES, CAUSES))


@settings(deadline=None)
@given(texts, st.integers(5, 300))
def test_a_cut_is_no_longer_than_asked_and_never_empty(text: str, most: int) -> None:
    for short in (cut(text, most), one_line(text, most)):
        assert short
        assert weight(short) <= most
    assert "\n" not in one_line(text, most)


def test_what_is_short_enough_is_not_cut() -> None:
    assert cut("token-doctor", 12) == "token-doctor"
    assert cut("token-doctor", 11) == "token-doct…"
    assert cut('""', 3) == '"…'


def test_what_looks_like_a_token_does_not_survive_a_cut() -> None:
    line = "sent Bearer eyJhbGciOiJSUzI1NiIsImtpZCI6IkFBQSJ9.eyJpc3MiOiJrdWJlcm5ldGVzIn0.c2lnbmF0dXJl"
    for most in range(10, len(line)):
        assert "eyJ" not in cut(line, most)


def test_the_fallback_cannot_mention_or_link() -> None:
    assert fallback("<!channel> & <http://x|y>") == "&lt;!channel&gt; &amp; &lt;http://x|y&gt;"


def test_packing_keeps_order_and_tears_no_part() -> None:
    parts: list[list[Block]] = [[{"n": n, "fill": "x" * 2_000}] for n in range(9)]
    packed = pack(parts)
    assert [block["n"] for blocks in packed for block in blocks] == list(range(9))
    assert all(size(blocks) <= BUDGET for blocks in packed)
    assert len(packed) == 3


def test_a_name_that_the_next_step_says_is_not_listed_again() -> None:
    error = TargetNotFoundError(
        "There is none.", nearest=("shop/cart", "shop/card"), next_step="Did you mean shop/cart?"
    )
    assert error.unsaid == ("shop/card",)
    assert json.dumps(notices.failed(Target(namespace="shop", name="cat"), ASKER, error).blocks).count("shop/cart") == 1
