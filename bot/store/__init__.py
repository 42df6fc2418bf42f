"""The one door to the database: SQLite, or PostgreSQL for more than one replica."""

from datetime import datetime
from pathlib import Path

from bot.errors import StoreUnavailableError
from bot.store import old
from bot.store.attempt import Standing as DatabaseStanding
from bot.store.attempt import attempt
from bot.store.digests import Digests, Figures, Kept, Look
from bot.store.engine import Database
from bot.store.messages import Message, Messages
from bot.store.once import Once
from bot.store.requests import Requests
from bot.store.schema import SchemaState, migrate, refusal, schema_state
from bot.store.seen import Seen
from bot.store.slots import LeftSlot, Slots, SlotState, Standing
from bot.store.votes import Counted

__all__ = [
    "Counted",
    "DatabaseStanding",
    "Digests",
    "Figures",
    "Kept",
    "LeftSlot",
    "Look",
    "Message",
    "Messages",
    "Requests",
    "SchemaState",
    "Seen",
    "SlotState",
    "Slots",
    "Standing",
    "Store",
    "attempt",
    "migrate",
    "open_store",
    "refusal",
]


class Store:
    """Everything that is remembered. Every method may raise StoreUnavailableError, and then has changed nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.place = database.place
        self.requests = Requests(database)
        self.messages = Messages(database)
        self.once = Once(database)
        self.slots = Slots(database)
        self.seen = Seen(database)
        self.digests = Digests(database)

    async def schema_state(self) -> SchemaState:
        return await schema_state(self._database)

    async def forget(self, before: datetime) -> int:
        """How many requests were removed, with their trail, that had ended before then; and all else as old."""
        return await old.forget(self._database, before)

    async def close(self) -> None:
        await self._database.close()


async def open_store(url: str, *, password: str = "", makes: bool = True) -> Store:
    """The store at `sqlite+aiosqlite:///FILE` or `postgresql+asyncpg://USER@HOST/DATABASE`.

    SQLite's tables are brought up to this version here; PostgreSQL's by `token-doctor migrate` only, because other
    replicas may still run the old version. Who does not make it only looks into one that is there: the bot of another
    version may be using it. Raises StoreUnavailableError and StoreSchemaError.
    """
    if not makes:
        _must_be_there(url)
    database = Database(url, password)
    try:
        await _checked(database, url, makes=makes)
    except BaseException:
        await database.close()
        raise
    return Store(database)


def _must_be_there(url: str) -> None:
    file = url.removeprefix("sqlite+aiosqlite:///")
    if file != url and not Path(file).exists():
        raise StoreUnavailableError(
            f"There is no database {file}: the bot makes it when it starts with a policy or digests.",
            next_step="Check database.url in the configuration that --config names, and the folder you are in.",
        )


async def _checked(database: Database, url: str, *, makes: bool) -> None:
    state = await schema_state(database)
    if makes and database.is_sqlite and state in {SchemaState.EMPTY, SchemaState.BEHIND}:
        await migrate(url)
    elif state is not SchemaState.CURRENT:
        raise refusal(state, database.place)
