"""The bot's database, for the commands that look into it while the bot runs."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from bot.cli.configuration import WRONG, loaded
from bot.store import Store, open_store


def with_store(config: Path | None, work: Callable[[Store], Awaitable[int]]) -> int:
    """The work's exit code. Raises StoreUnavailableError and StoreSchemaError."""
    settings = loaded(config)
    if settings is None:
        return WRONG
    url, password = settings.database.url, settings.credentials.revealed_password()

    async def opened() -> int:
        store = await open_store(url, password=password, makes=False)
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(opened())
