"""The slots of a schedule, by local wall minute: a clock change neither doubles nor loses one."""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.engine import Database
from bot.store.tables import SLOTS


class SlotState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    MISSED = "missed"


class Slots:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, schedule: str, minute: str, worker: str, at: datetime, lease_seconds: float) -> bool:
        """Whether the slot is this worker's now. `minute` is local wall time, such as 2026-03-29T09:00.

        Each is claimed once, and again only when its worker let the lease lapse before it was done.
        """
        insert = self._database.insert(SLOTS).values(
            schedule=schedule,
            minute=minute,
            state=SlotState.RUNNING.value,
            worker=worker,
            lease_until=at + timedelta(seconds=lease_seconds),
            changed_at=at,
        )
        said = insert.excluded
        claimed = insert.on_conflict_do_update(
            index_elements=["schedule", "minute"],
            set_={"worker": said.worker, "lease_until": said.lease_until, "changed_at": said.changed_at},
            where=and_(SLOTS.c.state == SlotState.RUNNING.value, SLOTS.c.lease_until <= at),
        ).returning(SLOTS.c.minute)

        async def work(connection: AsyncConnection) -> bool:
            return (await connection.execute(claimed)).one_or_none() is not None

        return await self._database.write(work)

    async def done(self, schedule: str, minute: str, worker: str, at: datetime) -> bool:
        """Ends the slot; False if another worker took it over meanwhile."""
        guarded = update(SLOTS).where(
            SLOTS.c.schedule == schedule,
            SLOTS.c.minute == minute,
            SLOTS.c.worker == worker,
            SLOTS.c.state == SlotState.RUNNING.value,
        )
        guarded = guarded.values(state=SlotState.DONE.value, lease_until=None, changed_at=at)

        async def work(connection: AsyncConnection) -> bool:
            return (await connection.execute(guarded)).rowcount == 1

        return await self._database.write(work)

    async def missed(self, schedule: str, minute: str, at: datetime) -> bool:
        """Notes a slot that came too late to be caught up with; False if anybody claimed or noted it before."""
        insert = self._database.insert(SLOTS).values(
            schedule=schedule, minute=minute, state=SlotState.MISSED.value, worker="", changed_at=at
        )

        async def work(connection: AsyncConnection) -> bool:
            noted = insert.on_conflict_do_nothing().returning(SLOTS.c.minute)
            return (await connection.execute(noted)).one_or_none() is not None

        return await self._database.write(work)

    async def last(self, schedule: str) -> str:
        """The latest minute that was claimed or noted, "" for none: what to catch up from."""
        query = select(func.max(SLOTS.c.minute)).where(SLOTS.c.schedule == schedule)

        async def work(connection: AsyncConnection) -> str:
            return await connection.scalar(query) or ""

        return await self._database.read(work)
