"""The Slack messages that show a request: where each stands, which version it shows, who is bringing it up to date."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, case, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Noun
from bot.store.engine import Database
from bot.store.tables import MESSAGES, REQUESTS

_LONGEST_PAUSE_SECONDS = 300


class Message(Noun, frozen=True, kw_only=True):
    """One message. `ts` is "" until it is posted, and `shown` 0.

    `claim` counts the claims. Where `ts` is "" and `claim` more than 1, an earlier claim may have posted it and
    died before it said so: look for it in the channel first.
    """

    id: int
    request: str
    purpose: str
    channel: str
    thread_ts: str
    ts: str
    shown: int
    claim: int
    failures: int
    error: str
    given_up: bool


class Messages:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def want(self, request: str, purpose: str, channel: str, thread_ts: str = "") -> None:
        """The request shall be shown there. To want the same again changes nothing."""
        row = self._database.insert(MESSAGES).values(
            request=request,
            purpose=purpose,
            channel=channel,
            thread_ts=thread_ts,
            ts="",
            shown=0,
            claim=0,
            claimed_by="",
            failures=0,
            error="",
            given_up=False,
        )

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(row.on_conflict_do_nothing())

        await self._database.write(work)

    async def of(self, request: str) -> tuple[Message, ...]:
        query = select(MESSAGES).where(MESSAGES.c.request == request).order_by(MESSAGES.c.id)

        async def work(connection: AsyncConnection) -> tuple[Message, ...]:
            return _messages(await connection.execute(query))

        return await self._database.read(work)

    async def behind(self, at: datetime, worker: str, lease_seconds: float, *, limit: int = 20) -> tuple[Message, ...]:
        """Messages that show less than the store says: this worker's to bring up to date, until the lease ends.

        The lease must be longer than Slack may take: a call that is still on its way then could undo a later one.
        """
        due = (
            select(MESSAGES.c.id)
            .join(REQUESTS, MESSAGES.c.request == REQUESTS.c.id)
            .where(
                MESSAGES.c.shown < REQUESTS.c.version,
                ~MESSAGES.c.given_up,
                or_(MESSAGES.c.claimed_until.is_(None), MESSAGES.c.claimed_until <= at),
                or_(MESSAGES.c.not_before.is_(None), MESSAGES.c.not_before <= at),
            )
            .order_by(MESSAGES.c.id)
            .limit(limit)
            .with_for_update(of=MESSAGES, skip_locked=True)
        )
        until = at + timedelta(seconds=lease_seconds)

        async def work(connection: AsyncConnection) -> tuple[Message, ...]:
            ids = list(await connection.scalars(due))
            if not ids:
                return ()
            claimed = update(MESSAGES).where(MESSAGES.c.id.in_(ids))
            claimed = claimed.values(claimed_by=worker, claimed_until=until, claim=MESSAGES.c.claim + 1)
            return _messages(await connection.execute(claimed.returning(MESSAGES)))

        return await self._database.write(work)

    async def shown(self, message: Message, *, ts: str, version: int) -> bool:
        """Says that the message at `ts` shows that version; False if another message stands in its place: delete it.

        It holds even where the claim was lost meanwhile: if it is an older version, the message is behind again.
        """
        mine = MESSAGES.c.claim == message.claim
        said = (
            update(MESSAGES)
            .where(MESSAGES.c.id == message.id)
            .values(
                ts=case((MESSAGES.c.ts == "", ts), else_=MESSAGES.c.ts),
                shown=case((MESSAGES.c.ts.in_(["", ts]), version), else_=MESSAGES.c.shown),
                claimed_until=case((mine, None), else_=MESSAGES.c.claimed_until),
                failures=0,
                not_before=None,
                error="",
            )
        )

        async def work(connection: AsyncConnection) -> bool:
            return bool(await connection.scalar(said.returning(MESSAGES.c.ts)) == ts)

        return await self._database.write(work)

    async def failed(
        self, message: Message, *, at: datetime, why: str, retry_after: float = 0, for_good: bool = False
    ) -> None:
        """Gives the claim back; it is due again after a pause that doubles up to five minutes, or never."""
        pause = max(retry_after, min(2**message.failures, _LONGEST_PAUSE_SECONDS))
        gone = and_(MESSAGES.c.id == message.id, MESSAGES.c.claim == message.claim)
        back = (
            update(MESSAGES)
            .where(gone)
            .values(
                claimed_until=None,
                failures=message.failures + 1,
                not_before=at + timedelta(seconds=pause),
                error=why,
                given_up=for_good,
            )
        )

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(back)

        await self._database.write(work)


def _messages(rows: Iterable[Row[Any]]) -> tuple[Message, ...]:
    found = (Message(**{name: getattr(row, name) for name in Message.__struct_fields__}) for row in rows)
    return tuple(sorted(found, key=lambda message: message.id))
