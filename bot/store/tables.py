"""The tables. The migrations make them; a test holds the two together."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

from bot.model import Digest, Plan, State, Tally
from bot.redact import redact, redact_each

OPEN = (State.PENDING, State.APPROVED, State.RUNNING)
METADATA = MetaData()


class Instant(TypeDecorator[datetime]):
    """An aware time in UTC: PostgreSQL's own type; in SQLite a text of fixed width, which sorts as time does."""

    impl = DateTime(timezone=True).with_variant(Text(), "sqlite")
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | str | None:
        if value is None:
            return None
        if value.utcoffset() is None:
            raise ValueError("A time without its zone cannot be stored.")
        utc = value.astimezone(UTC)
        return utc.isoformat(" ", "microseconds") if dialect.name == "sqlite" else utc

    def process_result_value(self, value: object, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # the signature is SQLAlchemy's
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
        return value.astimezone(UTC) if isinstance(value, datetime) else None


class Words(TypeDecorator[str]):
    """Text that people or clusters wrote: no token gets past this column, nor what a database cannot hold."""

    impl = Text()
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002  # the same
        return None if value is None else _clean(value)


class Json(TypeDecorator[Any]):
    """A noun or several, each of its texts cleaned as `Words` are."""

    impl = Text()
    cache_ok = True

    def __init__(self, kind: Any) -> None:  # noqa: ANN401  # a type, as msgspec takes it
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: object, dialect: Dialect) -> str | None:  # noqa: ARG002  # the same
        if value is None:
            return None
        return msgspec.json.encode(redact_each(msgspec.to_builtins(value), keys=True, text=_clean)).decode()

    def process_result_value(self, value: object, dialect: Dialect) -> object:  # noqa: ARG002  # the same
        return msgspec.json.decode(value, type=self.kind) if isinstance(value, str) else None


def _clean(text: str) -> str:
    """PostgreSQL refuses the character NUL, and neither database takes half of a surrogate pair."""
    return redact(text.replace("\0", "\ufffd").encode("utf-8", "replace").decode())


REQUESTS = Table(
    "requests",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("key", Text, nullable=False),  # what makes two requests the same
    Column("plan", Json(Plan), nullable=False),
    Column("cluster", Text, nullable=False),  # these four are the plan's target once more, to look it up by
    Column("namespace", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("requester_id", Text, nullable=False),
    Column("requester_name", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("channel", Text, nullable=False),
    Column("thread_ts", Text, nullable=False),
    Column("approval_channel", Text, nullable=False),
    Column("approvals_needed", Integer, nullable=False),
    Column("rule", Words, nullable=False),
    Column("cause", Words, nullable=False),
    Column("evidence", Words, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("worker", Text, nullable=False),
    Column("lease_until", Instant),
    Column("fence", Integer, nullable=False),
    Column("step", Words, nullable=False),
    Column("applied_at", Instant),
    Column("looks", Integer, nullable=False),
    Column("outcome", Words, nullable=False),
)
IS_OPEN = REQUESTS.c.state.in_([state.value for state in OPEN])
Index("requests_open_key", REQUESTS.c.key, unique=True, sqlite_where=IS_OPEN, postgresql_where=IS_OPEN)
Index("requests_state", REQUESTS.c.state)
Index("requests_created_at", REQUESTS.c.created_at)

VOTES = Table(
    "votes",
    METADATA,
    Column("request", Text, ForeignKey("requests.id"), nullable=False),
    Column("approver_id", Text, nullable=False),
    Column("approver_name", Words, nullable=False),
    Column("approves", Boolean, nullable=False),
    Column("at", Instant, nullable=False),
    Column("reason", Words, nullable=False),
    PrimaryKeyConstraint("request", "approver_id"),
)

TRAIL = Table(
    "trail",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("request", Text, ForeignKey("requests.id"), nullable=False, index=True),
    Column("at", Instant, nullable=False, index=True),
    Column("who", Text, nullable=False),
    Column("was", Text),
    Column("became", Text, nullable=False),
    Column("why", Words, nullable=False),
)

MESSAGES = Table(
    "messages",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("request", Text, ForeignKey("requests.id"), nullable=False),
    Column("purpose", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("thread_ts", Text, nullable=False),
    Column("ts", Text, nullable=False),  # "" until it is posted
    Column("shown", Integer, nullable=False),  # the request's version that it shows
    Column("claim", Integer, nullable=False),  # grows with each claim
    Column("claimed_by", Text, nullable=False),
    Column("claimed_until", Instant),
    Column("failures", Integer, nullable=False),  # since the last success
    Column("not_before", Instant),
    Column("error", Words, nullable=False),
    Column("given_up", Boolean, nullable=False),
    UniqueConstraint("request", "purpose", "channel", "thread_ts", name="messages_place"),
)

HEARD = Table(
    "heard",
    METADATA,
    Column("id", Text, primary_key=True),  # Slack's own: of an event, or of a command's or a click's trigger
    Column("at", Instant, nullable=False),
)

SCHEDULES = Table(
    "schedules",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("begun_at", Instant, nullable=False),  # no slot is due that is older
    Column("succeeded_at", Instant),
    Column("failed_at", Instant),
    Column("failures", Integer, nullable=False),
    Column("failure", Words, nullable=False),
)

SLOTS = Table(
    "slots",
    METADATA,
    Column("schedule", Text, nullable=False),
    Column("minute", Text, nullable=False),  # local wall time, 2026-03-29T09:00[Europe/Berlin]
    Column("due_at", Instant, nullable=False),
    Column("state", Text, nullable=False),
    Column("worker", Text, nullable=False),
    Column("lease_until", Instant),
    Column("changed_at", Instant, nullable=False),
    PrimaryKeyConstraint("schedule", "minute"),
)

SEEN = Table(
    "seen",
    METADATA,
    Column("schedule", Text, nullable=False),
    Column("cluster", Text, nullable=False),
    Column("key", Words, nullable=False),
    Column("first_seen", Instant, nullable=False),
    Column("last_seen", Instant, nullable=False),
    Column("resolved_at", Instant),
    Column("snoozed_until", Instant),
    Column("snoozed_by_id", Text, nullable=False),
    Column("snoozed_by_name", Words, nullable=False),
    Column("snooze_reason", Words, nullable=False),
    Column("acknowledged", Boolean, nullable=False),
    PrimaryKeyConstraint("schedule", "cluster", "key"),
)

DIGESTS = Table(
    "digests",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("schedule", Text, nullable=False),
    Column("minute", Text, nullable=False),  # the slot; on demand as the id, for the same is never asked twice
    Column("channel", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("is_told", Boolean, nullable=False),  # False: there was nothing to tell
    Column("digest", Json(Digest)),  # until it is too old to be shown anew
    UniqueConstraint("schedule", "minute", "channel", name="digests_slot"),
)

PAGES = Table(
    "pages",
    METADATA,
    Column("digest", Text, ForeignKey("digests.id"), nullable=False),
    Column("page", Integer, nullable=False),
    Column("ts", Text, nullable=False),  # "" until it is posted
    Column("tries", Integer, nullable=False),
    PrimaryKeyConstraint("digest", "page"),
)

TOTALS = Table(
    "totals",
    METADATA,
    Column("schedule", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("cluster", Text, nullable=False),
    Column("minute", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("totals", Json(Tally), nullable=False),
    Column("complete", Boolean, nullable=False),
    PrimaryKeyConstraint("schedule", "channel", "cluster", "minute"),
)

CENSUSES = Table(
    "censuses",
    METADATA,
    Column("schedule", Text, nullable=False),
    Column("cluster", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("complete", Boolean, nullable=False),
    Column("tallies", Json(Mapping[str, Tally]), nullable=False),  # by namespace; of the smaller ones together
    PrimaryKeyConstraint("schedule", "cluster"),
)
