"""The page over HTTP: its files, its live state, and the door for what people do."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from demo.slack import people
from demo.slack.acts import Acts
from demo.slack.changes import Changes
from demo.slack.errors import JsonObject, SlackError
from demo.slack.page.doing import DOINGS, Doing
from demo.slack.page.live import Live
from demo.slack.page.panel import Panel
from demo.slack.page.reading import Reading
from demo.slack.page.sight import Entries, sight
from demo.slack.workspace import Workspace

STATIC = Path(__file__).with_name("static")
PEOPLE = (people.ENGINEER, people.APPROVER, people.OUTSIDER)
HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: https:; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
HOSTS = frozenset({"127.0.0.1", "localhost"})


@dataclass(slots=True)
class PageRoutes:
    """`acts` is asked for once the server's address is known; `panel` is the cluster beside the workspace, if any."""

    workspace: Workspace
    acts: Callable[[], Acts]
    changes: Changes
    panel: Panel | None
    people: tuple[str, ...] = PEOPLE
    _reading: Reading = field(init=False)
    _open: set[web.WebSocketResponse] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._reading = Reading(self.workspace)

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get("/", self.index),
            web.get("/page/live", self.live),
            web.post("/page/do/{what}", self.do),
            web.get("/page/{file:.+}", self.file),
        ]

    async def close(self) -> None:
        for socket in self._open.copy():
            await socket.close(code=1001)

    async def index(self, request: web.Request) -> web.StreamResponse:
        _guard(request)
        return web.FileResponse(STATIC / "index.html", headers=HEADERS)

    async def file(self, request: web.Request) -> web.StreamResponse:
        path = (STATIC / request.match_info["file"]).resolve()
        if not path.is_relative_to(STATIC.resolve()) or not path.is_file():
            raise web.HTTPNotFound
        return web.FileResponse(path, headers=HEADERS)

    async def live(self, request: web.Request) -> web.StreamResponse:
        """A websocket: first everything that the person sees, then what changes."""
        _guard(request)
        user = self._person(request)
        socket = web.WebSocketResponse(timeout=0.5, heartbeat=20.0)
        await socket.prepare(request)
        self._open.add(socket)
        try:
            await Live(socket, self.changes, lambda: self._sight(user)).run()
        finally:
            self._open.discard(socket)
        return socket

    def _sight(self, user: str) -> Entries:
        connected = self.acts().wire.is_connected
        entries = sight(self.workspace, self._reading, user, self.people, connected=connected)
        if self.panel is not None:
            entries["cluster"] = self.panel.state()
        return entries

    async def do(self, request: web.Request) -> web.Response:
        """What a person may not do is an answer, not an HTTP error: `{"ok": false, "error": …}`."""
        _guard(request)
        doing = DOINGS.get(request.match_info["what"])
        if doing is None:
            raise web.HTTPNotFound
        asked = Doing(self.acts(), self._reading, self.panel, self._person(request), await _body(request))
        try:
            answer: JsonObject = {"ok": True, **await doing(asked)}
        except SlackError as error:
            answer = error.body()
        except LookupError as error:
            answer = {"ok": False, "error": str(error.args[0]) if error.args else "not_found"}
        await self.changes.notify()
        return web.json_response(answer)

    def _person(self, request: web.Request) -> str:
        user = request.query.get("as", "")
        if user not in self.people:
            raise web.HTTPForbidden(text="The page is for the people of the demo only.")
        return user


async def _body(request: web.Request) -> JsonObject:
    """JSON only: another site's form cannot send that."""
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType
    try:
        body = await request.json()
    except json.JSONDecodeError as error:
        raise web.HTTPBadRequest(text="This is not JSON.") from error
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="This is not a JSON object.")
    return body


def _guard(request: web.Request) -> None:
    """Refuses other sites, and names that were pointed at this machine."""
    origin = request.headers.get("Origin")
    if urlsplit(f"//{request.host}").hostname not in HOSTS or (origin and urlsplit(origin).netloc != request.host):
        raise web.HTTPForbidden(text="Open this page at the address that the demo printed.")
