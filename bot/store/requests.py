"""The requests: each change is one guarded UPDATE, with its version and its line of the trail, in one transaction."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, case, func, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import TRANSITIONS, Request, State, Target, TrailEntry, Vote
from bot.store.engine import Database
from bot.store.rows import changed, note, request_of, row_of, same
from bot.store.tables import IS_OPEN, REQUESTS, TRAIL
from bot.store.votes import Counted, cast_on, count

_EXPIRY = "expiry"  # the bot's own part, as the trail names it
_ELSEWHERE = {State.APPROVED: "vote", State.RUNNING: "claim", State.EXPIRED: "expire"}
_TRIES = 3


class Requests:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, request: Request, at: datetime) -> tuple[Request, bool]:
        """The stored request, and whether it is this one: an open one that does the same is joined instead."""
        if request.state is not State.PENDING or request.version != 1 or request.approvals_needed < 1:
            raise ValueError("A request begins pending, at version 1, and needs an approval.")

        async def work(connection: AsyncConnection) -> tuple[Request, bool]:
            mine = REQUESTS.c.id == request.id
            alike = and_(REQUESTS.c.key == same(request.plan), IS_OPEN)
            await _expire(connection, at, alike)
            add = self._database.insert(REQUESTS).values(row_of(request)).on_conflict_do_nothing().returning(REQUESTS)
            for _ in range(_TRIES):  # the one that was in the way may end before it is read
                row = (await connection.execute(add)).one_or_none()
                if row:
                    entry = TrailEntry(
                        request=request.id,
                        at=at,
                        who=request.requester.id,
                        was=None,
                        became=State.PENDING,
                        why=request.reason,
                    )
                    await note(connection, entry)
                    return request_of(row), True
                found = await connection.execute(select(REQUESTS).where(or_(mine, alike)).order_by(mine.desc()))
                other = found.first()
                if other:
                    return request_of(other), other.id == request.id
            raise RuntimeError("A request was neither stored nor found.")

        return await self._database.write(work)

    async def get(self, id_: str) -> Request | None:
        async def work(connection: AsyncConnection) -> Request | None:
            row = (await connection.execute(select(REQUESTS).where(REQUESTS.c.id == id_))).one_or_none()
            return request_of(row) if row else None

        return await self._database.read(work)

    async def list_(
        self, *, states: Collection[State] = (), requester: str = "", target: Target | None = None, limit: int = 100
    ) -> tuple[Request, ...]:
        """The newest first. `requester` is a person's id; what is empty does not narrow."""
        query = select(REQUESTS).where(*_at(target))
        if states:
            query = query.where(REQUESTS.c.state.in_([state.value for state in states]))
        if requester:
            query = query.where(REQUESTS.c.requester_id == requester)
        query = query.order_by(REQUESTS.c.created_at.desc(), REQUESTS.c.id).limit(limit)

        async def work(connection: AsyncConnection) -> tuple[Request, ...]:
            return tuple(map(request_of, await connection.execute(query)))

        return await self._database.read(work)

    async def advance(
        self,
        id_: str,
        was: State,
        became: State,
        *,
        who: str,
        why: str,
        at: datetime,
        fence: int | None = None,
        outcome: str = "",
    ) -> Request | None:
        """The request in its new state, None if it is no longer in the old one or was claimed by another since.

        Out of `running` only with the claim's `fence`. Raises ValueError for a change that is no transition, or one
        that has a way of its own: `vote`, `claim`, `expire`.
        """
        if became not in TRANSITIONS[was]:
            raise ValueError(f"A request never goes from {was} to {became}.")
        if became in _ELSEWHERE:
            raise ValueError(f"A request becomes {became} through {_ELSEWHERE[became]} only.")
        if (was is State.RUNNING) != (fence is not None):
            raise ValueError("A running request, and no other, is advanced with the fence of its claim.")
        guarded = update(REQUESTS).where(REQUESTS.c.id == id_, REQUESTS.c.state == was.value)
        if fence is not None:
            guarded = guarded.where(REQUESTS.c.fence == fence)
        guarded = guarded.values(state=became.value, outcome=outcome, lease_until=None)

        async def work(connection: AsyncConnection) -> Request | None:
            return next(iter(await changed(connection, guarded, was=was, who=who, why=why, at=at)), None)

        return await self._database.write(work)

    async def vote(self, vote: Vote, *, at: datetime) -> Counted:
        """Counts a vote, while the request is pending and has not expired; see `bot.store.votes.count`."""
        return await self._database.write(lambda connection: count(connection, self._database, vote, at))

    async def votes(self, id_: str) -> tuple[Vote, ...]:
        """The votes that count, oldest first."""
        return await self._database.read(lambda connection: cast_on(connection, id_))

    async def claim(self, worker: str, at: datetime, lease_seconds: float) -> Request | None:
        """The request that has waited longest, running and this worker's from now on; None if there is nothing to do.

        One that was approved and has not expired, or one whose worker let its lease lapse.
        """
        approved = and_(REQUESTS.c.state == State.APPROVED.value, REQUESTS.c.expires_at > at)
        lapsed = and_(REQUESTS.c.state == State.RUNNING.value, REQUESTS.c.lease_until <= at)
        waiting = select(REQUESTS).where(or_(approved, lapsed)).order_by(REQUESTS.c.changed_at, REQUESTS.c.id)
        first = waiting.limit(1).with_for_update(skip_locked=True)

        async def work(connection: AsyncConnection) -> Request | None:
            row = (await connection.execute(first)).one_or_none()
            if row is None:
                return None
            found = request_of(row)
            guarded = update(REQUESTS).where(
                REQUESTS.c.id == found.id, REQUESTS.c.state == found.state.value, REQUESTS.c.fence == found.fence
            )
            guarded = guarded.values(
                state=State.RUNNING.value,
                worker=worker,
                lease_until=at + timedelta(seconds=lease_seconds),
                fence=REQUESTS.c.fence + 1,
            )
            why = _why_claimed(found)
            claimed = await changed(connection, guarded, was=found.state, who=worker, why=why, at=at)
            return next(iter(claimed), None)

        return await self._database.write(work)

    async def beat(self, id_: str, fence: int, until: datetime, step: str) -> bool:
        """Keeps a running request; False if it was claimed by another, or ended. A new step makes a new version."""
        return await self._kept(id_, fence, until, step)

    async def applied(self, id_: str, fence: int, until: datetime, step: str, *, at: datetime) -> bool:
        """Notes that a running request has taken effect, and keeps it; False as above."""
        first = func.coalesce(REQUESTS.c.applied_at, literal(at, REQUESTS.c.applied_at.type))
        return await self._kept(id_, fence, until, step, applied_at=first)

    async def look_again(self, id_: str, fence: int, until: datetime, step: str, *, outcome: str) -> bool:
        """Lays a running request that has taken effect aside: any worker's from `until` on; False as above.

        `outcome` is what can be said of the effect already.
        """
        return await self._kept(id_, fence, until, step, looks=REQUESTS.c.looks + 1, worker="", outcome=outcome)

    async def _kept(self, id_: str, fence: int, until: datetime, step: str, **also: object) -> bool:
        guarded = update(REQUESTS).where(
            REQUESTS.c.id == id_, REQUESTS.c.state == State.RUNNING.value, REQUESTS.c.fence == fence
        )
        version = case((REQUESTS.c.step != step, REQUESTS.c.version + 1), else_=REQUESTS.c.version)
        guarded = guarded.values(lease_until=until, step=step, version=version, **also)

        async def work(connection: AsyncConnection) -> bool:
            return (await connection.execute(guarded)).rowcount == 1

        return await self._database.write(work)

    async def expire(self, at: datetime) -> tuple[Request, ...]:
        """Ends those that nobody decided on, or carried out, in time."""
        return await self._database.write(lambda connection: _expire(connection, at))

    async def trail(
        self, *, request: str = "", since: datetime | None = None, target: Target | None = None, limit: int = 1000
    ) -> tuple[TrailEntry, ...]:
        """The newest entries of the audit, oldest first. `request` is an id; what is empty does not narrow."""
        query = select(TRAIL)
        if target:
            query = query.where(TRAIL.c.request.in_(select(REQUESTS.c.id).where(*_at(target))))
        if request:
            query = query.where(TRAIL.c.request == request)
        if since:
            query = query.where(TRAIL.c.at >= since)
        query = query.order_by(TRAIL.c.id.desc()).limit(limit)

        async def work(connection: AsyncConnection) -> tuple[TrailEntry, ...]:
            rows = (await connection.execute(query)).all()
            return tuple(
                TrailEntry(
                    request=row.request,
                    at=row.at,
                    who=row.who,
                    was=State(row.was) if row.was else None,
                    became=State(row.became),
                    why=row.why,
                )
                for row in reversed(rows)
            )

        return await self._database.read(work)


async def _expire(connection: AsyncConnection, at: datetime, *which: ColumnElement[bool]) -> tuple[Request, ...]:
    expired: list[Request] = []
    for was, why in ((State.PENDING, "nobody decided in time"), (State.APPROVED, "nobody carried it out in time")):
        due = select(REQUESTS.c.id).where(REQUESTS.c.state == was.value, REQUESTS.c.expires_at <= at, *which)
        # In one order: two replicas that expire the same requests never wait for each other in a circle.
        free = due.order_by(REQUESTS.c.id).with_for_update(skip_locked=True)
        guarded = update(REQUESTS).where(REQUESTS.c.id.in_(free), REQUESTS.c.state == was.value)
        guarded = guarded.values(state=State.EXPIRED.value)
        expired += await changed(connection, guarded, was=was, who=_EXPIRY, why=why, at=at)
    return tuple(expired)


def _why_claimed(found: Request) -> str:
    if found.state is not State.RUNNING:
        return ""
    return f"taken over from {found.worker}" if found.worker else "looked at again"


def _at(target: Target | None) -> Iterator[ColumnElement[bool]]:
    """What is empty in the target does not narrow."""
    if target is None:
        return
    named = {"cluster": target.cluster, "namespace": target.namespace, "kind": target.kind.lower(), "name": target.name}
    for column, value in named.items():
        if value:
            yield REQUESTS.c[column] == value
