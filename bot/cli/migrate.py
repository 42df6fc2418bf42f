"""`migrate`: the database's tables, brought up to this version."""

import asyncio
import sys
from pathlib import Path

from bot.cli.configuration import WRONG, loaded
from bot.store import SchemaState, migrate
from bot.visible import visible

_DONE = 0


def run(config: Path | None) -> int:
    """Raises StoreUnavailableError, and StoreSchemaError where the tables are newer than this version."""
    settings = loaded(config)
    if settings is None:
        return WRONG
    password = settings.credentials.revealed_password()
    before, revision = asyncio.run(migrate(settings.database.url, password=password))
    did = {
        SchemaState.CURRENT: "They were up to date already.",
        SchemaState.EMPTY: "They were made.",
        SchemaState.BEHIND: "They were brought up to date.",
    }[before]
    sys.stdout.write(visible(f"The tables in {settings.database.url} are at revision {revision}. {did}\n"))
    return _DONE
