"""Votes: counted, and the decision they make, in one transaction."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Person, Request, State, Vote
from bot.store.engine import Database
from bot.store.rows import changed, locked
from bot.store.tables import REQUESTS, VOTES


class Counted(NamedTuple):
    """The request as it stands now, None if there is none; whether the vote counted, and if not, why not."""

    request: Request | None
    counted: bool
    why: str = ""


async def count(connection: AsyncConnection, database: Database, vote: Vote, at: datetime) -> Counted:
    """Counts the vote, and decides: one denial denies, enough approvals approve.

    A person's first word counts. They may still turn an approval into a denial before the decision, never the
    other way round: a denial decides at once.
    """
    request = await locked(connection, vote.request)
    if request is None:
        return Counted(None, counted=False, why="There is no such request.")
    if request.state is not State.PENDING:
        return Counted(request, counted=False, why=f"It is no longer pending: it is {request.state}.")
    if request.expires_at <= at:
        return Counted(request, counted=False, why="It has expired.")
    if not await _cast(connection, database, vote):
        return Counted(request, counted=False, why="You have approved it already.")
    approvals = await _approvals(connection, vote.request)
    became = State.DENIED
    why = f"denied: {vote.reason}"
    if vote.approves:
        became = State.APPROVED if approvals >= request.approvals_needed else State.PENDING
        why = f"approved ({approvals} of {request.approvals_needed}): {vote.reason}"
    guarded = update(REQUESTS).where(REQUESTS.c.id == request.id, REQUESTS.c.state == State.PENDING.value)
    (decided,) = await changed(
        connection,
        guarded.values(state=became.value),
        was=State.PENDING,
        who=vote.approver.id,
        why=why.removesuffix(": "),
        at=at,
    )
    return Counted(decided, counted=True)


async def cast_on(connection: AsyncConnection, request: str) -> tuple[Vote, ...]:
    query = select(VOTES).where(VOTES.c.request == request).order_by(VOTES.c.at, VOTES.c.approver_id)
    return tuple(
        Vote(
            request=row.request,
            approver=Person(id=row.approver_id, name=row.approver_name),
            approves=row.approves,
            at=row.at,
            reason=row.reason,
        )
        for row in await connection.execute(query)
    )


async def _cast(connection: AsyncConnection, database: Database, vote: Vote) -> bool:
    """Whether it is the person's first word, or a denial after their approval."""
    insert = database.insert(VOTES).values(
        request=vote.request,
        approver_id=vote.approver.id,
        approver_name=vote.approver.name,
        approves=vote.approves,
        at=vote.at,
        reason=vote.reason,
    )
    said = insert.excluded
    counted = insert.on_conflict_do_update(
        index_elements=["request", "approver_id"],
        set_={"approves": said.approves, "at": said.at, "reason": said.reason, "approver_name": said.approver_name},
        where=VOTES.c.approves & ~said.approves,
    ).returning(VOTES.c.request)
    return (await connection.execute(counted)).one_or_none() is not None


async def _approvals(connection: AsyncConnection, request: str) -> int:
    query = select(func.count()).select_from(VOTES).where(VOTES.c.request == request, VOTES.c.approves)
    return await connection.scalar(query) or 0
