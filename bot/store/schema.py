"""Whether the database has the tables of this version, and how it gets them."""

from enum import StrEnum
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text

from bot.errors import StoreSchemaError
from bot.store.engine import Database
from bot.store.failures import not_migrated

_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 7_364_921  # any number that nobody else's advisory lock in this database has


class SchemaState(StrEnum):
    EMPTY = "empty"
    BEHIND = "behind"
    CURRENT = "current"
    AHEAD = "ahead"


async def schema_state(database: Database) -> SchemaState:
    """How the database's tables stand to this version. Raises StoreUnavailableError."""
    return await database.read(lambda connection: connection.run_sync(_state))


async def migrate(url: str, *, password: str = "") -> tuple[SchemaState, str]:
    """Brings the tables up to this version: what they were before, and the revision they have now.

    Two at once are safe: one waits for the other. Raises StoreUnavailableError, and StoreSchemaError where the
    tables are newer.
    """
    database = Database(url, password, patient=True)
    try:
        return await database.write(lambda connection: connection.run_sync(_migrated, database.place))
    finally:
        await database.close()


def upgrade(connection: Connection, to: str = "head") -> None:
    command.upgrade(_config(connection), to)


def downgrade(connection: Connection, to: str) -> None:
    command.downgrade(_config(connection), to)


def refusal(state: SchemaState, place: str) -> StoreSchemaError:
    """Why the bot does not start on such tables."""
    if state is not SchemaState.AHEAD:
        return not_migrated(place)
    return StoreSchemaError(
        f"The tables of the database {place} were made by a newer version of token-doctor than this one.",
        next_step="Install the newer version again; this one could damage what the newer one stored.",
    )


def _migrated(connection: Connection, place: str) -> tuple[SchemaState, str]:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
    before = _state(connection)
    if before is SchemaState.AHEAD:
        raise refusal(before, place)
    upgrade(connection)
    if connection.dialect.name == "sqlite" and connection.execute(text("PRAGMA foreign_key_check")).first():
        raise RuntimeError("The migration broke a foreign key.")
    return before, MigrationContext.configure(connection).get_current_revision() or ""


def _state(connection: Connection) -> SchemaState:
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is None:
        return SchemaState.EMPTY
    script = ScriptDirectory.from_config(_config(connection))
    if revision == script.get_current_head():
        return SchemaState.CURRENT
    try:
        script.get_revision(revision)
    except CommandError:  # a revision that this version has never heard of
        return SchemaState.AHEAD
    return SchemaState.BEHIND


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
