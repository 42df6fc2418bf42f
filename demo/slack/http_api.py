"""The HTTP side: /api/<method>, response_urls and the websocket handshake."""

import asyncio
import json
from dataclasses import dataclass

from aiohttp import web

from demo.slack.arguments import parse_arguments
from demo.slack.changes import Changes
from demo.slack.errors import JsonObject, RateLimitedError, SlackError
from demo.slack.faults import Fault, Faults
from demo.slack.grants import ResponseUrls
from demo.slack.responses import respond
from demo.slack.socket_mode import SocketMode
from demo.slack.traffic import Traffic
from demo.slack.web_api import WebApi
from demo.slack.workspace import Workspace

URL_REFUSALS = frozenset({"invalid_url", "expired_url", "used_url"})


@dataclass(frozen=True, slots=True)
class HttpApi:
    workspace: Workspace
    web_api: WebApi
    response_urls: ResponseUrls
    socket: SocketMode
    faults: Faults
    traffic: Traffic
    changes: Changes

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.route("*", "/api/{method}", self.api),
            web.post("/{kind:commands|actions|app}/{rest:.+}", self.response_url),
            web.get("/link/", self.link),
        ]

    async def api(self, request: web.Request) -> web.Response:
        name = request.match_info["method"]
        body = await self._received(request)
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        try:
            arguments = parse_arguments(request.query_string, request.content_type, body)
        except SlackError as error:
            return await self._answer(request, _json(error.body()))
        fault, early = await self._fault(request, name, arguments)
        if early is not None:
            return await self._answer(request, early)
        answer = self._api_answer(name, bearer, arguments)
        if fault is not None and fault.drop == "after":
            _cut(request)
        return await self._answer(request, answer)

    def _api_answer(self, name: str, bearer: str, arguments: JsonObject) -> web.Response:
        headers = {"x-oauth-scopes": self.web_api.scopes_of(bearer), "x-slack-req-id": "demo"}
        try:
            return _json(self.web_api.answer(name, bearer, arguments), headers=headers)
        except RateLimitedError as error:
            return _rate_limited(error)
        except SlackError as error:
            return _json(error.body(), headers=headers)

    async def response_url(self, request: web.Request) -> web.Response:
        """The refusals of an address are HTTP 404, those of the content HTTP 400."""
        body = await self._received(request)
        fault, early = await self._fault(request, "response_url", {})
        if early is not None:
            return await self._answer(request, early)
        try:
            url = self.response_urls.use(request.path)
            respond(self.workspace, url, parse_arguments("", request.content_type, body), source="response_url")
        except SlackError as error:
            status = 404 if error.code in URL_REFUSALS else 400
            return await self._answer(request, _json(error.body(), status=status))
        if fault is not None and fault.drop == "after":
            _cut(request)
        return await self._answer(request, web.Response(text="ok", content_type="text/html"))

    async def link(self, request: web.Request) -> web.StreamResponse:
        """A ticket is spent by the first handshake, even by one that a fault then breaks."""
        self.traffic.add("from_bot", f"{request.method} {request.path_qs}", b"")
        await self.changes.notify()
        redeemed = self.socket.redeem(request.query.get("ticket", ""))
        _, early = await self._fault(request, "handshake", {})
        if early is not None:
            return await self._answer(request, early)
        if not redeemed:
            return await self._answer(request, web.Response(status=404, text="ticket is not valid"))
        return await self.socket.serve(request)

    async def _fault(
        self, request: web.Request, place: str, arguments: JsonObject
    ) -> tuple[Fault | None, web.Response | None]:
        """The fault asked for here, after its delay, and the answer it gives instead of the call's."""
        fault = self.faults.take(place, arguments)
        if fault is None:
            return None, None
        await asyncio.sleep(fault.delay)
        return fault, _failure(request, fault)

    async def _received(self, request: web.Request) -> bytes:
        body = await request.read()
        self.traffic.add("from_bot", request.path_qs, body)
        await self.changes.notify()
        return body

    async def _answer(self, request: web.Request, response: web.Response) -> web.Response:
        """What a cut connection no longer carries is not in the traffic."""
        if request.transport is not None and not request.transport.is_closing():
            data = response.body if isinstance(response.body, bytes) else b""
            self.traffic.add("to_bot", request.path, data)
        await self.changes.notify()
        return response


def _failure(request: web.Request, fault: Fault) -> web.Response | None:
    """None where the call is done all the same."""
    if fault.drop == "before":
        _cut(request)
        return web.Response()
    if fault.retry_after:
        return _rate_limited(RateLimitedError(fault.retry_after))
    if fault.status:
        return web.Response(status=fault.status, text="upstream error")
    if fault.error:
        return _json({"ok": False, "error": fault.error})
    return None


def _cut(request: web.Request) -> None:
    if isinstance(request.transport, asyncio.Transport):
        request.transport.abort()


def _rate_limited(error: RateLimitedError) -> web.Response:
    return _json(error.body(), status=429, headers={"Retry-After": str(error.retry_after)})


def _json(body: JsonObject, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    data = json.dumps(body, ensure_ascii=False).encode()
    return web.Response(body=data, status=status, headers=headers, content_type="application/json", charset="utf-8")
