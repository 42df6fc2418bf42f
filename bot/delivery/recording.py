"""Compares what was found with the memory, and stores both what is remembered from now on and what is to be told."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from bot.delivery.hold import SlotHold
from bot.digest import routing
from bot.digest.comparison import Comparison, Unreached, compare
from bot.digest.slots import of_key
from bot.digest.tallies import bounded
from bot.digest.telling import Memory, tell
from bot.lease import Clock, LostError
from bot.model import Inventory
from bot.store import Look, Store
from config.digests import Digest as Schedule

TREND = 30
"""Points of a trend before the present one."""


class Recorder:
    def __init__(self, store: Store, clock: Clock, *, new_id: Callable[[], str]) -> None:
        self._store = store
        self._clock = clock
        self._new_id = new_id

    async def record(
        self,
        schedule: Schedule,
        found: Sequence[Inventory | Unreached],
        hold: SlotHold,
        *,
        in_time: bool,
        next_at: datetime | None,
    ) -> None:
        """Not `in_time`: nothing was looked at, and the slot itself is said to be missed. Raises LostError."""
        slot = hold.slot
        looked = await self._store.digests.looked_at(schedule.name)
        compared = [await self._compared(schedule, one, looked) for one in found]
        untold = await self._store.slots.untold(schedule.name, slot.at)
        missed = [of_key(one.minute, one.due_at).minute for one in untold]
        told = list(
            tell(
                schedule,
                compared,
                await self._memory(schedule),
                slot=slot,
                missed=missed if in_time else [*missed, slot.minute],
                at=self._clock.now(),
                next_at=next_at,
                new_id=self._new_id,
            )
        )
        if not await self._store.digests.record(
            schedule.name,
            slot.key,
            hold.owner,
            at=self._clock.now(),
            looks=[_remembered(one) for one in compared if isinstance(one, Comparison)],
            digests=[digest for digest, _ in told],
            told=[digest.channel for digest, is_told in told if is_told],
        ):
            raise LostError

    async def _compared(
        self, schedule: Schedule, one: Inventory | Unreached, looked: Mapping[str, datetime]
    ) -> Comparison | Unreached:
        if isinstance(one, Unreached):
            return one
        sightings = await self._store.seen.sightings(schedule.name, one.cluster)
        return compare(one, sightings, last=looked.get(one.cluster))

    async def _memory(self, schedule: Schedule) -> Memory:
        history = {
            channel: await self._store.digests.history(schedule.name, channel, limit=TREND)
            for channel in routing.channels(schedule)
        }
        return Memory(history=history, last_told=await self._store.digests.last_told(schedule.name))


def _remembered(one: Comparison) -> Look:
    digest = one.digest
    return Look(
        cluster=digest.cluster,
        at=digest.taken_at,
        complete=all(part.by_choice for part in digest.unscanned),
        found=one.found,
        gone=one.gone,
        tallies=bounded(one.tallies),
    )
