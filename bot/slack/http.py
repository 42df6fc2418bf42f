"""Slack over HTTP: signed requests in, each looked at before bolt sees it, and answered before it is worked on."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

import structlog
from aiohttp import hdrs, web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest

from bot.slack.pace import Monotonic
from bot.slack.refusals import Refusals
from bot.slack.signature import SIGNATURE, TIMESTAMP, Refusal, is_signed, refused_head
from bot.slack.underway import Underway

log = structlog.get_logger(__name__)

PATH = "/slack/events"
LARGEST_BODY = 1024 * 1024
"""Bytes. Slack's largest is a modal of 250 KB that was filled in, as JSON inside a form."""

_BODY_SECONDS = 3.0  # after so long Slack itself has given up
_STOP_SECONDS = 4.0  # a listener acknowledges within three
_PATIENCE_SECONDS = 0.5  # under a stream of commands there is always one more to acknowledge
_JSON = "application/json"
_CONTENT_TYPES = {_JSON, "application/x-www-form-urlencoded"}
_LAST = {Refusal.TOO_SLOW, Refusal.NOT_SERVING}  # nothing more is read from such a connection
_ANSWERS = {
    Refusal.CONTENT_TYPE: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    Refusal.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Refusal.TOO_SLOW: HTTPStatus.REQUEST_TIMEOUT,
    Refusal.MALFORMED: HTTPStatus.BAD_REQUEST,
    Refusal.NOT_SERVING: HTTPStatus.SERVICE_UNAVAILABLE,
}


class _RefusedError(Exception):
    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


class HttpMode:
    """The same face as SocketMode's. `now` is in seconds since the epoch; `app` must answer after its listeners.

    After `stop` was called, requests are taken for `drain_seconds` more: so long a load balancer may go on sending.
    """

    def __init__(
        self,
        app: AsyncApp,
        signing_secret: str,
        *,
        now: Callable[[], float],
        monotonic: Monotonic,
        drain_seconds: float,
        body_seconds: float = _BODY_SECONDS,
    ) -> None:
        self._app = app
        self._secret = signing_secret
        self._now = now
        self._drain_seconds = drain_seconds
        self._body_seconds = body_seconds
        self._is_serving = False
        self._unanswered = Underway()
        self.refusals = Refusals(monotonic)

    async def start(self) -> None:
        """From now on requests are taken: before, nobody listens to them."""
        self._is_serving = True
        log.info("Slack's requests are taken", path=PATH)

    async def connected(self) -> bool:
        return self._is_serving

    async def acknowledged(self) -> None:
        """Returns when everything received so far is answered: work that comes after it delays no answer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._unanswered.none.wait()

    async def stop(self) -> None:
        """Takes what still comes while it drains, then nothing more; returns when all that was taken is answered."""
        if self._is_serving:
            await asyncio.sleep(self._drain_seconds)
        self._is_serving = False
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await self._unanswered.none.wait()
        except TimeoutError:
            log.warning("some requests were not handled before the stop")

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answers the request to its last byte before it returns."""
        try:
            body = await self._taken(request)
        except _RefusedError as refused:
            self.refusals.add(refused.refusal)
            return _refusal(refused.refusal)
        with self._unanswered:
            response = await self._handled(request, body)
            with suppress(ConnectionError):  # whoever asked has hung up: Slack sends again what it has to
                await response.prepare(request)
                await response.write_eof()
        return response

    async def _taken(self, request: web.Request) -> bytes:
        """The body of a request that Slack has signed. Raises _RefusedError."""
        if not self._is_serving:
            raise _RefusedError(Refusal.NOT_SERVING)
        timestamp, signature = _only(request, TIMESTAMP), _only(request, SIGNATURE)
        if refusal := refused_head(timestamp, signature, self._now()):
            raise _RefusedError(refusal)
        if request.content_type not in _CONTENT_TYPES or hdrs.CONTENT_ENCODING in request.headers:
            raise _RefusedError(Refusal.CONTENT_TYPE)
        try:
            async with asyncio.timeout(self._body_seconds):
                body = await _read(request)
        except TimeoutError:
            raise _RefusedError(Refusal.TOO_SLOW) from None
        except (web.RequestPayloadError, ConnectionError):
            raise _RefusedError(Refusal.MALFORMED) from None
        if not is_signed(self._secret, timestamp, signature, body):
            raise _RefusedError(Refusal.SIGNATURE)
        return body

    async def _handled(self, request: web.Request, body: bytes) -> web.StreamResponse:
        """What bolt answers; what it cannot read is refused."""
        asked = _asked(request.content_type, body)
        if asked is None:
            self.refusals.add(Refusal.MALFORMED)
            return _refusal(Refusal.MALFORMED)
        return await to_aiohttp_response(await self._app.async_dispatch(asked))


def _only(request: web.Request, name: str) -> str:
    """The header's value, "" where it is not there just once."""
    values = request.headers.getall(name, [])
    return values[0] if len(values) == 1 else ""


async def _read(request: web.Request) -> bytes:
    """Raises _RefusedError as soon as it is known to be too large."""
    if (request.content_length or 0) > LARGEST_BODY:
        raise _RefusedError(Refusal.TOO_LARGE)
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise _RefusedError(Refusal.TOO_LARGE)
    return bytes(body)


def _asked(content_type: str, body: bytes) -> AsyncBoltRequest | None:
    """The request as bolt takes it from Socket Mode; None for what nobody can read.

    Bolt's own reading of a form makes nothing of a command in whose text the word "payload" stands, and looks at
    headers that nobody has signed.
    """
    content = _content(content_type, body)
    if content is None:
        return None
    try:
        return AsyncBoltRequest(mode="socket_mode", body=content)
    except (AttributeError, TypeError):  # bolt looks for ids at once, and expects Slack's shapes
        return None


def _content(content_type: str, body: bytes) -> dict[str, Any] | None:
    """An event as JSON, a command as a form, or what people do as JSON in a form's field; None for anything else."""
    try:
        text = body.decode()
        if content_type != _JSON:
            form = dict(parse_qsl(text, keep_blank_values=True, strict_parsing=True))
            if "payload" not in form:
                return dict(form)
            text = form["payload"]
        content = json.loads(text)
    except (ValueError, RecursionError):  # no UTF-8, no form, no JSON
        return None
    return content if isinstance(content, dict) else None


def _refusal(refusal: Refusal) -> web.Response:
    """Whoever is no Slack learns nothing from it but why."""
    response = web.Response(status=_ANSWERS.get(refusal, HTTPStatus.UNAUTHORIZED), text=f"refused: {refusal.value}\n")
    if refusal in _LAST:
        response.force_close()
    return response
