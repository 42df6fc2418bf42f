"""What the digests have seen: since when, whether it is still there, and who wants to hear no more of it until when."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Row, case, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Noun, Person
from bot.store.engine import Database
from bot.store.tables import SEEN

_AT_ONCE = 1000  # rows in one INSERT; eight values each stay under both databases' limit of 32766


class Snooze(Noun, frozen=True, kw_only=True):
    until: datetime
    by: Person
    reason: str


class Item(Noun, frozen=True, kw_only=True):
    """`resolved_at` is when a digest first found it gone. A snooze lapses by itself, at its `until`."""

    key: str
    first_seen: datetime
    last_seen: datetime
    resolved_at: datetime | None = None
    snooze: Snooze | None = None

    def is_quiet(self, at: datetime) -> bool:
        return self.snooze is not None and at < self.snooze.until


class Seen:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(
        self, schedule: str, cluster: str, keys: Iterable[str], at: datetime, *, complete: bool = True
    ) -> None:
        """What is there at `at`. A key that comes back after it was gone begins anew.

        Only where everything could be read (`complete`) is a key that is missing gone.
        """
        found = sorted(set(keys))

        async def work(connection: AsyncConnection) -> None:
            for start in range(0, len(found), _AT_ONCE):
                await self._add(connection, schedule, cluster, found[start : start + _AT_ONCE], at)
            if complete:
                here = (SEEN.c.schedule == schedule, SEEN.c.cluster == cluster)
                gone = update(SEEN).where(*here, SEEN.c.last_seen != at, SEEN.c.resolved_at.is_(None))
                await connection.execute(gone.values(resolved_at=at))

        await self._database.write(work)

    async def items(self, schedule: str, cluster: str, *, resolved_since: datetime | None = None) -> tuple[Item, ...]:
        """What is there, by key; with a time, what was found gone at it or later."""
        query = select(SEEN).where(SEEN.c.schedule == schedule, SEEN.c.cluster == cluster).order_by(SEEN.c.key)
        is_gone = SEEN.c.resolved_at
        query = query.where(is_gone >= resolved_since if resolved_since else is_gone.is_(None))

        async def work(connection: AsyncConnection) -> tuple[Item, ...]:
            return tuple(map(_item, await connection.execute(query)))

        return await self._database.read(work)

    async def snooze(self, schedule: str, cluster: str, key: str, *, until: datetime, by: Person, reason: str) -> bool:
        """Quiet until then, for that reason; False if no digest has seen it. A second one replaces the first."""
        guarded = update(SEEN).where(SEEN.c.schedule == schedule, SEEN.c.cluster == cluster, SEEN.c.key == key)
        guarded = guarded.values(
            snoozed_until=until, snoozed_by_id=by.id, snoozed_by_name=by.name, snooze_reason=reason
        )

        async def work(connection: AsyncConnection) -> bool:
            return (await connection.execute(guarded)).rowcount == 1

        return await self._database.write(work)

    async def _add(
        self, connection: AsyncConnection, schedule: str, cluster: str, keys: list[str], at: datetime
    ) -> None:
        insert = self._database.insert(SEEN).values(list(_new(schedule, cluster, keys, at)))
        said = insert.excluded
        gone = SEEN.c.resolved_at.is_not(None)
        begun = case((gone, said.first_seen), else_=SEEN.c.first_seen)
        await connection.execute(
            insert.on_conflict_do_update(
                index_elements=["schedule", "cluster", "key"],
                set_={"first_seen": begun, "last_seen": said.last_seen, "resolved_at": None},
            )
        )


def _new(schedule: str, cluster: str, keys: list[str], at: datetime) -> Iterator[dict[str, object]]:
    for key in keys:
        yield {
            "schedule": schedule,
            "cluster": cluster,
            "key": key,
            "first_seen": at,
            "last_seen": at,
            "snoozed_by_id": "",
            "snoozed_by_name": "",
            "snooze_reason": "",
        }


def _item(row: Row[Any]) -> Item:
    snooze = None
    if row.snoozed_until:
        by = Person(id=row.snoozed_by_id, name=row.snoozed_by_name)
        snooze = Snooze(until=row.snoozed_until, by=by, reason=row.snooze_reason)
    return Item(
        key=row.key, first_seen=row.first_seen, last_seen=row.last_seen, resolved_at=row.resolved_at, snooze=snooze
    )
