"""What ended long ago is forgotten, and nothing else."""

from datetime import timedelta

from bot.model import State
from bot.store import Store
from tests.store.samples import NOW, after, approved, request

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
    await store.slots.claim("purge", "2026-03-29T03:00", "worker", NOW, 30)
    await store.slots.done("purge", "2026-03-29T03:00", "worker", NOW)
    await store.slots.claim("purge", "2026-06-28T03:00", "worker", LATER, 30)
    assert await store.forget(BEFORE) == 1
    assert {found.id for found in await store.requests.list_()} == {"open", "new"}
    assert {entry.request for entry in await store.requests.trail()} == {"open", "new"}
    assert await store.messages.of("old") == ()
    assert await store.requests.votes("old") == ()
    assert len(await store.requests.votes("open")) == 1
    assert not await store.slots.claim("purge", "2026-06-28T03:00", "other", LATER, 30)
    assert await store.slots.claim("purge", "2026-03-29T03:00", "other", LATER, 30)
    assert await store.forget(BEFORE) == 0


async def test_what_ended_lately_stays(store: Store) -> None:
    await ended(store, "old")
    assert await store.forget(NOW) == 0
    assert len(await store.requests.list_()) == 1
