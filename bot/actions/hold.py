"""A worker's hold on a running request: kept by heartbeats, and let go of as soon as it may be another's."""

from datetime import timedelta

import structlog
from msgspec.structs import replace

from bot.lease import Clock, Lease, LostError
from bot.model import Request
from bot.store import Store

log = structlog.get_logger(__name__)

LEASE_SECONDS = 30.0
BEAT_SECONDS = 5.0


class Hold:
    """`step` is told with the next heartbeat. `in_doubt` once the effect may have taken place without our knowing."""

    def __init__(self, store: Store, request: Request, clock: Clock, *, claimed_at: float) -> None:
        """`claimed_at` is the monotonic time just before the claim."""
        self._requests = store.requests
        self._clock = clock
        self._lease = Lease(clock, seconds=LEASE_SECONDS, beat_seconds=BEAT_SECONDS, claimed_at=claimed_at)
        self.request = request
        self.step = request.step
        self.in_doubt = request.fence > 1

    async def keep(self) -> None:
        """Beats until the request is lost, and then returns."""
        await self._lease.keep(self.beat, log.bind(request=self.request.id))

    async def beat(self) -> None:
        """Makes sure that the request is still this worker's, for the whole lease from now on. Raises LostError."""
        await self._lease.renew(
            lambda until: self._requests.beat(self.request.id, self.request.fence, until, self.step)
        )

    async def applied(self) -> None:
        """Notes that it has taken effect. Raises LostError."""
        request, at = self.request, self._clock.now()
        await self._lease.renew(
            lambda until: self._requests.applied(request.id, request.fence, until, self.step, at=at)
        )
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
