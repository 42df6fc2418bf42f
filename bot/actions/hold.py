"""A worker's hold on a running request: kept by heartbeats, and let go of as soon as it may be another's."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog
from msgspec import Struct
from msgspec.structs import replace

from bot.errors import StoreUnavailableError
from bot.model import Request
from bot.store import Store

log = structlog.get_logger(__name__)

LEASE_SECONDS = 30.0
BEAT_SECONDS = 5.0


class LostError(Exception):
    """Another worker has the request, or it cannot be told any more whose it is."""


class Clock(Struct, frozen=True, kw_only=True):
    """`now` is the wall clock, which may be set; `monotonic` and `sleep` count seconds, whatever it says."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]


class Hold:
    """`step` is told with the next heartbeat. `in_doubt` once the effect may have taken place without our knowing."""

    def __init__(self, store: Store, request: Request, clock: Clock, *, claimed_at: float) -> None:
        """`claimed_at` is the monotonic time just before the claim."""
        self._requests = store.requests
        self._clock = clock
        self._good_until = claimed_at + LEASE_SECONDS
        self.request = request
        self.step = request.step
        self.in_doubt = request.fence > 1

    async def keep(self) -> None:
        """Beats until the request is lost, and then returns."""
        while True:
            await self._clock.sleep(BEAT_SECONDS)
            try:
                await self.beat()
            except LostError:
                return
            except StoreUnavailableError as error:
                left = self._good_until - self._clock.monotonic()
                log.warning("a heartbeat could not be stored", request=self.request.id, error=str(error), left=left)
                if left <= BEAT_SECONDS:
                    return

    async def beat(self) -> None:
        """Makes sure that the request is still this worker's, for the whole lease from now on. Raises LostError."""
        await self._kept(lambda until: self._requests.beat(self.request.id, self.request.fence, until, self.step))

    async def applied(self) -> None:
        """Notes that it has taken effect. Raises LostError."""
        request, at = self.request, self._clock.now()
        await self._kept(lambda until: self._requests.applied(request.id, request.fence, until, self.step, at=at))
        self.request = replace(request, applied_at=at)

    async def look_again(self, after: timedelta, outcome: str) -> None:
        """Lays the request aside until then. Raises LostError."""
        request, until = self.request, self._clock.now() + after
        kept = await self._requests.look_again(request.id, request.fence, until, self.step, outcome=outcome)
        if not kept:
            raise LostError

    async def release(self) -> None:
        """Lets any worker take it up at once."""
        await self._requests.beat(self.request.id, self.request.fence, self._clock.now(), self.step)

    async def _kept(self, beat: Callable[[datetime], Awaitable[bool]]) -> None:
        began = self._clock.monotonic()
        if not await beat(self._clock.now() + timedelta(seconds=LEASE_SECONDS)):
            raise LostError
        self._good_until = began + LEASE_SECONDS
