"""The database, tried for real and left as it was: preflight's look at it."""

import asyncio
import tempfile
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import StoreUnavailableError
from bot.model import Noun
from bot.store.engine import Database
from bot.store.schema import SchemaState, schema_state
from bot.store.tables import METADATA

_SQLITE = "sqlite+aiosqlite:///"
_RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE")


class Standing(Noun, frozen=True, kw_only=True):
    """`place` names the database. `state` is None where it is still to be made, which the bot does when it starts."""

    place: str
    is_sqlite: bool
    state: SchemaState | None


async def attempt(url: str, *, password: str = "") -> Standing:
    """Connects, looks at the tables and at the right to write. Raises StoreUnavailableError."""
    if url.startswith(_SQLITE):
        file = Path(url.removeprefix(_SQLITE))
        if not await asyncio.to_thread(_is_there, file):
            return Standing(place=str(file), is_sqlite=True, state=None)
    database = Database(url, password)
    try:
        state = await schema_state(database)
        if state is SchemaState.CURRENT:
            await _try_writing(database)
        return Standing(place=database.place, is_sqlite=database.is_sqlite, state=state)
    finally:
        await database.close()


def _is_there(file: Path) -> bool:
    """Whether the file is there already. Raises StoreUnavailableError where SQLite could not write beside it."""
    place = file.absolute().parent
    try:
        while not place.exists():  # the bot makes what is missing
            place = place.parent
        with tempfile.TemporaryFile(dir=place):
            return file.exists()
    except OSError as error:
        raise StoreUnavailableError(
            f"The folder {place} of the database {file} may not be written: {error.strerror or 'no reason given'}.",
            next_step="Give the bot's user the right to write there, or mount a volume; or change database.url.",
        ) from error


class _UndoneError(Exception):
    """Ends a transaction that is not to be kept."""


async def _try_writing(database: Database) -> None:
    """A transaction as the bot's own, rolled back. Raises StoreUnavailableError."""

    async def tried(connection: AsyncConnection) -> None:
        if database.is_sqlite:  # beginning is not enough: it begins on a read-only file, too
            await connection.execute(text("UPDATE alembic_version SET version_num = version_num"))
        else:
            await _check_rights(connection, database.place)
        raise _UndoneError

    try:
        await database.write(tried)
    except _UndoneError:
        return


async def _check_rights(connection: AsyncConnection, place: str) -> None:
    for table in METADATA.sorted_tables:
        for right in _RIGHTS:
            question = text("SELECT has_table_privilege(:table, :right)").bindparams(table=table.name, right=right)
            if not await connection.scalar(question):
                raise StoreUnavailableError(
                    f"The database {place} does not permit the bot's user to {right} in the table {table.name}.",
                    next_step="Grant the user all rights on the database's tables.",
                )
