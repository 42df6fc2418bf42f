"""What ended long ago is forgotten, and nothing else."""

from datetime import timedelta

from bot.model import State
from bot.store import Store
from tests.store.samples import NOW, after, approved, request, saw

LATER = NOW + timedelta(days=91)
BEFORE = LATER - timedelta(days=90)


async def ended(store: Store, id_: str) -> None:
    await approved(store, id_)
    await store.messages.want(id_, "decision", "C0APPROVALS")
    claimed = await store.requests.claim("worker", after(1), 30)
    assert claimed is not None
    await store.requests.advance(
        id_, State.RUNNING, State.SUCCEEDED, who="worker", why="", at=after(2), fence=claimed.fence
    )


async def test_a_request_that_ended_long_ago_goes_with_its_trail_and_the_rest_stays(store: Store) -> None:
    await ended(store, "old")
    await approved(store, "open")
    await store.requests.create(request("new", at=LATER), LATER)
    await store.slots.claim("purge", "2026-03-29T03:00", "worker", NOW, 30, due_at=NOW)
    await store.slots.done("purge", "2026-03-29T03:00", "worker", NOW)
    await store.slots.claim("purge", "2026-06-28T03:00", "worker", LATER, 30, due_at=LATER)
    assert await store.forget(BEFORE) == 1
    assert {found.id for found in await store.requests.list_()} == {"open", "new"}
    assert {entry.request for entry in await store.requests.trail()} == {"open", "new"}
    assert await store.messages.of("old") == ()
    assert await store.requests.votes("old") == ()
    assert len(await store.requests.votes("open")) == 1
    assert await store.slots.done("purge", "2026-06-28T03:00", "worker", LATER)
    assert not await store.slots.claim("purge", "2026-06-28T03:00", "other", LATER, 30, due_at=LATER)
    assert await store.slots.claim("purge", "2026-03-29T03:00", "other", LATER, 30, due_at=NOW)
    assert await store.slots.done("purge", "2026-03-29T03:00", "other", LATER)
    assert await store.forget(BEFORE) == 0


async def test_what_ended_lately_stays(store: Store) -> None:
    await ended(store, "old")
    assert await store.forget(NOW) == 0
    assert len(await store.requests.list_()) == 1


async def test_what_digests_need_to_go_on_stays(store: Store) -> None:
    """A schedule that comes once a year has its last slot, and a quiet channel when it last heard anything."""
    for number, (schedule, at) in enumerate((("daily", NOW), ("daily", after(60)), ("yearly", NOW))):
        await saw(store, ["a"] if number else ["a", "gone"], schedule=schedule, at=at, told=number != 1)
    await saw(store, ["a"], gone=["gone"], schedule="daily", at=after(120), told=False)
    await store.digests.posted("daily-0", 0, "1.0")
    await store.forget(BEFORE)
    assert await store.slots.last("daily", LATER) == after(120)
    assert await store.slots.last("yearly", LATER) == NOW
    assert await store.digests.last_told("daily") == {"C1": NOW}
    assert await store.digests.last_told("yearly") == {"C1": NOW}
    assert set(await store.seen.sightings("daily", "prod")) == {"a"}
    assert len(await store.digests.figures(["daily", "yearly"])) == 2
    assert await store.digests.history("daily", "C1", limit=9) == {}
    kept = await store.digests.get("daily-0")
    assert kept is not None
    assert kept.pages == {0: "1.0"}
    assert await store.digests.get("daily-60") is None
    await saw(store, ["a"], schedule="daily", at=LATER)
    await store.forget(BEFORE)
    assert await store.digests.get("daily-0") is None


async def test_what_no_census_asks_for_any_more_is_forgotten(store: Store) -> None:
    await saw(store, ["seen", "out of scope"])
    await store.forget(BEFORE)
    assert len(await store.seen.sightings("daily", "prod")) == 2, "nobody has looked since"
    await saw(store, ["seen"], at=LATER)
    await store.forget(BEFORE)
    assert set(await store.seen.sightings("daily", "prod")) == {"seen"}
