"""A request's life, step by step: what each guard lets through, and what the trail says of it afterwards."""

from datetime import timedelta
from functools import partial

import pytest
from msgspec.structs import replace

from bot.model import Person, State, Target, TrailEntry
from bot.store import Store
from tests.store.samples import ALICE, BOB, CAROL, NOW, after, approved, plan, request, vote


async def test_what_was_stored_comes_back_as_it_was(store: Store) -> None:
    asked = request("r1", "checkout", of=plan("checkout", parameters={"secret": "ci-2"}))
    stored, is_new = await store.requests.create(asked, NOW)
    assert is_new
    assert stored == asked == await store.requests.get("r1")
    assert stored.expires_at.utcoffset() == timedelta(0)
    assert await store.requests.get("r2") is None


async def test_microseconds_and_other_zones_survive(store: Store) -> None:
    at = NOW.replace(microsecond=123_457)
    await store.requests.create(request("r1", at=at), at)
    stored = await store.requests.get("r1")
    assert stored is not None
    assert stored.created_at == at
    with pytest.raises(Exception, match="without its zone"):
        await store.requests.expire(NOW.replace(tzinfo=None))


@pytest.mark.parametrize(
    "other",
    [
        plan("checkout"),
        replace(plan("checkout"), summary="said otherwise"),
        replace(plan("checkout"), ref=replace(plan("checkout").ref, name="renamed")),  # the uid is what counts
    ],
)
async def test_an_identical_open_request_is_joined(store: Store, other: object) -> None:
    first, _ = await store.requests.create(request("r1", of=plan("checkout")), NOW)
    assert isinstance(other, type(first.plan))
    joined, is_new = await store.requests.create(request("r2", of=other, requester=BOB), after(1))
    assert (joined, is_new) == (first, False)
    assert await store.requests.get("r2") is None


@pytest.mark.parametrize(
    "other",
    [
        plan("checkout", fingerprint="f2"),
        plan("checkout", parameters={"secret": "ci"}),
        plan("checkout", uid="another-uid"),
        replace(plan("checkout"), ref=replace(plan("checkout").ref, cluster="stage")),
    ],
)
async def test_a_request_that_differs_is_its_own(store: Store, other: object) -> None:
    first, _ = await store.requests.create(request("r1", of=plan("checkout")), NOW)
    assert isinstance(other, type(first.plan))
    assert (await store.requests.create(request("r2", of=other), NOW))[1]


async def test_one_that_ended_or_expired_is_not_joined(store: Store) -> None:
    await store.requests.create(request("r1", of=plan("checkout"), minutes=1), NOW)
    assert (await store.requests.create(request("r2", of=plan("checkout")), after(60)))[1]
    expired = await store.requests.get("r1")
    assert expired is not None
    assert expired.state is State.EXPIRED
    cancelled = await store.requests.advance(
        "r2", State.PENDING, State.CANCELLED, who=ALICE.id, why="no longer needed", at=after(61)
    )
    assert cancelled is not None
    assert (await store.requests.create(request("r3", of=plan("checkout")), after(62)))[1]


async def test_a_request_given_twice_is_stored_once(store: Store) -> None:
    first = await store.requests.create(request("r1"), NOW)
    assert await store.requests.create(request("r1"), NOW) == first
    assert len(await store.requests.trail(request="r1")) == 1


async def test_an_approval_and_its_execution(store: Store) -> None:
    await store.requests.create(request("r1"), NOW)
    counted = await store.requests.vote(vote("r1", reason="go on"), at=after(1))
    assert counted.counted
    assert counted.request is not None
    assert (counted.request.state, counted.request.version) == (State.APPROVED, 2)
    running = await store.requests.claim("worker-1", after(2), 30)
    assert running is not None
    assert (running.state, running.version, running.fence, running.worker) == (State.RUNNING, 3, 1, "worker-1")
    assert running.lease_until == after(32)
    assert await store.requests.beat("r1", 1, after(40), "3 of 5 pods ready")
    assert await store.requests.beat("r1", 1, after(50), "3 of 5 pods ready")
    beaten = await store.requests.get("r1")
    assert beaten is not None
    assert (beaten.version, beaten.lease_until, beaten.step) == (4, after(50), "3 of 5 pods ready")
    ended = await store.requests.advance(
        "r1", State.RUNNING, State.SUCCEEDED, who="worker-1", why="", at=after(60), fence=1, outcome="5 of 5"
    )
    assert ended is not None
    assert (ended.state, ended.version, ended.outcome, ended.lease_until) == (State.SUCCEEDED, 5, "5 of 5", None)
    assert ended.state.is_final
    assert not await store.requests.beat("r1", 1, after(70), "")
    assert await store.requests.trail(request="r1") == (
        TrailEntry(request="r1", at=NOW, who=ALICE.id, was=None, became=State.PENDING, why="the token expired"),
        TrailEntry(
            request="r1",
            at=after(1),
            who=BOB.id,
            was=State.PENDING,
            became=State.APPROVED,
            why="approved (1 of 1): go on",
        ),
        TrailEntry(request="r1", at=after(2), who="worker-1", was=State.APPROVED, became=State.RUNNING),
        TrailEntry(request="r1", at=after(60), who="worker-1", was=State.RUNNING, became=State.SUCCEEDED),
    )


async def test_enough_different_people_approve(store: Store) -> None:
    await store.requests.create(request("r1", needed=2), NOW)
    first = await store.requests.vote(vote("r1", BOB), at=after(1))
    assert first.request is not None
    assert (first.counted, first.request.state, first.request.version) == (True, State.PENDING, 2)
    again = await store.requests.vote(vote("r1", Person(id=BOB.id, name="robert")), at=after(2))
    assert again == (first.request, False, "You have approved it already.")
    second = await store.requests.vote(vote("r1", CAROL), at=after(3))
    assert second.request is not None
    assert (second.counted, second.request.state) == (True, State.APPROVED)
    assert [(cast.approver, cast.approves) for cast in await store.requests.votes("r1")] == [(BOB, True), (CAROL, True)]


async def test_one_denial_denies_even_after_approvals(store: Store) -> None:
    await store.requests.create(request("r1", needed=3), NOW)
    await store.requests.vote(vote("r1", BOB), at=after(1))
    denied = await store.requests.vote(vote("r1", CAROL, approves=False, reason="not now"), at=after(2))
    assert denied.request is not None
    assert (denied.counted, denied.request.state) == (True, State.DENIED)
    assert (await store.requests.trail(request="r1"))[-1].why == "denied: not now"


async def test_an_approval_may_still_be_turned_into_a_denial(store: Store) -> None:
    await store.requests.create(request("r1", needed=2), NOW)
    await store.requests.vote(vote("r1", BOB), at=after(1))
    turned = await store.requests.vote(vote("r1", BOB, approves=False, reason="I misread it"), at=after(2))
    assert turned.request is not None
    assert (turned.counted, turned.request.state) == (True, State.DENIED)
    assert [(cast.approver, cast.approves) for cast in await store.requests.votes("r1")] == [(BOB, False)]


async def test_a_late_vote_gets_the_present_state(store: Store) -> None:
    decided = await approved(store, "r1")
    late = await store.requests.vote(vote("r1", CAROL, approves=False), at=after(1))
    assert late == (decided, False, "It is no longer pending: it is approved.")
    assert await store.requests.vote(vote("nowhere"), at=NOW) == (None, False, "There is no such request.")
    old, _ = await store.requests.create(request("r2", minutes=1), NOW)
    assert await store.requests.vote(vote("r2"), at=after(60)) == (old, False, "It has expired.")


@pytest.mark.parametrize(
    ("was", "became", "fence"),
    [
        (State.PENDING, State.RUNNING, None),
        (State.SUCCEEDED, State.PENDING, None),
        (State.DENIED, State.APPROVED, None),
        (State.PENDING, State.APPROVED, None),  # through votes only
        (State.APPROVED, State.RUNNING, None),  # through a claim only
        (State.RUNNING, State.SUCCEEDED, None),  # whose?
        (State.PENDING, State.CANCELLED, 1),
    ],
)
async def test_what_is_no_transition_is_a_mistake_in_the_program(
    store: Store, was: State, became: State, fence: int | None
) -> None:
    before, _ = await store.requests.create(request("r1"), NOW)
    with pytest.raises(ValueError, match=r"^A re|^A running request"):
        await store.requests.advance("r1", was, became, who="x", why="", at=NOW, fence=fence)
    assert await store.requests.get("r1") == before


async def test_a_guard_that_fails_changes_nothing(store: Store) -> None:
    before = await approved(store, "r1")
    assert await store.requests.advance("r1", State.PENDING, State.CANCELLED, who=ALICE.id, why="", at=after(1)) is None
    assert await store.requests.get("r1") == before
    assert len(await store.requests.trail(request="r1")) == 2


async def test_a_lapsed_lease_is_taken_over_and_the_old_worker_is_shut_out(store: Store) -> None:
    await approved(store, "r1")
    first = await store.requests.claim("worker-1", after(0), 30)
    assert first is not None
    assert await store.requests.claim("worker-2", after(29), 30) is None
    second = await store.requests.claim("worker-2", after(30), 30)
    assert second is not None
    assert (second.fence, second.worker, second.version) == (2, "worker-2", first.version + 1)
    assert not await store.requests.beat("r1", first.fence, after(90), "late")
    end = partial(store.requests.advance, "r1", State.RUNNING, who="worker", why="", at=after(31))
    assert await end(State.FAILED, fence=1) is None
    assert await end(State.SUCCEEDED, fence=2) is not None
    assert [(entry.was, entry.why) for entry in await store.requests.trail(request="r1")][-2:] == [
        (State.RUNNING, "taken over from worker-1"),
        (State.RUNNING, ""),
    ]


async def test_what_waited_longest_is_claimed_first(store: Store) -> None:
    await approved(store, "r2", at=after(2))
    await approved(store, "r1", at=after(1))
    claimed = [await store.requests.claim("w", after(3), 30) for _ in range(3)]
    assert [found.id if found else None for found in claimed] == ["r1", "r2", None]


async def test_expiry_ends_what_nobody_decided_or_did(store: Store) -> None:
    await store.requests.create(request("r1", minutes=1), NOW)
    await approved(store, "r2", at=after(-1740))
    await approved(store, "r3")
    await store.requests.create(request("r4"), NOW)
    assert await store.requests.expire(after(59)) == ()
    expired = await store.requests.expire(after(60))
    assert {(found.id, found.state, found.version) for found in expired} == {
        ("r1", State.EXPIRED, 2),
        ("r2", State.EXPIRED, 3),
    }
    assert await store.requests.expire(after(60)) == ()
    entries = [(await store.requests.trail(request=id_))[-1] for id_ in ("r1", "r2")]
    assert [(entry.who, entry.was) for entry in entries] == [("expiry", State.PENDING), ("expiry", State.APPROVED)]


async def test_an_approved_one_past_its_time_is_not_begun(store: Store) -> None:
    await approved(store, "r1")
    assert await store.requests.claim("w", after(1800), 30) is None


async def test_lists_are_narrowed_and_newest_first(store: Store) -> None:
    for number, (name, person) in enumerate([("checkout", ALICE), ("cart", BOB), ("basket", ALICE)]):
        await store.requests.create(request(f"r{number}", name, requester=person), after(number))
        await store.requests.create(
            request(f"r{number}", name, requester=person, at=after(number)), after(number)
        )  # a repetition
    await store.requests.vote(vote("r1"), at=after(5))

    async def ids(**narrowed: object) -> list[str]:
        return [found.id for found in await store.requests.list_(**narrowed)]  # type: ignore[arg-type]  # by name

    assert set(await ids()) == {"r0", "r1", "r2"}
    assert set(await ids(requester=ALICE.id)) == {"r0", "r2"}
    assert await ids(states=[State.APPROVED, State.RUNNING]) == ["r1"]
    assert await ids(target=Target(namespace="shop", name="cart")) == ["r1"]
    assert await ids(target=Target(namespace="shop", name="cart", kind="StatefulSet")) == []
    assert set(await ids(target=Target(cluster="prod", namespace="shop", name="", kind="Deployment"))) == {
        "r0",
        "r1",
        "r2",
    }
    assert len(await ids(limit=2)) == 2


async def test_the_audit_is_narrowed_by_time_and_target(store: Store) -> None:
    await store.requests.create(request("r1", "checkout"), NOW)
    await store.requests.create(request("r2", "cart", at=after(10)), after(10))
    await store.requests.vote(vote("r1"), at=after(20))
    assert [entry.request for entry in await store.requests.trail()] == ["r1", "r2", "r1"]
    assert [entry.request for entry in await store.requests.trail(since=after(10))] == ["r2", "r1"]
    assert [entry.request for entry in await store.requests.trail(target=Target(namespace="shop", name="cart"))] == [
        "r2"
    ]
    assert [entry.at for entry in await store.requests.trail(limit=1)] == [after(20)]


async def test_a_request_that_took_effect_remembers_when_and_how_often_it_was_looked_at(store: Store) -> None:
    await approved(store, "r1")
    claimed = await store.requests.claim("w1", after(1), 30)
    assert claimed is not None
    assert await store.requests.applied("r1", claimed.fence, after(40), "restarted", at=after(3))
    assert await store.requests.applied("r1", claimed.fence, after(50), "restarted", at=after(9))
    assert await store.requests.look_again(
        "r1", claimed.fence, after(300), "no new evidence yet", outcome="2 pods ready"
    )
    stored = await store.requests.get("r1")
    assert stored is not None
    assert (stored.applied_at, stored.looks, stored.step) == (after(3), 1, "no new evidence yet")
    assert stored.outcome == "2 pods ready"
    assert stored.version == claimed.version + 2
    assert await store.requests.claim("w2", after(299), 30) is None
    again = await store.requests.claim("w2", after(300), 30)
    assert again is not None
    assert (again.worker, again.fence, again.looks, again.applied_at) == ("w2", claimed.fence + 1, 1, after(3))
    assert (await store.requests.trail(request="r1"))[-1].why == "looked at again"
    assert not await store.requests.applied("r1", claimed.fence, after(400), "late", at=after(301))
    assert not await store.requests.look_again("r1", claimed.fence, after(400), "late", outcome="")
    unmoved = await store.requests.get("r1")
    assert unmoved == again
