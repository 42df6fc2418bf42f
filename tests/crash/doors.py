"""Slack and the API server as the bot meets them here: busy, broken, cut off, slow, or done and never answered."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import web
from yarl import URL

from demo.slack.errors import JsonObject
from demo.slack.faults import Fault, Faults
from tests.cluster.layout import write_kubeconfig
from tests.cluster.plane import Plane
from tests.crash.dice import Dice

API_ODDS = {"busy": 0.012, "broken": 0.012, "cut": 0.012, "lost": 0.012, "slow": 0.012, "late": 0.012}
"""A write meets them five times as often."""
SLACK_ODDS = {"busy": 0.015, "broken": 0.015, "cut": 0.015, "lost": 0.015, "slow": 0.015, "unwell": 0.015}
_WRITE_WEIGHT = 5.0
_HANDSHAKE_WEIGHT = 0.1  # the SDK takes five seconds to try again
_SLOWEST_SECONDS = 1.5
_EFFECTS = {"POST", "PUT", "PATCH", "DELETE"}
_ASKING = ("reviews", "/token")
_PASSED_ON = ("Accept", "Authorization", "Content-Type")
_STATUS = {
    429: {"reason": "TooManyRequests", "message": "The server is busy: try again later."},
    500: {"reason": "InternalError", "message": "Internal error occurred: etcdserver: leader changed"},
}


def is_effect(request: web.Request, body: bytes) -> bool:
    """Whether the request would change something: no question, no dry run."""
    if request.method not in _EFFECTS or request.path.endswith(_ASKING) or "dryRun" in request.query:
        return False
    asked = json.loads(body) if body else {}
    return not (asked.get("deleteOptions") or asked).get("dryRun")


@dataclass
class Trap:
    """`set` is "before" or "after": whose write comes first dies, before it arrives or when it has taken effect."""

    set: str = ""

    def sprung(self) -> str:
        when, self.set = self.set, ""
        return when


@dataclass
class ApiDoor:
    """A proxy for one replica, on plain HTTP. `trap` as in `Trap`: the next write is `kill`'s moment."""

    session: aiohttp.ClientSession
    server: str
    dice: Dice
    kill: Callable[[], None]
    trap: Trap
    _late: set[asyncio.Task[web.Response]] = field(default_factory=set)

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        effect = is_effect(request, body)
        if effect and (when := self.trap.sprung()):
            return await self._last(request, body, when)
        kind = f"{request.method} {'effect' if effect else 'other'}"
        fault = self.dice.throw(kind, _WRITE_WEIGHT if effect else 1.0)
        seconds = self.dice.seconds(kind, _SLOWEST_SECONDS)
        match fault:
            case "busy":
                return _status(429)
            case "broken":
                return _status(500)
            case "cut":
                return _cut(request)
            case "lost":
                await self._forward(request, body)
                return _cut(request)
            case "slow":
                await asyncio.sleep(seconds)
            case "late":
                self._later(request, body, seconds)
                return _cut(request)
        return await self._forward(request, body)

    async def settled(self) -> None:
        """Returns when everything that was late has arrived."""
        await asyncio.gather(*self._late, return_exceptions=True)

    async def _last(self, request: web.Request, body: bytes, when: str) -> web.Response:
        """The replica dies before the API server hears of it, or when it has taken effect."""
        if when == "after":
            await self._forward(request, body)
        self.kill()
        return _cut(request)

    def _later(self, request: web.Request, body: bytes, seconds: float) -> None:
        """It arrives when nobody waits for the answer any more."""

        async def arrives() -> web.Response:
            await asyncio.sleep(seconds)
            return await self._forward(request, body)

        task = asyncio.create_task(arrives())
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def _forward(self, request: web.Request, body: bytes) -> web.Response:
        headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        url = URL(self.server + request.raw_path, encoded=True)
        async with self.session.request(request.method, url, headers=headers, data=body or None) as response:
            return web.Response(status=response.status, body=await response.read(), content_type=response.content_type)


@asynccontextmanager
async def api_door(
    plane: Plane, folder: Path, dice: Dice, trap: Trap, kill: Callable[[], None]
) -> AsyncIterator[tuple[ApiDoor, Path]]:
    """The door, and the kubeconfig that leads through it."""
    door = ApiDoor(plane.api.session, plane.api.url, dice, kill, trap)
    application = web.Application(client_max_size=2**24)
    application.router.add_route("*", "/{path:.*}", door.handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    kubeconfig = folder / f"kubeconfig-{dice.name}"
    address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    write_kubeconfig(kubeconfig, address, plane.layout.authority.certificate, {"token": plane.ready.admin_token})
    try:
        yield door, kubeconfig
        await door.settled()
    finally:
        await runner.cleanup()


class SlackDoor(Faults):
    """Faults of the stand-in. `armed` is such as "after chat.postMessage": the next such call is `kill`'s moment."""

    def __init__(self, dice: Dice, kill: Callable[[], None]) -> None:
        super().__init__()
        self.dice = dice
        self.armed = ""
        self._kill = kill

    def take(self, method: str, arguments: JsonObject) -> Fault | None:
        when, _, call = self.armed.partition(" ")
        if call == method:
            self.armed = ""
            self._kill()
            return Fault(method, drop="before" if when == "before" else "after")
        match self.dice.throw(method, _HANDSHAKE_WEIGHT if method == "handshake" else 1.0):
            case "busy":
                return Fault(method, retry_after=1)
            case "broken":
                return Fault(method, status=503)
            case "cut":
                return Fault(method, drop="before")
            case "lost":
                return Fault(method, drop="after")
            case "slow":
                return Fault(method, delay=self.dice.seconds(method, _SLOWEST_SECONDS))
            case "unwell":
                return Fault(method, error="internal_error")
        return None


def _status(code: int) -> web.Response:
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, **_STATUS[code]}
    return web.json_response(body, status=code, headers={"Retry-After": "1"} if code == 429 else None)


def _cut(request: web.Request) -> web.Response:
    if isinstance(request.transport, asyncio.Transport):
        request.transport.abort()
    return web.Response()
