"""What the digests have seen: since when, whether it is still there, and who wants to hear no more of it until when."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Insert, Row, case, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Person, Sighting, Snooze
from bot.redact import redact
from bot.store.engine import Database
from bot.store.tables import SEEN

_AT_ONCE = 1000  # rows in one statement; nine values each stay under both databases' limit of 32766


class Seen:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def sightings(self, schedule: str, cluster: str) -> Mapping[str, Sighting]:
        """What is there, as far as anybody knows, by key."""
        query = select(SEEN).where(SEEN.c.schedule == schedule, SEEN.c.cluster == cluster, SEEN.c.resolved_at.is_(None))

        async def work(connection: AsyncConnection) -> Mapping[str, Sighting]:
            return {row.key: _sighting(row) for row in await connection.execute(query)}

        return await self._database.read(work)

    async def sighting(self, schedule: str, cluster: str, key: str) -> Sighting | None:
        """One of them, also where it is gone; None where no digest has seen it."""
        here = (SEEN.c.schedule == schedule, SEEN.c.cluster == cluster, SEEN.c.key == key)

        async def work(connection: AsyncConnection) -> Sighting | None:
            row = (await connection.execute(select(SEEN).where(*here))).one_or_none()
            return _sighting(row) if row else None

        return await self._database.read(work)

    async def snoozes(self, schedule: str, at: datetime) -> Mapping[tuple[str, str], Snooze]:
        """Those in force, by cluster and key."""
        query = select(SEEN).where(SEEN.c.schedule == schedule, SEEN.c.snoozed_until > at)

        async def work(connection: AsyncConnection) -> Mapping[tuple[str, str], Snooze]:
            rows = (await connection.execute(query)).all()
            found = {(row.cluster, row.key): _snooze(row) for row in rows}
            return {place: snooze for place, snooze in found.items() if snooze is not None}

        return await self._database.read(work)

    async def snooze(self, schedule: str, cluster: str, key: str, snooze: Snooze | None) -> bool:
        """Quiet from now on, or not any more; False if no digest has seen it. A second one replaces the first."""
        guarded = update(SEEN).where(SEEN.c.schedule == schedule, SEEN.c.cluster == cluster, SEEN.c.key == key)
        guarded = guarded.values(
            snoozed_until=snooze.until if snooze else None,
            snoozed_by_id=snooze.by.id if snooze else "",
            snoozed_by_name=snooze.by.name if snooze else "",
            snooze_reason=snooze.reason if snooze else "",
            acknowledged=snooze.acknowledged if snooze else False,
        )

        async def work(connection: AsyncConnection) -> bool:
            return (await connection.execute(guarded)).rowcount == 1

        return await self._database.write(work)


async def record(
    connection: AsyncConnection,
    database: Database,
    schedule: str,
    cluster: str,
    *,
    found: Iterable[str],
    gone: Iterable[str],
    at: datetime,
) -> None:
    """What is there at `at`, and what was proven to be gone. A key that comes back begins anew, with no snooze."""
    # Two keys that differ by a token only are one: an INSERT may not hold the same twice.
    for keys in _in_parts(sorted({redact(key) for key in found})):
        await connection.execute(_seen(database, list(_new(schedule, cluster, keys, at))))
    here = (SEEN.c.schedule == schedule, SEEN.c.cluster == cluster, SEEN.c.resolved_at.is_(None))
    for keys in _in_parts(sorted(set(gone))):
        await connection.execute(update(SEEN).where(*here, SEEN.c.key.in_(keys)).values(resolved_at=at))


def _in_parts(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(keys), _AT_ONCE):
        yield keys[start : start + _AT_ONCE]


def _seen(database: Database, rows: list[dict[str, object]]) -> Insert:
    insert = database.insert(SEEN).values(rows)
    said = insert.excluded
    gone = SEEN.c.resolved_at.is_not(None)
    return insert.on_conflict_do_update(
        index_elements=["schedule", "cluster", "key"],
        set_={
            "first_seen": case((gone, said.first_seen), else_=SEEN.c.first_seen),
            "last_seen": said.last_seen,
            "resolved_at": None,
            "snoozed_until": case((gone, None), else_=SEEN.c.snoozed_until),
        },
    )


def _new(schedule: str, cluster: str, keys: Iterable[str], at: datetime) -> Iterator[dict[str, object]]:
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
            "acknowledged": False,
        }


def _sighting(row: Row[Any]) -> Sighting:
    return Sighting(
        key=row.key,
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        resolved_at=row.resolved_at,
        snooze=_snooze(row),
    )


def _snooze(row: Row[Any]) -> Snooze | None:
    if row.snoozed_until is None:
        return None
    by = Person(id=row.snoozed_by_id, name=row.snoozed_by_name)
    return Snooze(until=row.snoozed_until, by=by, reason=row.snooze_reason, acknowledged=row.acknowledged)
