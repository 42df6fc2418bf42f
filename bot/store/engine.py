"""The connections: every statement goes through `Database.read` or `Database.write`, a transaction each."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite
import structlog
from sqlalchemy import URL, Connection, Engine, Table, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry

from bot.errors import StoreUnavailableError
from bot.store.failures import FAILURES, is_lost, is_passing, told

log = structlog.get_logger(__name__)

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[T]]

_BUSY_SECONDS = 5
_STATEMENT_SECONDS = 10
_CONNECT_SECONDS = 5
_PAUSES = (0.1, 0.4, 1.0)
"""Seconds between the tries of a transaction that the server's restart or a deadlock broke off."""


class Database:
    """One database: SQLite, with a single writing connection, or PostgreSQL.

    `work` is called with a connection inside a transaction, and again in a new one where that broke off before it
    was committed: it may do nothing but read and write this database. Raises StoreUnavailableError.
    """

    def __init__(self, url: str, password: str = "", *, patient: bool = False) -> None:
        """`patient` is for migrations: statements may take long, and foreign keys are checked at the end only."""
        address = make_url(url)
        self._url = address.set(password=password) if password else address
        self.is_sqlite = address.get_backend_name() == "sqlite"
        self.place = address.database or "" if self.is_sqlite else _place(address)
        self._patient = patient
        if self.is_sqlite:
            _make_folder(self.place)
        self._writing = self._engine(writes=True)
        self._reading = self._engine(writes=False) if self.is_sqlite else self._writing
        self._underway: set[asyncio.Future[Any]] = set()

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that knows ON CONFLICT, which each database has, but SQL has not."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    async def read(self, work: Work[T]) -> T:
        async def once() -> T:
            async with self._reading.connect() as connection:
                return await work(connection)

        return await self._finished(self._tried(once))

    async def write(self, work: Work[T]) -> T:
        return await self._finished(self._tried(lambda: self._written(work)))

    async def close(self) -> None:
        """Lets what is under way end, and closes all connections."""
        if self._underway:
            await asyncio.wait(self._underway)
        await self._writing.dispose()
        await self._reading.dispose()

    async def _finished(self, work: Coroutine[Any, Any, T]) -> T:
        """To its end even where the caller is cancelled: a connection left in the middle serves nobody again."""
        task = asyncio.ensure_future(work)
        self._underway.add(task)
        task.add_done_callback(self._underway.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(_told_of)
            raise

    async def _tried(self, once: Callable[[], Awaitable[T]]) -> T:
        for pause in _PAUSES:
            try:
                return await once()
            except FAILURES as error:
                if not is_passing(error):
                    raise told(error, self.place) from error
            await asyncio.sleep(pause)
        try:
            return await once()
        except FAILURES as error:
            raise told(error, self.place) from error

    async def _written(self, work: Work[T]) -> T:
        number = ""
        async with self._writing.connect() as connection:
            transaction = await connection.begin()
            if not self.is_sqlite:
                number = str(await connection.scalar(text("SELECT CAST(pg_current_xact_id() AS text)")))
            result = await work(connection)
            try:
                await transaction.commit()
            except FAILURES as error:
                if self.is_sqlite or not is_lost(error):
                    raise
                lost = error
            else:
                return result
        if await self._was_committed(number):
            return result
        raise lost

    async def _was_committed(self, number: str) -> bool:
        """What became of a transaction whose COMMIT got no answer. Raises StoreUnavailableError if nobody can say."""
        status = text("SELECT pg_xact_status(CAST(CAST(:number AS text) AS xid8))").bindparams(number=number)
        unanswered: Exception | None = None
        for pause in (0.0, *_PAUSES):
            await asyncio.sleep(pause)
            try:
                async with self._writing.connect() as connection:
                    found = await connection.scalar(status)
            except FAILURES as error:
                unanswered = error
                continue
            if found in {"committed", "aborted"}:
                return bool(found == "committed")
        raise StoreUnavailableError(
            f"The database {self.place} was lost while it stored a change; whether it did will show later.",
            next_step="Look at the present state before you repeat it.",
        ) from unanswered

    def _engine(self, *, writes: bool) -> AsyncEngine:
        if self.is_sqlite:
            engine = _sqlite_engine(self._url, writes=writes)
            _prepare(engine.sync_engine, writes=writes, foreign_keys=not self._patient)
            return engine
        return _postgresql_engine(self._url, patient=self._patient)


def _told_of(abandoned: asyncio.Future[Any]) -> None:
    """Nobody waits any more for how it ended."""
    if not abandoned.cancelled() and (error := abandoned.exception()):
        log.warning("a transaction failed that nobody waited for any more", error=str(error))


def _place(url: URL) -> str:
    """Such as db.internal:5432/token-doctor."""
    port = f":{url.port}" if url.port else ""
    return f"{url.host}{port}/{url.database}"


def _make_folder(file: str) -> None:
    try:
        # The reasons that people gave stand in the file: a folder made here is for the bot's user only.
        Path(file).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailableError(
            f"The folder of the database {file} cannot be made: {error.strerror}.",
            next_step="Check database.url in the configuration.",
        ) from error


def _sqlite_engine(url: URL, *, writes: bool) -> AsyncEngine:
    return create_async_engine(
        url,
        async_creator=partial(_opened, url.database or ""),
        poolclass=AsyncAdaptedQueuePool,
        pool_size=1 if writes else 4,
        max_overflow=0,
        pool_timeout=2 * _BUSY_SECONDS,
        hide_parameters=True,
    )


async def _opened(file: str) -> aiosqlite.Connection:
    """One that cannot be opened ends with its thread, which else tells a loop that may be closed by then."""
    connection = aiosqlite.connect(file, timeout=_BUSY_SECONDS, check_same_thread=False)
    thread = connection._thread  # noqa: SLF001  # it has no public name; SQLAlchemy's own connect reaches for it, too
    thread.daemon = True
    try:
        return await connection
    except sqlite3.Error:
        await asyncio.to_thread(thread.join)
        raise


def _prepare(engine: Engine, *, writes: bool, foreign_keys: bool) -> None:
    @event.listens_for(engine, "connect")
    def connected(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # the driver begins no transaction of its own
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA journal_mode = WAL" if writes else "PRAGMA query_only = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        # A transaction that first reads and then writes can find the database locked in the middle; this one cannot.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _postgresql_engine(url: URL, *, patient: bool) -> AsyncEngine:
    settings = {"application_name": "token-doctor", "synchronous_commit": "on"}
    if not patient:
        settings |= {
            "statement_timeout": str(_STATEMENT_SECONDS * 1000),
            "lock_timeout": str(_BUSY_SECONDS * 1000),
            "idle_in_transaction_session_timeout": str(_STATEMENT_SECONDS * 1000),
        }
    return create_async_engine(
        url,
        pool_pre_ping=True,
        pool_size=5,
        max_overflow=5,
        pool_timeout=_STATEMENT_SECONDS,
        isolation_level="READ COMMITTED",
        connect_args={
            "timeout": _CONNECT_SECONDS,
            # A server that vanished without a word answers nothing: the statement's own limit does not help there.
            "command_timeout": None if patient else _STATEMENT_SECONDS + _CONNECT_SECONDS,
            "server_settings": settings,
        },
        hide_parameters=True,
    )
