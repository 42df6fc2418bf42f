"""Answers that are kept for a minute."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from bot.slack.pace import Monotonic

T = TypeVar("T")

SECONDS = 60.0


class Remembered(Generic[T]):
    """Asks about each key once at a time, however many want to know, and remembers the answer, but never a failure."""

    def __init__(self, ask: Callable[[str], Awaitable[T]], monotonic: Monotonic) -> None:
        self._ask = ask
        self._monotonic = monotonic
        self._known: dict[str, tuple[float, asyncio.Task[T]]] = {}

    async def __call__(self, key: str) -> T:
        task = self._asked(key)
        try:
            return await asyncio.shield(task)
        except Exception:
            if self._known.get(key, (0.0, None))[1] is task:
                del self._known[key]
            raise

    def _asked(self, key: str) -> asyncio.Task[T]:
        now = self._monotonic()
        self._known = {key: entry for key, entry in self._known.items() if entry[0] > now}
        if key not in self._known:
            self._known[key] = (now + SECONDS, asyncio.ensure_future(self._ask(key)))
        return self._known[key][1]
