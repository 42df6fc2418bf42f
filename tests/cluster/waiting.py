"""Waits for what a controller does in its own time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

Value = TypeVar("Value")

DEADLINE_SECONDS = 60.0
PAUSE_SECONDS = 0.03


async def eventually(
    read: Callable[[], Awaitable[Value]], holds: Callable[[Value], bool], what: str, deadline: float = DEADLINE_SECONDS
) -> Value:
    """The first value read for which `holds` is true; AssertionError with the last one after the deadline."""
    ends = time.monotonic() + deadline
    while True:
        value = await read()
        if holds(value):
            return value
        if time.monotonic() > ends:
            raise AssertionError(f"not within {deadline:.0f} s: {what}. Last seen: {value}")
        await asyncio.sleep(PAUSE_SECONDS)
