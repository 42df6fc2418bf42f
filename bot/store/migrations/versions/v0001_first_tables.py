"""The first tables: requests with votes, trail and messages; what was heard; slots; what digests have seen and told."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None

INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _instant(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, INSTANT, nullable=nullable)


def upgrade() -> None:
    _requests()
    _votes_and_trail()
    _messages()
    op.create_table("heard", sa.Column("id", sa.Text(), primary_key=True), _instant("at"))
    _schedules()
    _seen()
    _digests()


def downgrade() -> None:
    digests = ("censuses", "totals", "pages", "digests", "seen", "slots", "schedules", "heard")
    for table in (*digests, "messages", "trail", "votes", "requests"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION trail_is_append_only()")


def _requests() -> None:
    op.create_table(
        "requests",
        sa.Column("id", sa.Text(), primary_key=True),
        _number("version"),
        *(_text(name) for name in ("state", "key", "plan", "cluster", "namespace", "kind", "name")),
        *(_text(name) for name in ("requester_id", "requester_name", "reason")),
        *(_text(name) for name in ("channel", "thread_ts", "approval_channel")),
        _number("approvals_needed"),
        _text("rule"),
        _text("cause"),
        _text("evidence"),
        _instant("created_at"),
        _instant("changed_at"),
        _instant("expires_at"),
        _text("worker"),
        _instant("lease_until", nullable=True),
        _number("fence"),
        _text("step"),
        _instant("applied_at", nullable=True),
        _number("looks"),
        _text("outcome"),
    )
    is_open = sa.text("state IN ('pending', 'approved', 'running')")
    op.create_index(
        "requests_open_key", "requests", ["key"], unique=True, sqlite_where=is_open, postgresql_where=is_open
    )
    op.create_index("requests_state", "requests", ["state"])
    op.create_index("requests_created_at", "requests", ["created_at"])


def _votes_and_trail() -> None:
    op.create_table(
        "votes",
        sa.Column("request", sa.Text(), sa.ForeignKey("requests.id"), nullable=False),
        _text("approver_id"),
        _text("approver_name"),
        sa.Column("approves", sa.Boolean(), nullable=False),
        _instant("at"),
        _text("reason"),
        sa.PrimaryKeyConstraint("request", "approver_id"),
    )
    op.create_table(
        "trail",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("request", sa.Text(), sa.ForeignKey("requests.id"), nullable=False),
        _instant("at"),
        _text("who"),
        sa.Column("was", sa.Text(), nullable=True),
        _text("became"),
        _text("why"),
    )
    op.create_index("ix_trail_request", "trail", ["request"])
    op.create_index("ix_trail_at", "trail", ["at"])
    # What was written into an audit stays as it was written, whoever asks.
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION trail_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'the trail is append-only'; END $$"
        )
        op.execute(
            "CREATE TRIGGER trail_is_append_only BEFORE UPDATE ON trail "
            "FOR EACH STATEMENT EXECUTE FUNCTION trail_is_append_only()"
        )
    else:
        op.execute(
            "CREATE TRIGGER trail_is_append_only BEFORE UPDATE ON trail "
            "BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END"
        )


def _messages() -> None:
    op.create_table(
        "messages",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("request", sa.Text(), sa.ForeignKey("requests.id"), nullable=False),
        *(_text(name) for name in ("purpose", "channel", "thread_ts", "ts")),
        _number("shown"),
        _number("claim"),
        _text("claimed_by"),
        _instant("claimed_until", nullable=True),
        _number("failures"),
        _instant("not_before", nullable=True),
        _text("error"),
        sa.Column("given_up", sa.Boolean(), nullable=False),
        sa.UniqueConstraint("request", "purpose", "channel", "thread_ts", name="messages_place"),
    )


def _schedules() -> None:
    op.create_table(
        "schedules",
        sa.Column("name", sa.Text(), primary_key=True),
        _instant("begun_at"),
        _instant("succeeded_at", nullable=True),
        _instant("failed_at", nullable=True),
        _number("failures"),
        _text("failure"),
    )
    op.create_table(
        "slots",
        *(_text(name) for name in ("schedule", "minute")),
        _instant("due_at"),
        *(_text(name) for name in ("state", "worker")),
        _instant("lease_until", nullable=True),
        _instant("changed_at"),
        sa.PrimaryKeyConstraint("schedule", "minute"),
    )


def _seen() -> None:
    op.create_table(
        "seen",
        *(_text(name) for name in ("schedule", "cluster", "key")),
        _instant("first_seen"),
        _instant("last_seen"),
        _instant("resolved_at", nullable=True),
        _instant("snoozed_until", nullable=True),
        *(_text(name) for name in ("snoozed_by_id", "snoozed_by_name", "snooze_reason")),
        sa.Column("acknowledged", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("schedule", "cluster", "key"),
    )


def _digests() -> None:
    op.create_table(
        "digests",
        sa.Column("id", sa.Text(), primary_key=True),
        *(_text(name) for name in ("schedule", "minute", "channel")),
        _instant("at"),
        sa.Column("is_told", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=True),
        sa.UniqueConstraint("schedule", "minute", "channel", name="digests_slot"),
    )
    op.create_table(
        "pages",
        sa.Column("digest", sa.Text(), sa.ForeignKey("digests.id"), nullable=False),
        _number("page"),
        _text("ts"),
        _number("tries"),
        sa.PrimaryKeyConstraint("digest", "page"),
    )
    op.create_table(
        "totals",
        *(_text(name) for name in ("schedule", "channel", "cluster", "minute")),
        _instant("at"),
        _text("totals"),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("schedule", "channel", "cluster", "minute"),
    )
    op.create_table(
        "censuses",
        *(_text(name) for name in ("schedule", "cluster")),
        _instant("at"),
        sa.Column("complete", sa.Boolean(), nullable=False),
        _text("tallies"),
        sa.PrimaryKeyConstraint("schedule", "cluster"),
    )
