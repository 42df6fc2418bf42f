"""What digests told: kept as it was compared, so that whoever takes over posts the same and forgets nothing."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Digest, Noun, Tally, TrendPoint
from bot.store import seen
from bot.store.engine import Database
from bot.store.slots import is_held
from bot.store.tables import CENSUSES, DIGESTS, PAGES, SLOTS, TOTALS

_SHOWN_ANEW = timedelta(days=7)
"""So long a digest's messages can be rendered again, after a snooze for example."""


class Look(Noun, frozen=True, kw_only=True):
    """What one census of a cluster leaves in the memory. `found` and `gone` are keys of items."""

    cluster: str
    at: datetime
    complete: bool
    found: tuple[str, ...]
    gone: tuple[str, ...]
    tallies: Mapping[str, Tally]


class Figures(Noun, frozen=True, kw_only=True):
    """The last census of a cluster for a schedule: its exact counts, by namespace."""

    schedule: str
    cluster: str
    at: datetime
    complete: bool
    tallies: Mapping[str, Tally]


class Kept(Noun, frozen=True, kw_only=True):
    """One channel's digest, which its schedule tells it, or not: it is quiet, or was asked for.

    `digest` is None once it is too old to be shown anew; `pages` has the ts of what stands.
    """

    id: str
    channel: str
    is_told: bool
    digest: Digest | None
    pages: Mapping[int, str]


class Digests:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(
        self,
        schedule: str,
        minute: str,
        worker: str,
        *,
        at: datetime,
        looks: Sequence[Look],
        digests: Sequence[Digest],
        told: Sequence[str],
    ) -> bool:
        """Remembers all that a slot found and is to tell, at once; False if the slot is not this worker's any more.

        `told` are the channels that are told; the others' digests are quiet. What was recorded of the slot before
        stays as it was: ask `recorded` what holds.
        """
        held = select(SLOTS.c.minute).where(is_held(schedule, minute, worker)).with_for_update()
        before = select(DIGESTS.c.id).where(DIGESTS.c.schedule == schedule, DIGESTS.c.minute == minute)
        old = update(DIGESTS).where(DIGESTS.c.schedule == schedule, DIGESTS.c.at < at - _SHOWN_ANEW)

        async def work(connection: AsyncConnection) -> bool:
            if (await connection.execute(held)).one_or_none() is None:
                return False
            if (await connection.execute(before.limit(1))).one_or_none() is not None:
                return True
            for look in looks:
                await seen.record(
                    connection, self._database, schedule, look.cluster, found=look.found, gone=look.gone, at=look.at
                )
                await self._figures(connection, schedule, look)
            for digest in digests:
                await self._add(connection, digest, minute, is_told=digest.channel in told)
                await self._totals(connection, digest, minute)
            await connection.execute(old.values(digest=None))
            return True

        return await self._database.write(work)

    async def keep(self, digest: Digest) -> None:
        """One on demand: nobody claimed a slot for it, and nothing else is remembered, nor that the channel heard."""
        old = update(DIGESTS).where(DIGESTS.c.minute == DIGESTS.c.id, DIGESTS.c.at < digest.at - _SHOWN_ANEW)

        async def work(connection: AsyncConnection) -> None:
            await self._add(connection, digest, digest.id, is_told=False)
            await connection.execute(old.values(digest=None))

        await self._database.write(work)

    async def recorded(self, schedule: str, minute: str) -> tuple[Kept, ...]:
        """What the slot is to tell, () if nobody has recorded that."""
        query = select(DIGESTS).where(DIGESTS.c.schedule == schedule, DIGESTS.c.minute == minute)

        async def work(connection: AsyncConnection) -> tuple[Kept, ...]:
            rows = (await connection.execute(query.order_by(DIGESTS.c.channel))).all()
            return tuple([await _kept(connection, row) for row in rows])

        return await self._database.read(work)

    async def get(self, id_: str) -> Kept | None:
        query = select(DIGESTS).where(DIGESTS.c.id == id_)

        async def work(connection: AsyncConnection) -> Kept | None:
            row = (await connection.execute(query)).one_or_none()
            return await _kept(connection, row) if row else None

        return await self._database.read(work)

    async def trying(self, id_: str, page: int) -> int:
        """Says that the page is about to be posted; how often that was said, with this time.

        More than once: an earlier one may have posted it and died before it said so. Look for it first.
        """
        insert = self._database.insert(PAGES).values(digest=id_, page=page, ts="", tries=1)
        said = insert.on_conflict_do_update(index_elements=["digest", "page"], set_={"tries": PAGES.c.tries + 1})

        async def work(connection: AsyncConnection) -> int:
            return int((await connection.execute(said.returning(PAGES.c.tries))).scalar_one())

        return await self._database.write(work)

    async def posted(self, id_: str, page: int, ts: str) -> bool:
        """Says where the page stands; False if another message does in its place: delete this one."""
        insert = self._database.insert(PAGES).values(digest=id_, page=page, ts=ts, tries=1)
        said = insert.on_conflict_do_update(
            index_elements=["digest", "page"], set_={"ts": insert.excluded.ts}, where=PAGES.c.ts.in_(["", ts])
        ).returning(PAGES.c.ts)

        async def work(connection: AsyncConnection) -> bool:
            return (await connection.execute(said)).one_or_none() is not None

        return await self._database.write(work)

    async def history(self, schedule: str, channel: str, *, limit: int) -> Mapping[str, tuple[TrendPoint, ...]]:
        """The last totals that the channel was told, by cluster, oldest first."""
        rank = func.row_number().over(partition_by=TOTALS.c.cluster, order_by=TOTALS.c.at.desc()).label("rank")
        mine = select(TOTALS, rank).where(TOTALS.c.schedule == schedule, TOTALS.c.channel == channel).subquery()
        query = select(mine).where(mine.c.rank <= limit).order_by(mine.c.at)

        async def work(connection: AsyncConnection) -> Mapping[str, tuple[TrendPoint, ...]]:
            points: dict[str, list[TrendPoint]] = {}
            for row in await connection.execute(query):
                point = TrendPoint(at=row.at, totals=row.totals, complete=row.complete)
                points.setdefault(row.cluster, []).append(point)
            return {cluster: tuple(found) for cluster, found in points.items()}

        return await self._database.read(work)

    async def last_told(self, schedule: str) -> Mapping[str, datetime]:
        """When each channel last heard of the schedule."""
        told = select(DIGESTS.c.channel, func.max(DIGESTS.c.at).label("at"))
        told = told.where(DIGESTS.c.schedule == schedule, DIGESTS.c.is_told).group_by(DIGESTS.c.channel)

        async def work(connection: AsyncConnection) -> Mapping[str, datetime]:
            return {row.channel: row.at for row in await connection.execute(told)}

        return await self._database.read(work)

    async def looked_at(self, schedule: str) -> Mapping[str, datetime]:
        """When each cluster was last looked at: what was seen then is what there is to compare with."""
        query = select(CENSUSES.c.cluster, CENSUSES.c.at).where(CENSUSES.c.schedule == schedule)

        async def work(connection: AsyncConnection) -> Mapping[str, datetime]:
            return {row.cluster: row.at for row in await connection.execute(query)}

        return await self._database.read(work)

    async def figures(self, schedules: Sequence[str]) -> tuple[Figures, ...]:
        """The last censuses, as the metrics say them."""
        query = select(CENSUSES).where(CENSUSES.c.schedule.in_(list(schedules)))
        query = query.order_by(CENSUSES.c.schedule, CENSUSES.c.cluster)

        async def work(connection: AsyncConnection) -> tuple[Figures, ...]:
            names = Figures.__struct_fields__
            rows = await connection.execute(query)
            return tuple(Figures(**{name: getattr(row, name) for name in names}) for row in rows)

        return await self._database.read(work)

    async def _figures(self, connection: AsyncConnection, schedule: str, look: Look) -> None:
        insert = self._database.insert(CENSUSES).values(
            schedule=schedule, cluster=look.cluster, at=look.at, complete=look.complete, tallies=look.tallies
        )
        said = insert.excluded
        newest = {"at": said.at, "complete": said.complete, "tallies": said.tallies}
        await connection.execute(insert.on_conflict_do_update(index_elements=["schedule", "cluster"], set_=newest))

    async def _add(self, connection: AsyncConnection, digest: Digest, minute: str, *, is_told: bool) -> None:
        await connection.execute(
            self._database.insert(DIGESTS).values(
                id=digest.id,
                schedule=digest.schedule,
                minute=minute,
                channel=digest.channel,
                at=digest.at,
                is_told=is_told,
                digest=digest,
            )
        )

    async def _totals(self, connection: AsyncConnection, digest: Digest, minute: str) -> None:
        rows = list(_points(digest, minute))
        if rows:
            await connection.execute(self._database.insert(TOTALS).values(rows))


def _points(digest: Digest, minute: str) -> Iterator[dict[str, object]]:
    for cluster in digest.clusters:
        if cluster.trend:
            point = cluster.trend[-1]
            yield {
                "schedule": digest.schedule,
                "channel": digest.channel,
                "cluster": cluster.cluster,
                "minute": minute,
                "at": point.at,
                "totals": point.totals,
                "complete": point.complete,
            }


async def _kept(connection: AsyncConnection, row: Row[Any]) -> Kept:
    posted = select(PAGES).where(PAGES.c.digest == row.id, PAGES.c.ts != "").order_by(PAGES.c.page)
    pages = {page.page: page.ts for page in await connection.execute(posted)}
    return Kept(id=row.id, channel=row.channel, is_told=row.is_told, digest=row.digest, pages=pages)
