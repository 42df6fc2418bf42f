"""A worker's hold on a slot: kept while a census takes its time, and let go of as soon as it may be another's."""

from datetime import datetime

import structlog

from bot.digest.slots import Slot
from bot.errors import StoreUnavailableError
from bot.lease import Clock, Lease
from bot.store import Store

log = structlog.get_logger(__name__)

LEASE_SECONDS = 120.0
BEAT_SECONDS = 20.0


class SlotHold:
    """`owner` is one attempt of one worker: nobody takes up unseen what they left themselves."""

    def __init__(self, store: Store, schedule: str, slot: Slot, *, owner: str, clock: Clock, claimed_at: float) -> None:
        """`claimed_at` is the monotonic time just before the claim."""
        self._slots = store.slots
        self._clock = clock
        self._lease = Lease(clock, seconds=LEASE_SECONDS, beat_seconds=BEAT_SECONDS, claimed_at=claimed_at)
        self.schedule = schedule
        self.slot = slot
        self.owner = owner

    async def keep(self) -> None:
        """Beats until the slot is lost, and then returns."""
        await self._lease.keep(self.beat, log.bind(digest=self.schedule))

    async def beat(self) -> None:
        """Makes sure that the slot is still this worker's, for the whole lease from now on. Raises LostError."""
        await self._lease.renew(self._stored)

    async def release(self) -> None:
        """Lets any worker take it up at once."""
        try:
            await self._stored(self._clock.now())
        except StoreUnavailableError as error:
            log.warning("a slot is free only when its lease has ended", digest=self.schedule, error=str(error))

    async def _stored(self, until: datetime) -> bool:
        return await self._slots.keep(self.schedule, self.slot.key, self.owner, until)
