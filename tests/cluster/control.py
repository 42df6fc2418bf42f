"""The supervisor's door for tests: programs stopped and started again, pods' tokens minted at their start."""

import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from aiohttp import web

from tests.cluster.api import JsonObject
from tests.cluster.commands import Component, Flags
from tests.cluster.components import Components, EndedError
from tests.cluster.kubelet.server import Kubelet

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Control:
    """The handlers."""

    components: Components
    kubelet: Kubelet

    async def component(self, request: web.Request) -> web.Response:
        """`POST /components/{component}/{verb}`; `start` takes changed flags as JSON and answers with the line."""
        name = next((each for each in self.components.commands if each == request.match_info["component"]), None)
        if name is None:
            raise web.HTTPNotFound
        match request.match_info["verb"]:
            case "start":
                return await self._start(name, await request.json())
            case "stop":
                await self.components.stop(name)
            case "pause":
                self.components.programs[name].pause()
            case "resume":
                self.components.programs[name].resume()
            case _:
                raise web.HTTPNotFound
        return web.json_response({})

    async def mounts(self, request: web.Request) -> web.Response:
        """`POST /mounts/{namespace}/{pod}`: what a kubelet does at a pod's start; ours are started by kwok."""
        await self.kubelet.mount(request.match_info["namespace"], request.match_info["pod"])
        return web.json_response({})

    async def _start(self, name: Component, changes: Flags) -> web.Response:
        try:
            command = await self.components.start(name, changes)
        except EndedError as error:
            raise web.HTTPInternalServerError(text=str(error)) from error
        return web.json_response({"line": command.line()})


@dataclass(frozen=True)
class ControlClient:
    """The other side of the door."""

    session: aiohttp.ClientSession
    url: str
    token: str

    async def post(self, path: str, body: JsonObject) -> JsonObject:
        """Raises RuntimeError with what the supervisor said."""
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self.session.post(f"{self.url}{path}", json=body, headers=headers) as response:
            if not response.ok:
                raise RuntimeError(f"POST {path}: {response.status} {await response.text()}")
            answer: JsonObject = await response.json()
            return answer


@asynccontextmanager
async def control_endpoint(control: Control, token: str) -> AsyncIterator[str]:
    """Its URL on 127.0.0.1; whoever asks must show the token."""

    @web.middleware
    async def authorised(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not hmac.compare_digest(request.headers.get("Authorization", ""), f"Bearer {token}"):
            raise web.HTTPUnauthorized
        return await handler(request)

    app = web.Application(middlewares=[authorised])
    app.router.add_post("/components/{component}/{verb}", control.component)
    app.router.add_post("/mounts/{namespace}/{pod}", control.mounts)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()
