"""Whatever stands in a plan, a request or an audit: Slack takes what is made of it, and nothing in it is markup."""

import json
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.blocks import home, modals, values
from bot.blocks.finding import quoted_in
from bot.blocks.limits import BUDGET, METADATA, VALUE, size
from bot.blocks.report import OFFERS, answer, offer_buttons
from bot.blocks.request import APPROVE, CANCEL, DENY, Shown, decision, outcome, progress, unasked
from bot.errors import DoctorError
from bot.model import ActionKind, ObjectRef, Offer, Person, Plan, Request, Risk, State, Target, TrailEntry, Vote
from demo.slack.block_limits import check_message_blocks, check_view
from tests.unit.blocks.requests import NOW, PENDING, PLAN, REF, RULE, WANTED
from tests.unit.blocks.test_limits import texts, times
from tests.unit.cli.reports import CRITICAL

ids = st.sampled_from(["U0ENGINEER1", "U0APPROVER1", "terminal", "expiry"])
people = st.builds(Person, id=ids, name=texts)
names = st.sampled_from(["a", "checkout-5d9c7b4f6-x7k2p", "n" * 63, "n" * 253, "*bold*`code`", "<!channel>"])
refs = st.builds(ObjectRef, cluster=names, api_version=names, kind=names, namespace=names, name=names, uid=names)
plans = st.builds(
    Plan,
    kind=st.sampled_from(ActionKind),
    ref=refs,
    summary=texts,
    difference=st.lists(texts, max_size=12).map(tuple),
    fingerprint=st.just("0" * 64),
    risk=st.sampled_from(Risk),
    parameters=st.dictionaries(st.sampled_from(["secret", "controller"]), names, max_size=2),
    notes=st.lists(texts, max_size=9).map(tuple),
)
requests = st.builds(
    Request,
    id=st.just("4f34ddaa12"),
    state=st.sampled_from(State),
    plan=plans,
    requester=people,
    reason=texts,
    channel=st.sampled_from(["", "C0INCIDENT1"]),
    approval_channel=st.just("C0APPROVALS"),
    rule=texts,
    cause=st.sampled_from(["", "token-expired"]),
    evidence=texts,
    created_at=times,
    changed_at=times,
    expires_at=times,
    step=texts,
    outcome=texts,
    looks=st.integers(0, 2),
)
votes = st.builds(Vote, request=st.just("4f34ddaa12"), approver=people, approves=st.booleans(), at=times, reason=texts)
entries = st.builds(
    TrailEntry,
    request=st.just("4f34ddaa12"),
    at=times,
    who=ids,
    was=st.none() | st.sampled_from(State),
    became=st.sampled_from(State),
    why=texts,
)
shown = st.builds(
    Shown,
    request=requests,
    votes=st.lists(votes, max_size=12).map(tuple),
    thread=st.sampled_from(["", "https://shop.slack.com/archives/C0INCIDENT1/p1"]),
    approvers=st.sampled_from([(), ("S034USERGROUP", "U0APPROVER1") * 30]),
    end=st.none() | entries,
)
quick = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def assert_nothing_is_markup(value: object) -> None:
    assert '"mrkdwn"' not in json.dumps(value)
    assert '"markdown"' not in json.dumps(value)


@quick
@given(shown)
def test_any_request_becomes_messages_that_slack_takes(one: Shown) -> None:
    for message in (decision(one), progress(one), outcome(one), unasked(one)):
        check_message_blocks(list(message.blocks))
        assert size(message.blocks) <= BUDGET
        assert message.text.strip()
        assert len(message.text.encode()) <= 4_000
        assert_nothing_is_markup(message.blocks)
        plain = message.text.replace("<!subteam^S034USERGROUP>", "")
        for unsafe in ("<!", "<http"):
            assert unsafe not in plain


@quick
@given(shown, texts, texts)
def test_any_request_becomes_views_that_slack_takes(one: Shown, sentence: str, reason: str) -> None:
    plan = one.request.plan
    asked = replace(WANTED, evidence=sentence)
    views = [
        modals.ask(plan, asked, RULE, 1, written=reason),
        modals.asked(one.request, joined=True),
        modals.asked(one.request, joined=False),
        *(modals.question(one, verb) for verb in (APPROVE, DENY, CANCEL)),
        *(modals.said(one, verb) for verb in (APPROVE, DENY, CANCEL)),
        modals.present(one, APPROVE, sentence),
        modals.refused(sentence, sentence, sentence, [sentence] * 40),
        modals.failed(sentence, DoctorError(sentence, next_step=sentence)),
        modals.loading(sentence),
    ]
    for view in views:
        check_view(view, "modal")
        assert_nothing_is_markup(view)
    read_back = values.read(views[0]["private_metadata"], values.Wanted)
    assert read_back is not None
    assert (read_back.kind, read_back.ref, read_back.seen) == (plan.kind, plan.ref, plan.fingerprint)


@quick
@given(st.lists(requests, max_size=30), st.lists(requests, max_size=30), texts, st.lists(entries, max_size=60))
def test_any_list_fits(mine: list[Request], waiting: list[Request], words: str, trail: list[TrailEntry]) -> None:
    clusters = [home.ClusterState(words, version=words, trouble=words, checked_at=NOW)] * 20
    for trouble in ("", words):
        check_view(home.home(mine, waiting, clusters, trouble=trouble), "home")
    for message in (home.requests(mine, waiting), home.audit(trail, {"4f34ddaa12": PENDING}, words)):
        check_message_blocks(list(message.blocks))
        assert size(message.blocks) <= BUDGET


def test_a_long_difference_is_cut_and_the_rest_stays() -> None:
    long = replace(PLAN, difference=tuple(f"+ line {number} {'x' * 80}" for number in range(400)))
    message = decision(Shown(replace(PENDING, plan=long)))
    check_message_blocks(list(message.blocks))
    assert "…" in json.dumps(message.blocks, ensure_ascii=False)
    assert "Approve" in json.dumps(message.blocks)


def test_a_modal_that_grows_too_large_for_its_metadata_drops_the_evidence_only() -> None:
    ref = replace(REF, name="n" * 253, namespace="s" * 63, cluster="c" * 63)
    plan = replace(PLAN, ref=ref, parameters={"secret": "p" * 253, "controller": "d" * 1_900})
    view = modals.ask(plan, replace(WANTED, evidence="e" * 700), RULE, 1)
    check_view(view, "modal")
    read = values.read(view["private_metadata"], values.Wanted)
    assert read is not None
    assert (read.ref, read.evidence) == (ref, "")
    assert len(view["private_metadata"]) <= METADATA


def test_at_most_five_buttons_each_with_what_it_would_do() -> None:
    offers = [Offer(kind=ActionKind.DELETE_POD, ref=replace(REF, name=f"p-{n}"), label="x" * 200) for n in range(9)]
    (block,) = offer_buttons(offers)
    check_message_blocks([block])
    buttons = block["elements"]
    assert isinstance(buttons, list)
    assert len(buttons) == OFFERS
    assert len({button["action_id"] for button in buttons}) == OFFERS
    for offer, button in zip(offers, buttons, strict=False):
        read = values.read(button["value"], values.Wanted)
        assert read is not None
        assert (read.kind, read.ref) == (offer.kind, offer.ref)
        assert len(button["value"]) <= VALUE


def test_a_button_whose_value_does_not_fit_is_left_out() -> None:
    huge = Offer(kind=ActionKind.DELETE_POD, ref=replace(REF, name="n" * 3_000), label="Delete")
    assert list(offer_buttons([huge])) == []


@pytest.mark.parametrize("text", [None, 7, "", "{}", "not json", '{"kind":"drop-table"}', "\ud800", "[1]"])
def test_what_no_version_has_written_is_not_read(text: object) -> None:
    for kind in (values.Wanted, values.Question, values.Chosen):
        assert values.read(text, kind) is None


def test_the_evidence_is_read_back_from_the_answer_that_showed_it() -> None:
    offers = [Offer(kind=ActionKind.RESTART_WORKLOAD, ref=REF, label="Restart")]
    blocks = json.loads(json.dumps(list(answer(CRITICAL, "U0ENGINEER1", offers).message.blocks)))
    quoted = quoted_in(blocks)
    first = CRITICAL.findings[0].evidence[0]
    assert first.source in quoted
    assert first.text in quoted
    for nothing in (
        None,
        [],
        [{"type": "rich_text"}],
        [{"type": "rich_text", "elements": [{"elements": [None]}]}],
        [7],
    ):
        assert quoted_in(nothing) == ""


def test_many_targets_lose_the_last_where_the_form_would_not_hold_them() -> None:
    targets = tuple(Target(namespace="s" * 63, kind="serviceaccount", name=f"{n}{'n' * 252}") for n in range(5))
    found = values.Chosen(targets=targets, channel="C0", thread_ts="1.0", response_url="https://x/" + "u" * 1_800)
    view = modals.choose(found)
    check_view(view, "modal")
    assert 0 < len(view["blocks"][0]["element"]["options"]) < 5


def test_an_expiry_is_said_in_the_readers_own_time() -> None:
    dates = [json.dumps(block) for block in decision(Shown(PENDING)).blocks]
    at = int((NOW + timedelta(minutes=30)).timestamp())
    assert any(f'"timestamp": {at}' in date for date in dates)
