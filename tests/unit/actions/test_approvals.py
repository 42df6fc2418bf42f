"""Asking, agreeing, denying, cancelling: each learns the present state, and nothing counts that the policy forbids."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from bot.actions.approvals import Approvals, Ask, places
from bot.actions.policy import NO_POLICY
from bot.model import Person, Plan, Purpose, Request, State
from bot.store import Store
from tests.unit.actions.world import APPROVALS, APPROVERS, AVERY, CHANNEL, ERIN, ON_CALL, RULE, SAM, World

TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJwbGFudGVkIn0.cGxhbnRlZA"
OLGA = Person(id="U0OLGA000", name="olga")


@pytest.fixture
def approvals(world: World, store: Store) -> Approvals:
    return world.approvals(store)


def ask(plan: Plan, *, requester: Person = ERIN, reason: str = "401s", channel: str = CHANNEL, ts: str = "") -> Ask:
    return Ask(plan=plan, requester=requester, reason=reason, channel=channel, thread_ts=ts)


async def proposed(world: World, approvals: Approvals, name: str = "checkout") -> Request:
    request = (await approvals.propose(ask(world.plan(name)))).request
    assert request is not None
    return request


async def shown(store: Store, request: Request) -> set[tuple[str, str, str]]:
    return {(each.purpose, each.channel, each.thread_ts) for each in await store.messages.of(request.id)}


async def test_who_may_ask_has_the_approvers_asked(world: World, store: Store, approvals: Approvals) -> None:
    found = await approvals.propose(ask(world.plan("checkout"), reason=f" it says\n{TOKEN} ", ts="1.2"))
    request = found.request
    assert request is not None
    assert not found.joined
    assert (request.state, request.rule, request.approvals_needed) == (State.PENDING, "policy rule 1", 1)
    assert request.reason == "it says [token removed]"
    assert request.expires_at == request.created_at + timedelta(minutes=30)
    assert await shown(store, request) == {(Purpose.DECISION, APPROVALS, ""), (Purpose.PROGRESS, CHANNEL, "1.2")}


async def test_who_may_not_ask_is_told_why_and_nothing_is_stored(
    world: World, store: Store, approvals: Approvals
) -> None:
    found = await approvals.propose(ask(world.plan("checkout"), requester=OLGA))
    assert found.request is None
    assert "olga is none of its requesters" in found.refusal
    refused = await world.approvals(store, rules=()).propose(ask(world.plan("checkout")))
    assert (refused.request, refused.refusal) == (None, NO_POLICY)
    assert await store.requests.list_() == ()


async def test_the_same_again_joins_and_is_shown_there_too(world: World, store: Store, approvals: Approvals) -> None:
    first = await proposed(world, approvals)
    world.groups[ON_CALL].add(SAM.id)
    second = await approvals.propose(ask(world.plan("checkout"), requester=SAM, channel="C0OTHER00", ts="5.6"))
    assert second.request is not None
    assert (second.request.id, second.joined) == (first.id, True)
    assert (Purpose.PROGRESS, "C0OTHER00", "5.6") in await shown(store, first)
    world.groups[ON_CALL].discard(SAM.id)
    refused = await approvals.propose(ask(world.plan("checkout"), requester=SAM))
    assert refused.request is None  # joining is asking


@pytest.mark.parametrize(
    ("person", "approves", "state", "why"),
    [
        (AVERY, True, State.APPROVED, ""),
        (AVERY, False, State.DENIED, ""),
        (ERIN, True, State.PENDING, "U0ERIN000 is none of the approvers of policy rule 1"),
        (OLGA, False, State.PENDING, "olga is none of the approvers of policy rule 1"),
    ],
)
async def test_only_an_approvers_word_counts(
    *, person: Person, approves: bool, state: State, why: str, world: World, approvals: Approvals
) -> None:
    request = await proposed(world, approvals)
    decided = await approvals.decide(request.id, person, approves=approves, reason="because")
    assert decided.request is not None
    assert (decided.request.state, decided.counted, decided.why) == (state, not why, why)


async def test_the_requester_is_asked_about_again_at_the_approval(world: World, approvals: Approvals) -> None:
    request = await proposed(world, approvals)
    world.groups[ON_CALL] = set()
    decided = await approvals.decide(request.id, AVERY, approves=True)
    assert not decided.counted
    assert decided.why.startswith("U0ERIN000 may no longer ask for it: policy rule 1 covers")
    assert (await approvals.decide(request.id, AVERY, approves=False)).counted


async def test_who_cannot_be_asked_about_is_refused(world: World, approvals: Approvals) -> None:
    request = await proposed(world, approvals)
    world.slack_down = True
    decided = await approvals.decide(request.id, AVERY, approves=True)
    assert (decided.counted, decided.why) == (False, "Slack is away.")


async def test_two_approvals_are_two_people(world: World, store: Store) -> None:
    approvals = world.approvals(store, [RULE.model_copy(update={"approvals": 2})])
    request = await proposed(world, approvals)
    assert (await approvals.decide(request.id, AVERY, approves=True)).counted
    again = await approvals.decide(request.id, AVERY, approves=True)
    assert again.request is not None
    assert (again.counted, again.why, again.request.state) == (False, "You have approved it already.", State.PENDING)
    second = await approvals.decide(request.id, SAM, approves=True)
    assert second.request is not None
    assert second.request.state is State.APPROVED


async def test_old_doubled_and_forged_clicks_learn_the_present_state(world: World, approvals: Approvals) -> None:
    request = await proposed(world, approvals)
    await approvals.decide(request.id, AVERY, approves=False)
    old = await approvals.decide(request.id, SAM, approves=True)
    assert old.request is not None
    assert (old.request.state, old.counted, old.why) == (State.DENIED, False, "It is no longer pending: it is denied.")
    forged = await approvals.decide("no-such-id", AVERY, approves=True)
    assert forged == (None, False, "There is no such request.")
    assert await approvals.cancel("no-such-id", ERIN) == (None, False, "There is no such request.")


async def test_an_expired_request_is_not_approved_even_before_it_is_swept(world: World, approvals: Approvals) -> None:
    request = await proposed(world, approvals)
    world.time.advance(31 * 60)
    assert (await approvals.decide(request.id, AVERY, approves=True)).why == "It has expired."


async def test_expiry_ends_and_shows_it(world: World, store: Store, approvals: Approvals) -> None:
    request = await proposed(world, approvals)
    world.time.advance(31 * 60)
    await approvals.expire()
    found = await store.requests.get(request.id)
    assert found is not None
    assert found.state is State.EXPIRED
    assert (Purpose.OUTCOME, CHANNEL, "") in await shown(store, request)


@pytest.mark.parametrize(("person", "counts"), [(ERIN, True), (AVERY, True), (OLGA, False)])
async def test_the_requester_and_approvers_may_cancel(
    *, person: Person, counts: bool, world: World, approvals: Approvals
) -> None:
    request = await proposed(world, approvals)
    await approvals.decide(request.id, AVERY, approves=True)
    decided = await approvals.cancel(request.id, person, f"not needed {TOKEN}")
    assert decided.request is not None
    assert (decided.counted, decided.request.state) == (counts, State.CANCELLED if counts else State.APPROVED)


async def test_what_is_being_carried_out_is_not_cancelled(world: World, store: Store, approvals: Approvals) -> None:
    request = await proposed(world, approvals)
    await approvals.decide(request.id, AVERY, approves=True)
    assert await store.requests.claim("w1", world.time.now(), 30)
    decided = await approvals.cancel(request.id, ERIN)
    assert (decided.counted, decided.why) == (False, "It is being carried out already.")


async def test_the_policy_is_asked_once_more_before_it_runs(world: World, approvals: Approvals) -> None:
    request = await proposed(world, approvals)
    await approvals.decide(request.id, AVERY, approves=True)
    assert (await approvals.may_run(request)).allowed
    world.groups[APPROVERS] = {SAM.id}
    assert not (await approvals.may_run(request)).allowed


async def test_what_a_dying_replica_did_not_show_is_shown_later(
    world: World, store: Store, approvals: Approvals
) -> None:
    request = Request(
        id="r9",
        plan=world.plan("checkout"),
        requester=ERIN,
        reason="",
        channel=CHANNEL,
        approval_channel=APPROVALS,
        created_at=world.time.now(),
        changed_at=world.time.now(),
        expires_at=world.time.now() + timedelta(minutes=30),
    )
    await store.requests.create(request, world.time.now())
    assert await shown(store, request) == set()
    world.time.advance(60)
    await approvals.show_all(timedelta(minutes=10))
    assert await shown(store, request) == {(Purpose.DECISION, APPROVALS, ""), (Purpose.PROGRESS, CHANNEL, "")}


async def test_decided_where_it_was_asked_one_message_serves_both(world: World, approvals: Approvals) -> None:
    request = await proposed(world, approvals)
    assert [purpose for purpose, *_ in places(request)] == [Purpose.DECISION, Purpose.PROGRESS]
    here = replace(request, approval_channel=CHANNEL, thread_ts="1.2")
    assert places(here) == ((Purpose.DECISION, CHANNEL, "1.2"),)


async def test_the_approvers_are_named_unless_nobody_can_say_who_asks(world: World, approvals: Approvals) -> None:
    request = await proposed(world, approvals)
    assert await approvals.approvers(request) == (APPROVERS,)
    world.slack_down = True
    assert await approvals.approvers(request) is None
    world.slack_down = False
    world.groups[ON_CALL] = set()
    assert await approvals.approvers(request) == ()
