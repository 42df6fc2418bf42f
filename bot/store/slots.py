"""The slots of a schedule, by local wall minute: a clock change neither doubles nor loses one."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Noun
from bot.store.engine import Database
from bot.store.tables import SCHEDULES, SLOTS

_LONGEST_LEASE_SECONDS = 3600


class SlotState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    MISSED = "missed"


class LeftSlot(Noun, frozen=True, kw_only=True):
    """One that nobody works at: left by a worker whose lease ended, or missed."""

    minute: str
    due_at: datetime


class Standing(Noun, frozen=True, kw_only=True):
    """How a schedule fares. `failures` counts them all, and `failure` is the last one's reason."""

    begun_at: datetime
    succeeded_at: datetime | None = None
    failed_at: datetime | None = None
    failures: int = 0
    failure: str = ""


class Slots:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, schedule: str, at: datetime) -> None:
        """From then on its slots are due; where it began before, nothing changes, unless that was in the future."""
        insert = self._database.insert(SCHEDULES).values(_begun(schedule, at))
        begun = insert.on_conflict_do_update(
            index_elements=["name"], set_={"begun_at": insert.excluded.begun_at}, where=SCHEDULES.c.begun_at > at
        )

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(begun)

        await self._database.write(work)

    async def last(self, schedule: str, at: datetime) -> datetime | None:
        """The latest instant up to `at` for which a slot was claimed or noted, else when the schedule began.

        What is claimed for later, while somebody's clock was wrong, does not keep the slots in between from coming.
        """
        latest = select(func.max(SLOTS.c.due_at)).where(SLOTS.c.schedule == schedule, SLOTS.c.due_at <= at)
        begun = select(SCHEDULES.c.begun_at).where(SCHEDULES.c.name == schedule)

        async def work(connection: AsyncConnection) -> datetime | None:
            known = [await connection.scalar(latest), await connection.scalar(begun)]
            return max((one for one in known if one is not None and one <= at), default=None)

        return await self._database.read(work)

    async def left(self, schedule: str, at: datetime) -> tuple[LeftSlot, ...]:
        """Those that anybody may take up, oldest first."""
        query = select(SLOTS).where(SLOTS.c.schedule == schedule, _is_left(at)).order_by(SLOTS.c.due_at)

        async def work(connection: AsyncConnection) -> tuple[LeftSlot, ...]:
            return _slots(await connection.execute(query))

        return await self._database.read(work)

    async def claim(
        self, schedule: str, minute: str, worker: str, at: datetime, lease_seconds: float, *, due_at: datetime
    ) -> bool:
        """Whether the slot is this worker's now. `minute` is local wall time, such as 2026-03-29T09:00[Europe/Berlin].

        Each is claimed once, and again only when its worker let the lease lapse before it was done; and none while
        another one of the schedule is being worked at.
        """
        insert = self._database.insert(SLOTS).values(
            schedule=schedule,
            minute=minute,
            due_at=due_at,
            state=SlotState.RUNNING.value,
            worker=worker,
            lease_until=at + timedelta(seconds=lease_seconds),
            changed_at=at,
        )
        said = insert.excluded
        claimed = insert.on_conflict_do_update(
            index_elements=["schedule", "minute"],
            set_={"worker": said.worker, "lease_until": said.lease_until, "changed_at": said.changed_at},
            where=_is_left(at),
        ).returning(SLOTS.c.minute)
        busy = select(SLOTS.c.minute).where(
            SLOTS.c.schedule == schedule,
            SLOTS.c.minute != minute,
            SLOTS.c.state == SlotState.RUNNING.value,
            ~_is_left(at),
        )
        begun = self._database.insert(SCHEDULES).values(_begun(schedule, at)).on_conflict_do_nothing()
        alone = select(SCHEDULES.c.name).where(SCHEDULES.c.name == schedule).with_for_update()

        async def work(connection: AsyncConnection) -> bool:
            await connection.execute(begun)
            await connection.execute(alone)  # two claims of the same schedule come one after the other
            if (await connection.execute(busy.limit(1))).one_or_none() is not None:
                return False
            return (await connection.execute(claimed)).one_or_none() is not None

        return await self._database.write(work)

    async def keep(self, schedule: str, minute: str, worker: str, until: datetime) -> bool:
        """Makes the lease longer, or ends it; False if the slot is not this worker's any more."""
        kept = update(SLOTS).where(is_held(schedule, minute, worker)).values(lease_until=until)

        async def work(connection: AsyncConnection) -> bool:
            return (await connection.execute(kept)).rowcount == 1

        return await self._database.write(work)

    async def done(self, schedule: str, minute: str, worker: str, at: datetime, *, failure: str = "") -> bool:
        """Ends the slot, and says how it went; False if another worker took it over meanwhile."""
        guarded = update(SLOTS).where(is_held(schedule, minute, worker))
        guarded = guarded.values(state=SlotState.DONE.value, lease_until=None, changed_at=at)
        fares = update(SCHEDULES).where(SCHEDULES.c.name == schedule)
        failed = fares.values(failed_at=at, failure=failure, failures=SCHEDULES.c.failures + 1)

        async def work(connection: AsyncConnection) -> bool:
            if (await connection.execute(guarded)).rowcount != 1:
                return False
            await connection.execute(failed if failure else fares.values(succeeded_at=at))
            return True

        return await self._database.write(work)

    async def missed(self, schedule: str, slots: Iterable[LeftSlot], at: datetime) -> None:
        """Notes slots that come too late to be caught up with, but not what is claimed, done or noted already."""
        rows = [
            {
                "schedule": schedule,
                "minute": slot.minute,
                "due_at": slot.due_at,
                "state": SlotState.MISSED.value,
                "worker": "",
                "changed_at": at,
            }
            for slot in slots
        ]
        if not rows:
            return
        insert = self._database.insert(SLOTS).values(rows)
        said = insert.excluded
        noted = insert.on_conflict_do_update(
            index_elements=["schedule", "minute"],
            set_={"state": said.state, "worker": said.worker, "lease_until": None, "changed_at": said.changed_at},
            where=_is_left(at),
        )

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(noted)

        await self._database.write(work)

    async def untold(self, schedule: str, before: datetime) -> tuple[LeftSlot, ...]:
        """The slots missed since the last one that was done, oldest first: nobody has heard of them."""
        mine = SLOTS.c.schedule == schedule
        done = select(func.max(SLOTS.c.due_at)).where(mine, SLOTS.c.state == SlotState.DONE.value)
        query = select(SLOTS).where(mine, SLOTS.c.state == SlotState.MISSED.value, SLOTS.c.due_at < before)

        async def work(connection: AsyncConnection) -> tuple[LeftSlot, ...]:
            last = await connection.scalar(done.where(SLOTS.c.due_at < before))
            since = query.where(SLOTS.c.due_at > last) if last is not None else query
            return _slots(await connection.execute(since.order_by(SLOTS.c.due_at)))

        return await self._database.read(work)

    async def standings(self, schedules: Iterable[str]) -> dict[str, Standing]:
        """By name, of those that ever began."""
        query = select(SCHEDULES).where(SCHEDULES.c.name.in_(list(schedules)))

        async def work(connection: AsyncConnection) -> dict[str, Standing]:
            rows = (await connection.execute(query)).all()
            names = Standing.__struct_fields__
            return {row.name: Standing(**{name: getattr(row, name) for name in names}) for row in rows}

        return await self._database.read(work)


def is_held(schedule: str, minute: str, worker: str) -> ColumnElement[bool]:
    """The slot is this worker's: what it records counts."""
    return and_(
        SLOTS.c.schedule == schedule,
        SLOTS.c.minute == minute,
        SLOTS.c.worker == worker,
        SLOTS.c.state == SlotState.RUNNING.value,
    )


def _is_left(at: datetime) -> ColumnElement[bool]:
    """Its lease has ended. One that would end much later was made while somebody's clock was wrong."""
    ends = SLOTS.c.lease_until
    is_over = or_(ends <= at, ends > at + timedelta(seconds=_LONGEST_LEASE_SECONDS))
    return and_(SLOTS.c.state == SlotState.RUNNING.value, is_over)


def _slots(rows: Iterable[Row[Any]]) -> tuple[LeftSlot, ...]:
    return tuple(LeftSlot(minute=row.minute, due_at=row.due_at) for row in rows)


def _begun(schedule: str, at: datetime) -> dict[str, object]:
    return {"name": schedule, "begun_at": at, "failures": 0, "failure": ""}
