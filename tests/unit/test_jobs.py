"""What is done again and again: by one replica where two would double it, and on after a failure."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from bot import jobs as module
from bot.jobs import Jobs, Purge
from bot.model import Purpose, State
from bot.store import Store, open_store
from tests.cluster.waiting import eventually
from tests.store.samples import NOW, approved, request
from tests.unit.actions.world import World

LATER = NOW + timedelta(days=91)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(f"sqlite+aiosqlite:///{tmp_path}/doctor.db")
    yield opened
    await opened.close()


def purge(store: Store, worker: str, at: datetime) -> Purge:
    return Purge(store, worker=worker, now=lambda: at, keep=timedelta(days=90))


async def test_the_purge_is_one_replicas_and_leaves_what_is_open(store: Store) -> None:
    await store.requests.create(request("old"), NOW)
    await store.requests.advance("old", State.PENDING, State.CANCELLED, who="x", why="", at=NOW)
    await approved(store, "open")
    await asyncio.gather(purge(store, "w1", LATER).purge(), purge(store, "w2", LATER).purge())
    assert {found.id for found in await store.requests.list_()} == {"open"}
    # Claimed for the day: the other replica, which comes a little later, has nothing to do.
    assert not await store.slots.claim(":purge", f"{LATER:%Y-%m-%d}T03:17", "w3", LATER, 60, due_at=LATER)


async def test_expired_requests_end_and_unshown_ones_are_shown(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_EXPIRY_SECONDS", 0.01)
    at = datetime.now(UTC)
    world = World()
    world.time.wall = at
    await store.requests.create(request("late", at=at - timedelta(hours=1)), at - timedelta(hours=1))
    work = Jobs(world.approvals(store))
    work.start()
    try:
        await eventually(lambda: store.requests.list_(states=[State.EXPIRED]), bool, "it has expired")
    finally:
        await work.stop()
    await work.stop()  # twice is once


async def test_a_job_that_breaks_is_told_and_goes_on(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "_EXPIRY_SECONDS", 0.001)
    tries = 0
    enough = asyncio.Event()
    work = Jobs(World().approvals(store))

    async def breaks() -> None:
        nonlocal tries
        tries += 1
        if tries > 2:
            enough.set()
        raise ZeroDivisionError

    monkeypatch.setattr(work._approvals, "expire", breaks)  # noqa: SLF001  # a bug of ours, made on purpose
    work.start()
    async with asyncio.timeout(10):
        await enough.wait()
    await work.stop()
    assert "a job broke" in capsys.readouterr().out


async def test_at_the_start_what_changed_while_nobody_was_there_is_shown(store: Store) -> None:
    at = datetime.now(UTC)
    world = World()
    world.time.wall = at
    plan = world.plan("checkout")
    asked = request("r1", of=plan, at=at - timedelta(hours=3), minutes=600)
    await store.requests.create(replace(asked, approval_channel="C0APPROVALS"), at - timedelta(hours=3))
    work = Jobs(world.approvals(store))
    work.start()
    try:
        await eventually(lambda: store.messages.of("r1"), bool, "r1 is shown")
    finally:
        await work.stop()
    assert [message.purpose for message in await store.messages.of("r1")] == [Purpose.DECISION]


async def test_the_purge_starts_and_stops(store: Store) -> None:
    daily = purge(store, "w1", NOW)
    daily.start()
    daily.stop()
    daily.stop()  # twice is once
