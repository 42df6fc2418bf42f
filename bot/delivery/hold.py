"""A worker's hold on a slot: kept while a census takes its time, and let go of as soon as it may be another's."""

from datetime import timedelta

import structlog

from bot.actions.hold import Clock, LostError
from bot.digest.slots import Slot
from bot.errors import StoreUnavailableError
from bot.store import Store

log = structlog.get_logger(__name__)

LEASE_SECONDS = 120.0
BEAT_SECONDS = 20.0
_LEASE = timedelta(seconds=LEASE_SECONDS)


class SlotHold:
    """`owner` is one attempt of one worker: nobody takes up unseen what they left themselves."""

    def __init__(self, store: Store, schedule: str, slot: Slot, *, owner: str, clock: Clock, claimed_at: float) -> None:
        """`claimed_at` is the monotonic time just before the claim."""
        self._slots = store.slots
        self._clock = clock
        self._good_until = claimed_at + LEASE_SECONDS
        self.schedule = schedule
        self.slot = slot
        self.owner = owner

    async def keep(self) -> None:
        """Beats until the slot is lost, and then returns."""
        while True:
            await self._clock.sleep(BEAT_SECONDS)
            try:
                await self.beat()
            except LostError:
                return
            except StoreUnavailableError as error:
                left = self._good_until - self._clock.monotonic()
                log.warning("a heartbeat could not be stored", digest=self.schedule, error=str(error), left=left)
                if left <= BEAT_SECONDS:
                    return

    async def beat(self) -> None:
        """Makes sure that the slot is still this worker's, for the whole lease from now on. Raises LostError."""
        began = self._clock.monotonic()
        until = self._clock.now() + _LEASE
        if not await self._slots.keep(self.schedule, self.slot.key, self.owner, until):
            raise LostError
        self._good_until = began + LEASE_SECONDS

    async def release(self) -> None:
        """Lets any worker take it up at once."""
        try:
            await self._slots.keep(self.schedule, self.slot.key, self.owner, self._clock.now())
        except StoreUnavailableError as error:
            log.warning("a slot is free only when its lease has ended", digest=self.schedule, error=str(error))
