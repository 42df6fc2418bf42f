"""Seconds, and for how long the event loop was kept from everybody else."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

Work = Callable[[], Awaitable[object]]
TICK_SECONDS = 0.001


async def seconds(work: Work) -> float:
    started = time.perf_counter()
    await work()
    return time.perf_counter() - started


class Block(NamedTuple):
    """A time in which nothing else could run, in seconds, and how much of it was this program's own reckoning.

    The rest it did not have a processor.
    """

    seconds: float
    own: float


async def longest_block(work: Work) -> float:
    """The longest time in which nothing else could run meanwhile, in seconds; a tick that is due each millisecond."""
    return (await longest_turn(work)).seconds


async def longest_turn(work: Work) -> Block:
    """The same, and the longest that the program itself reckoned without a pause."""
    seconds = own = 0.0

    async def tick() -> None:
        nonlocal seconds, own
        while True:
            before, reckoned = time.perf_counter(), time.thread_time()
            await asyncio.sleep(TICK_SECONDS)
            seconds = max(seconds, time.perf_counter() - before - TICK_SECONDS)
            own = max(own, time.thread_time() - reckoned)

    ticking = asyncio.create_task(tick())
    await asyncio.sleep(0)
    await work()
    await asyncio.sleep(0)
    ticking.cancel()
    return Block(seconds, own)
