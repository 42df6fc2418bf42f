"""What Slack has sent is taken once, by whichever replica comes first."""

import asyncio

from bot.store import Store
from tests.store.samples import NOW, after


async def test_of_many_at_the_same_time_one_is_first(store: Store) -> None:
    found = await asyncio.gather(*(store.once.first("Ev1", NOW) for _ in range(8)))
    assert sorted(found) == [False] * 7 + [True]
    assert await store.once.first("Ev2", NOW)


async def test_it_is_forgotten_with_what_is_old(store: Store) -> None:
    assert await store.once.first("Ev1", NOW)
    assert await store.once.first("Ev2", after(10))
    await store.forget(after(5))
    assert await store.once.first("Ev1", after(10))
    assert not await store.once.first("Ev2", after(10))
