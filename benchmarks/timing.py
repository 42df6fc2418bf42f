"""Seconds, and for how long the event loop was kept from everybody else."""

import asyncio
import time
from collections.abc import Awaitable, Callable

Work = Callable[[], Awaitable[object]]
TICK_SECONDS = 0.001


async def seconds(work: Work) -> float:
    started = time.perf_counter()
    await work()
    return time.perf_counter() - started


async def longest_block(work: Work) -> float:
    """The longest time in which nothing else could run meanwhile, in seconds; a tick that is due each millisecond."""
    longest = 0.0

    async def tick() -> None:
        nonlocal longest
        while True:
            before = time.perf_counter()
            await asyncio.sleep(TICK_SECONDS)
            longest = max(longest, time.perf_counter() - before - TICK_SECONDS)

    ticking = asyncio.create_task(tick())
    await asyncio.sleep(0)
    await work()
    await asyncio.sleep(0)
    ticking.cancel()
    return longest
