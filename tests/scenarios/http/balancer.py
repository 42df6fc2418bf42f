"""One address before several replicas: each request goes to the next one in turn."""

import asyncio
import itertools
from collections.abc import Sequence
from types import TracebackType
from typing import Self

_CHUNK = 65_536


class Balancer:
    """Passes connections on, a request each; `turns` says which replica had which, as their ports."""

    def __init__(self, port: int, replicas: Sequence[int]) -> None:
        self.turns: list[int] = []
        self._port = port
        self._next = itertools.cycle(replicas)
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._pass_on, "127.0.0.1", self._port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = next(self._next)
        self.turns.append(port)
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
        forth = asyncio.create_task(_copy(reader, there_writer))
        await _copy(there_reader, writer)
        forth.cancel()
        await asyncio.gather(forth, return_exceptions=True)
        for each in (writer, there_writer):
            each.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_CHUNK):
        writer.write(data)
        await writer.drain()
    writer.write_eof()
