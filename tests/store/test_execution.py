"""An execution while its database is locked, full, or gone: nothing is lost, and nothing is done without it."""

import sqlite3
from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.actions.approvals import Approvals, Ask
from bot.model import State
from bot.store import Store, migrate, open_store
from bot.store.engine import Database
from tests.store.conftest import Address
from tests.store.server import PASSWORD, Server
from tests.unit.actions.world import AVERY, CHANNEL, ERIN, Worker, World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def own_server() -> Iterator[Server]:
    """One that the test may stop."""
    running = Server.create()
    yield running
    running.remove()


@pytest.fixture
async def on_own_server(own_server: Server) -> AsyncIterator[Store]:
    url = await own_server.create_database("doctor")
    await migrate(url, password=PASSWORD)
    opened = await open_store(url, password=PASSWORD)
    yield opened
    await opened.close()


async def approved(world: World, store: Store) -> tuple[Approvals, str]:
    approvals = world.approvals(store)
    found = await approvals.propose(
        Ask(plan=world.plan("checkout"), requester=ERIN, reason="401s", channel=CHANNEL, cause="token-expired")
    )
    assert found.request is not None
    assert (await approvals.decide(found.request.id, AVERY, approves=True)).counted
    return approvals, found.request.id


async def works(worker: Worker) -> None:
    worker.start()
    await worker.settled()


async def ends_well(world: World, store: Store, request: str) -> None:
    found = await store.requests.get(request)
    assert found is not None
    assert (found.state, world.effects[request]) == (State.SUCCEEDED, 1)


async def test_an_outcome_waits_for_a_locked_database(on_sqlite: Address, world: World) -> None:
    store = await open_store(on_sqlite.url)
    approvals, request = await approved(world, store)
    worker = Worker(world, store, approvals, "w1")
    other = sqlite3.connect(on_sqlite.file, isolation_level=None)

    async def locked() -> None:
        other.execute("BEGIN IMMEDIATE")

    world.meanwhile["look"] = locked
    await works(worker)
    found = await store.requests.get(request)
    assert found is not None
    assert found.state is State.RUNNING
    other.execute("ROLLBACK")
    world.time.advance(3)
    await worker.settled()
    await ends_well(world, store, request)
    other.close()
    await store.close()


async def test_an_outcome_waits_for_room_on_the_disk(on_sqlite: Address, world: World) -> None:
    database = Database(on_sqlite.url)
    store = Store(database)
    approvals, request = await approved(world, store)
    worker = Worker(world, store, approvals, "w1")
    world.progress = "2 pods are ready. " * 2000

    async def limit(pages: int) -> None:
        async def work(connection: AsyncConnection) -> None:
            await connection.execute(text(f"PRAGMA max_page_count = {pages}"))  # never less than there are

        await database.write(work)

    world.meanwhile["look"] = lambda: limit(1)
    await works(worker)
    found = await store.requests.get(request)
    assert found is not None
    assert (found.state, found.outcome) == (State.RUNNING, "")
    await limit(10_000)
    world.time.advance(3)
    await worker.settled()
    await ends_well(world, store, request)
    await store.close()


async def test_an_outcome_waits_for_a_server_that_was_lost(
    on_own_server: Store, own_server: Server, world: World
) -> None:
    approvals, request = await approved(world, on_own_server)
    worker = Worker(world, on_own_server, approvals, "w1")

    async def lost() -> None:
        own_server.stop()

    world.meanwhile["look"] = lost
    await works(worker)
    own_server.start()
    world.time.advance(3)
    await worker.settled()
    await ends_well(world, on_own_server, request)


async def test_without_its_database_a_worker_does_nothing_and_another_takes_it_up(
    on_own_server: Store, own_server: Server, world: World
) -> None:
    """Nobody can tell any more whose the request is, so the effect is left out."""
    approvals, request = await approved(world, on_own_server)
    first, second = (Worker(world, on_own_server, approvals, name) for name in ("w1", "w2"))

    async def lost() -> None:
        own_server.stop()

    world.meanwhile["standing"] = lost
    await works(first)
    assert (first.task, world.applies) == (None, [])
    own_server.start()
    await works(second)
    assert world.applies == []
    world.time.advance(31)
    await works(second)
    await ends_well(world, on_own_server, request)


async def test_a_worker_that_cannot_beat_stops_before_its_lease_is_over(
    on_own_server: Store, own_server: Server, world: World
) -> None:
    approvals, request = await approved(world, on_own_server)
    worker = Worker(world, on_own_server, approvals, "w1")
    world.down = True
    await works(worker)  # it waits for the cluster, and beats
    own_server.stop()
    for _ in range(4):
        world.time.advance(6)
        await worker.settled()
    assert worker.busy()
    world.time.advance(6)
    await worker.settled()
    assert not worker.busy()
    own_server.start()
    world.down = False
    world.time.advance(6)
    await works(worker)
    await ends_well(world, on_own_server, request)
