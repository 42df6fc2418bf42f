"""What ended long ago is forgotten: requests with all that belongs to them, slots, what digests have seen and told."""

from datetime import datetime

from sqlalchemy import delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import State
from bot.store.engine import Database
from bot.store.slots import SlotState
from bot.store.tables import CENSUSES, DIGESTS, HEARD, MESSAGES, PAGES, REQUESTS, SEEN, SLOTS, TOTALS, TRAIL, VOTES

_AT_ONCE = 200
_FINAL = [state.value for state in State if state.is_final]


async def forget(database: Database, before: datetime) -> int:
    """How many requests were removed that ended before then: a few at a time, so that nobody waits long."""
    total = 0
    while removed := await database.write(lambda connection: _requests(connection, before)):
        total += removed
    await database.write(lambda connection: _others(connection, before))
    return total


async def _requests(connection: AsyncConnection, before: datetime) -> int:
    old = select(REQUESTS.c.id).where(REQUESTS.c.state.in_(_FINAL), REQUESTS.c.changed_at < before)
    ids = list(await connection.scalars(old.order_by(REQUESTS.c.id).limit(_AT_ONCE).with_for_update(skip_locked=True)))
    for table in (MESSAGES, VOTES, TRAIL):
        await connection.execute(delete(table).where(table.c.request.in_(ids)))
    await connection.execute(delete(REQUESTS).where(REQUESTS.c.id.in_(ids)))
    return len(ids)


async def _others(connection: AsyncConnection, before: datetime) -> None:
    """The newest slot of a schedule stays, to go on from, and so does the last that a channel was told."""
    slot, told = SLOTS.alias(), DIGESTS.alias()
    over = SLOTS.c.state != SlotState.RUNNING.value
    newest = select(func.max(slot.c.due_at)).where(slot.c.schedule == SLOTS.c.schedule).scalar_subquery()
    await connection.execute(delete(SLOTS).where(over, SLOTS.c.changed_at < before, SLOTS.c.due_at < newest))
    later = select(told.c.id).where(
        told.c.schedule == DIGESTS.c.schedule,
        told.c.channel == DIGESTS.c.channel,
        told.c.at > DIGESTS.c.at,
        told.c.is_told,
    )
    ended = or_(~DIGESTS.c.is_told, later.exists())
    digests = list(await connection.scalars(select(DIGESTS.c.id).where(DIGESTS.c.at < before, ended)))
    for start in range(0, len(digests), _AT_ONCE):
        ids = digests[start : start + _AT_ONCE]
        await connection.execute(delete(PAGES).where(PAGES.c.digest.in_(ids)))
        await connection.execute(delete(DIGESTS).where(DIGESTS.c.id.in_(ids)))
    await connection.execute(delete(TOTALS).where(TOTALS.c.at < before))
    await connection.execute(delete(HEARD).where(HEARD.c.at < before))
    await _seen(connection, before)


async def _seen(connection: AsyncConnection, before: datetime) -> None:
    """What is gone, and what no census has seen for long though it was looked: its namespace is not asked for now."""
    here = (CENSUSES.c.schedule == SEEN.c.schedule, CENSUSES.c.cluster == SEEN.c.cluster)
    looked = select(CENSUSES.c.at).where(*here).scalar_subquery()
    unseen = (SEEN.c.last_seen < before) & (SEEN.c.last_seen < looked)
    await connection.execute(delete(SEEN).where((SEEN.c.resolved_at < before) | unseen))
