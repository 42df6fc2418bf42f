"""Seconds, and for how long the event loop was kept from everybody else."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

Work = Callable[[], Awaitable[object]]
TICK_SECONDS = 0.001
SCHEDULING = Path("/proc/thread-self/schedstat")


async def seconds(work: Work) -> float:
    started = time.perf_counter()
    await work()
    return time.perf_counter() - started


class Block(NamedTuple):
    """A time in which nothing else could run, in seconds; `own` of it the program did not just wait for a processor."""

    seconds: float
    own: float


async def longest_block(work: Work) -> float:
    """The longest time in which nothing else could run meanwhile, in seconds; a tick that is due each millisecond."""
    return (await longest_blocks(work)).seconds


async def longest_blocks(work: Work) -> Block:
    """The same, and the longest of its own."""
    seconds = own = 0.0

    async def tick() -> None:
        nonlocal seconds, own
        while True:
            before, waited = time.perf_counter(), _waited()
            await asyncio.sleep(TICK_SECONDS)
            block = time.perf_counter() - before - TICK_SECONDS
            seconds, own = max(seconds, block), max(own, block - (_waited() - waited))

    ticking = asyncio.create_task(tick())
    await asyncio.sleep(0)
    await work()
    await asyncio.sleep(0)
    ticking.cancel()
    return Block(seconds, own)


def _waited() -> float:
    """For how many seconds this thread was ready to run, and others had the processors."""
    return int(SCHEDULING.read_text("ascii").split()[1]) / 1e9
