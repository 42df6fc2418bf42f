"""What ended long ago is forgotten: requests with all that belongs to them, slots, and what digests have seen."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import State
from bot.store.engine import Database
from bot.store.slots import SlotState
from bot.store.tables import MESSAGES, REQUESTS, SEEN, SLOTS, TRAIL, VOTES

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
    ended = SLOTS.c.state != SlotState.RUNNING.value
    await connection.execute(delete(SLOTS).where(ended, SLOTS.c.changed_at < before))
    await connection.execute(delete(SEEN).where(SEEN.c.resolved_at < before))
