"""The guards under real concurrency: many tasks on one store, and several processes on one database."""

import asyncio
from collections import Counter
from functools import partial
from itertools import chain, pairwise

import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Person, State, TrailEntry
from bot.store import Store, open_store
from bot.store.engine import Database
from bot.store.rows import note, row_of
from bot.store.tables import REQUESTS
from tests.store.conftest import Address
from tests.store.processes import all_at_once
from tests.store.samples import ALICE, BOB, NOW, after, plan, request, vote

WORKERS = ("worker-1", "worker-2", "worker-3", "worker-4")


async def filled(address: Address, count: int, state: State) -> None:
    """Many requests at once, as if each had been created and approved."""
    database = Database(address.url, address.password)

    async def work(connection: AsyncConnection) -> None:
        for number in range(count):
            row = row_of(request(f"r{number}")) | {"state": state.value}
            await connection.execute(insert(REQUESTS).values(row))
            entry = TrailEntry(request=f"r{number}", at=NOW, who=ALICE.id, was=None, became=state)
            await note(connection, entry)

    await database.write(work)
    await database.close()


async def test_four_processes_claim_each_request_exactly_once(store: Store, address: Address) -> None:
    await filled(address, 300, State.APPROVED)
    got = await all_at_once("claims", address, WORKERS)
    assert sorted(chain.from_iterable(got.values())) == sorted(f"r{number} 1" for number in range(300))
    assert sum(1 for ids in got.values() if ids) > 1, "only one process worked: nothing was proved"
    assert len(await store.requests.list_(states=[State.SUCCEEDED], limit=1000)) == 300
    assert len(await store.requests.trail(limit=5000)) == 300 * 3


async def test_four_processes_show_each_message_once(store: Store, address: Address) -> None:
    await filled(address, 30, State.PENDING)
    for number in range(30):
        for channel in ("C1", "C2", "C3"):
            await store.messages.want(f"r{number}", "approval", channel)
    got = await all_at_once("behind", address, WORKERS)
    assert sorted(chain.from_iterable(got.values())) == sorted(f"{number} 1" for number in range(1, 91))


async def test_four_processes_claim_each_slot_once(store: Store, address: Address) -> None:
    got = await all_at_once("slots", address, WORKERS)
    assert set(Counter(chain.from_iterable(got.values())).values()) == {1}
    assert len(list(chain.from_iterable(got.values()))) == 100


async def test_four_voters_at_once_make_exactly_one_approval(store: Store, address: Address) -> None:
    await filled(address, 50, State.PENDING)
    got = await all_at_once("votes", address, WORKERS)
    assert sorted(chain.from_iterable(got.values())) == sorted(f"r{number}" for number in range(50))
    entries = await store.requests.trail(limit=1000)
    assert Counter(entry.became for entry in entries) == {State.PENDING: 50, State.APPROVED: 50}


async def test_four_processes_ask_for_the_same_and_each_is_asked_once(store: Store, address: Address) -> None:
    got = await all_at_once("creates", address, WORKERS)
    assert sorted(chain.from_iterable(got.values())) == sorted(f"thing-{number}" for number in range(50))
    assert len(await store.requests.list_(limit=1000)) == 50


async def test_two_approvals_are_needed_and_ten_people_vote_at_once(store: Store) -> None:
    await store.requests.create(request("r1", needed=2), NOW)
    people = [Person(id=f"U{number}") for number in range(10)]
    counted = await asyncio.gather(*(store.requests.vote(vote("r1", person), at=after(1)) for person in people))
    assert sum(one.counted for one in counted) == 2
    decided = await store.requests.get("r1")
    assert decided is not None
    assert (decided.state, decided.version) == (State.APPROVED, 3)
    assert len(await store.requests.votes("r1")) == 2


async def test_one_person_clicks_twice_at_once(store: Store) -> None:
    await store.requests.create(request("r1", needed=2), NOW)
    counted = await asyncio.gather(*(store.requests.vote(vote("r1", BOB), at=after(1)) for _ in range(5)))
    assert sum(one.counted for one in counted) == 1
    decided = await store.requests.get("r1")
    assert decided is not None
    assert decided.state is State.PENDING


@pytest.mark.parametrize("turn", range(5))
async def test_expiry_cancellation_denial_and_approval_race_and_one_wins(store: Store, turn: int) -> None:
    """The expiry's clock is ahead: it may win, or lose, but the trail has one decision only."""
    ids = [f"r{turn}-{number}" for number in range(8)]
    await asyncio.gather(*(store.requests.create(request(id_), NOW) for id_ in ids))
    leave = partial(store.requests.advance, who=ALICE.id, why="", at=after(5))
    racing = [
        *(store.requests.vote(vote(id_), at=after(1)) for id_ in ids),
        store.requests.expire(after(1800)),
        *(store.requests.vote(vote(id_, Person(id="U9"), approves=False), at=after(1)) for id_ in ids),
        *(leave(id_, State.PENDING, State.CANCELLED) for id_ in ids),
        *(store.requests.claim("worker", after(2), 3600) for _ in ids),
        store.requests.expire(after(1800)),
    ]
    await asyncio.gather(*racing[turn:], *racing[:turn])
    for id_ in ids:
        entries = await store.requests.trail(request=id_)
        left_pending = [entry for entry in entries if entry.was is State.PENDING]
        assert len(left_pending) == 1
        assert all(one.became == following.was for one, following in pairwise(entries))
        found = await store.requests.get(id_)
        assert found is not None
        assert (found.state, found.version) == (entries[-1].became, len(entries))


async def test_many_tasks_read_and_write_at_once(store: Store) -> None:
    async def life(number: int) -> None:
        stored, _ = await store.requests.create(request(f"r{number}", of=plan(f"w{number}")), NOW)
        assert await store.requests.get(stored.id) == stored
        await store.requests.vote(vote(stored.id), at=after(1))
        await store.requests.list_(limit=5)

    await asyncio.gather(*(life(number) for number in range(50)))
    claimed = await asyncio.gather(*(store.requests.claim(f"worker-{number}", after(2), 60) for number in range(60)))
    assert len({found.id for found in claimed if found}) == sum(1 for found in claimed if found) == 50


async def test_what_a_cancelled_caller_began_is_done(address: Address) -> None:
    store = await open_store(address.url, password=address.password)
    for number in range(30):
        task = asyncio.create_task(store.requests.create(request(f"r{number}"), NOW))
        await asyncio.sleep(number * 0.0003)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await store.close()
    again = await open_store(address.url, password=address.password)
    expected = {f"r{number}" for number in range(30)}
    assert {found.id for found in await again.requests.list_()} == expected
    assert {entry.request for entry in await again.requests.trail()} == expected
    await again.close()
