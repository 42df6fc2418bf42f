"""An API server that keeps its callers waiting until it is told otherwise."""

import asyncio

from aiohttp import web

from tests.unit.kube.fake_api import Answer, FakeApi


class Gate:
    """`shut` holds back every answer of the API server that was set so far."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self.waiting = asyncio.Event()

    def shut(self, api: FakeApi) -> None:
        for path, answers in list(api.answers.items()):
            api.on(path, *map(self._held, answers))

    def open(self) -> None:
        self._open.set()

    def _held(self, answer: Answer) -> Answer:
        async def held(request: web.Request) -> web.StreamResponse:
            self.waiting.set()
            await self._open.wait()
            return await answer(request)

        return held
