"""A claim in the store that lasts so long: kept by heartbeats, and let go of as soon as it may be another's."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from msgspec import Struct
from structlog.typing import FilteringBoundLogger

from bot.errors import StoreUnavailableError


class LostError(Exception):
    """Another worker has it, or it cannot be told any more whose it is."""


class Clock(Struct, frozen=True, kw_only=True):
    """`now` is the wall clock, which may be set; `monotonic` and `sleep` count seconds, whatever it says."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]


class Lease:
    """The store knows its end by the wall clock, which replicas share; this worker counts by a monotonic one."""

    def __init__(self, clock: Clock, *, seconds: float, beat_seconds: float, claimed_at: float) -> None:
        """`claimed_at` is the monotonic time just before the claim."""
        self._clock = clock
        self._seconds = seconds
        self._beat_seconds = beat_seconds
        self._good_until = claimed_at + seconds

    async def renew(self, store: Callable[[datetime], Awaitable[bool]]) -> None:
        """`store` is given the new end, and says whether the claim was still this worker's. Raises LostError."""
        began = self._clock.monotonic()
        if not await store(self._clock.now() + timedelta(seconds=self._seconds)):
            raise LostError
        self._good_until = began + self._seconds

    async def keep(self, beat: Callable[[], Awaitable[None]], log: FilteringBoundLogger) -> None:
        """Has `beat` renew it again and again, and returns once it is lost. `log` says what it is of."""
        while True:
            await self._clock.sleep(self._beat_seconds)
            try:
                await beat()
            except LostError:
                return
            except StoreUnavailableError as error:
                left = self._good_until - self._clock.monotonic()
                log.warning("a heartbeat could not be stored", error=str(error), left=left)
                if left <= self._beat_seconds:
                    return
