"""Waiting for something to become true without polling."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Changes:
    """Wakes every waiter after each request, frame and change of state."""

    def __init__(self) -> None:
        self._condition = asyncio.Condition()
        self.count = 0

    async def notify(self) -> None:
        async with self._condition:
            self.count += 1
            self._condition.notify_all()

    async def wait_for(self, predicate: Callable[[], T], timeout: float) -> T:  # noqa: ASYNC109 - the public contract
        """Returns the predicate's first truthy value. Raises TimeoutError after `timeout` seconds."""
        async with asyncio.timeout(timeout), self._condition:
            return await self._condition.wait_for(predicate)
