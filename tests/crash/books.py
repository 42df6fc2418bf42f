"""The database beside the bots: read whole, and a request's time moved on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import StoreUnavailableError
from bot.model import Request, TrailEntry, Vote
from bot.store import Store, migrate, open_store
from bot.store.engine import Database
from bot.store.tables import MESSAGES, REQUESTS

T = TypeVar("T")

_EVERYTHING = 100_000
_LOOK_SECONDS = 0.15


class Address(NamedTuple):
    url: str
    password: str = ""


@dataclass
class Books:
    """`requests` are as they stood a moment ago, the newest first."""

    store: Store
    database: Database
    requests: tuple[Request, ...] = ()
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def of(self, name: str) -> Request | None:
        """The newest request about the object of this name (for a pod: of this Deployment)."""
        return next((one for one in self.requests if self.name_of(one) == name), None)

    def name_of(self, request: Request) -> str:
        """The story's."""
        _, _, controller = request.plan.parameters.get("controller", "").partition("/")
        return controller.rpartition("-")[0] or request.plan.ref.name

    def by_id(self, request_id: str) -> Request:
        return next(one for one in self.requests if one.id == request_id)

    async def until(self, holds: Callable[[], T], seconds: float) -> T:
        """The first true value of `holds`, judged after each look; its last one after this time."""
        try:
            async with asyncio.timeout(seconds), self._changed:
                return await self._changed.wait_for(holds)
        except TimeoutError:
            return holds()

    async def read(self) -> None:
        """Looks at the requests again and again."""
        while True:
            try:
                found = await self.store.requests.list_(limit=_EVERYTHING)
            except StoreUnavailableError:  # PostgreSQL takes so many connections only
                continue
            async with self._changed:
                self.requests = found
                self._changed.notify_all()
            await asyncio.sleep(_LOOK_SECONDS)

    async def messages(self) -> list[Row[Any]]:
        async def work(connection: AsyncConnection) -> list[Row[Any]]:
            return list(await connection.execute(select(MESSAGES).order_by(MESSAGES.c.id)))

        return await self.database.read(work)

    async def trail(self) -> tuple[TrailEntry, ...]:
        return await self.store.requests.trail(limit=_EVERYTHING)

    async def votes(self, request: str) -> tuple[Vote, ...]:
        return await self.store.requests.votes(request)

    async def run_out(self, request: str) -> None:
        """Its time is up now."""

        async def work(connection: AsyncConnection) -> None:
            now = datetime.now(UTC)
            await connection.execute(update(REQUESTS).where(REQUESTS.c.id == request).values(expires_at=now))

        await self.database.write(work)


@asynccontextmanager
async def opened(address: Address) -> AsyncIterator[Books]:
    """Makes the tables where there are none."""
    await migrate(address.url, password=address.password)
    store = await open_store(address.url, password=address.password)
    books = Books(store, Database(address.url, address.password))
    reading = asyncio.create_task(books.read())
    try:
        yield books
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await books.database.close()
        await store.close()
