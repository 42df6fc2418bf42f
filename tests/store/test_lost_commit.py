"""The connection breaks just as a change is committed: it is done once, or told that nobody knows."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot.errors import StoreUnavailableError
from bot.model import State
from bot.store import Store, open_store
from tests.store.conftest import Address
from tests.store.samples import NOW, after, approved, request, vote
from tests.store.server import PASSWORD, Server


class Wire:
    """Between the bot and PostgreSQL. `breaks` says what becomes of the next COMMIT.

    "" nothing; "before" the server never sees it; "after" it takes effect, and the answer is lost; "for good" the
    same, and nobody gets through again.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._closed = False
        self.breaks = ""
        self.broken = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._closed:
            there, to_there = await asyncio.open_connection("127.0.0.1", self._port)
            back = asyncio.create_task(self._pump(there, writer))
            await self._forward(reader, there, to_there, back)
            back.cancel()
            await asyncio.gather(back, return_exceptions=True)
            to_there.close()
        writer.close()

    async def _forward(
        self,
        reader: asyncio.StreamReader,
        there: asyncio.StreamReader,
        to_there: asyncio.StreamWriter,
        back: "asyncio.Task[None]",
    ) -> None:
        while data := await reader.read(65536):
            if self.breaks and b"COMMIT;" in data:
                breaks, self.breaks = self.breaks, ""
                self.broken += 1
                self._closed = breaks == "for good"
                if breaks != "before":
                    back.cancel()
                    await asyncio.gather(back, return_exceptions=True)
                    to_there.write(data)
                    assert await there.read(65536)  # it took effect
                return
            to_there.write(data)
            await to_there.drain()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()  # the server has closed its side


@asynccontextmanager
async def over(wire: Wire, address: Address, server: Server) -> AsyncIterator[Store]:
    listener = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    store = await open_store(server.url(address.url.rpartition("/")[2], port=port), password=PASSWORD)
    yield store
    await store.close()
    listener.close()
    await listener.wait_closed()


@pytest.mark.parametrize("breaks", ["before", "after"])
async def test_every_change_is_done_once_whatever_became_of_the_answer(
    breaks: str, on_postgresql: Address, server: Server
) -> None:
    wire = Wire(server.port)
    async with over(wire, on_postgresql, server) as store:
        wire.breaks = breaks
        asked, is_new = await store.requests.create(request("r1", needed=2), NOW)
        assert is_new
        await store.requests.vote(vote("r1"), at=after(1))
        decided = await approved(store, "r2")
        wire.breaks = breaks
        claimed = await store.requests.claim("worker", after(2), 30)
        assert claimed is not None
        assert (claimed.id, claimed.fence, claimed.version) == ("r2", 1, decided.version + 1)
        wire.breaks = breaks
        ended = await store.requests.advance(
            "r2", State.RUNNING, State.SUCCEEDED, who="worker", why="", at=after(3), fence=1
        )
        assert ended is not None
        assert wire.broken == 3
        assert [entry.became for entry in await store.requests.trail(request="r2")] == [
            State.PENDING,
            State.APPROVED,
            State.RUNNING,
            State.SUCCEEDED,
        ]
        assert len(await store.requests.trail(request=asked.id)) == 2


async def test_where_nobody_can_say_it_is_told(on_postgresql: Address, server: Server) -> None:
    wire = Wire(server.port)
    async with over(wire, on_postgresql, server) as store:
        wire.breaks = "for good"
        with pytest.raises(StoreUnavailableError, match="whether it did will show later"):
            await store.requests.create(request("r1"), NOW)
    seen = await open_store(on_postgresql.url, password=PASSWORD)
    assert await seen.requests.get("r1") is not None
    await seen.close()
