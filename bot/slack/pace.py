"""Slack's rate limits, kept from this side: about one message a second a channel, short bursts allowed."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

Monotonic = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` calls at once, then `per_second`."""

    burst: int
    per_second: float


POSTS = Rate(burst=3, per_second=1.0)  # chat.postMessage, for each channel
UPDATES = Rate(burst=20, per_second=50 / 60)  # chat.update, tier 3, for the whole workspace


class Pace:
    """A token bucket. `turn()` returns when the next call may be made, in the order of asking."""

    def __init__(self, rate: Rate, monotonic: Monotonic, sleep: Sleep = asyncio.sleep) -> None:
        self._rate = rate
        self._sleep = sleep
        self._monotonic = monotonic
        self._left = float(rate.burst)
        self._at = monotonic()
        self._lock = asyncio.Lock()

    async def turn(self) -> None:
        async with self._lock:
            self._fill()
            while self._left < 1:
                await self._sleep((1 - self._left) / self._rate.per_second)
                self._fill()
            self._left -= 1

    def _fill(self) -> None:
        now = self._monotonic()
        self._left = min(float(self._rate.burst), self._left + (now - self._at) * self._rate.per_second)
        self._at = now
