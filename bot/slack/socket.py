"""Socket Mode with what bolt's own client lacks: a bounded start, a watchdog, and a stop that waits."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import structlog
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import SlackRefusedError
from bot.slack.client import proxy_for, sdk_logger
from bot.slack.underway import Underway

log = structlog.get_logger(__name__)

START_SECONDS = 30.0
WATCH_SECONDS = 10.0
_STOP_SECONDS = 2.0
_PATIENCE_SECONDS = 0.5  # under a stream of commands there is always one more to acknowledge
# A click or a submission may be answered in its acknowledgement, so bolt sees to those.
_ACKNOWLEDGED_AT_ONCE = {"slash_commands", "events_api"}
_MANY_CONNECTIONS = 8  # Slack takes ten; ghosts of lost connections count until Slack notices


class _Handler(AsyncSocketModeHandler):
    """Acknowledges before bolt takes a look, where the acknowledgement itself needs no answer in it."""

    def __init__(self, app: AsyncApp, web_client: AsyncWebClient, ping_seconds: float) -> None:
        super().__init__(app, web_client.token, web_client=web_client, logger=sdk_logger(), ping_interval=ping_seconds)
        self.unacknowledged = Underway()
        self.unhandled = Underway()
        self._one_at_a_time = asyncio.Lock()

    async def handle(self, client: AsyncBaseSocketModeClient, req: SocketModeRequest) -> None:
        with self.unhandled:
            if req.type not in _ACKNOWLEDGED_AT_ONCE:
                with self.unacknowledged:
                    await super().handle(client, req)  # type: ignore[arg-type]  # bolt narrows the type of a parameter
                return
            with self.unacknowledged:
                await client.send_socket_mode_response(SocketModeResponse(envelope_id=req.envelope_id))
                await asyncio.sleep(0)  # whatever else has arrived is acknowledged before this is looked at
            # Under a burst, what arrives meanwhile is acknowledged between two of these, not after all of them.
            async with self._one_at_a_time:
                await run_async_bolt_app(self.app, req)


class SocketMode:
    """`web_client` carries the app-level token. Built, started and stopped on one event loop."""

    def __init__(
        self,
        app: AsyncApp,
        web_client: AsyncWebClient,
        *,
        watch_seconds: float = WATCH_SECONDS,
        ping_seconds: float = 5.0,
    ) -> None:
        self._handler = _Handler(app, web_client, ping_seconds)
        self._client = self._handler.client
        self._client.proxy = proxy_for(web_client.base_url)
        self._client.message_listeners.append(self._on_message)
        self._watch_seconds = watch_seconds
        self._watchdog: asyncio.Task[None] | None = None
        self._hello = asyncio.Event()

    async def start(self, seconds: float = START_SECONDS) -> None:
        """Returns when Slack has said hello. Raises SlackRefusedError after `seconds`."""
        self._watchdog = asyncio.create_task(self._watch())
        try:
            async with asyncio.timeout(seconds):
                # Its tokens were verified before, so the endless retries of this call have something to wait for.
                await self._client.connect()  # type: ignore[no-untyped-call]  # the SDK leaves it untyped
                await self._hello.wait()
        except TimeoutError:
            raise SlackRefusedError(
                "Slack's Web API answers, but no websocket to Slack could be opened.",
                next_step="Let this machine connect to wss://*.slack.com, and check the proxy (HTTPS_PROXY, NO_PROXY).",
            ) from None

    async def acknowledged(self) -> None:
        """Returns when everything received so far is acknowledged: work that comes after it delays no ack."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._handler.unacknowledged.none.wait()

    async def connected(self) -> bool:
        return bool(await self._client.is_connected())

    async def stop(self) -> None:
        """Hands over what has arrived, and closes. Nothing is received after this."""
        if self._watchdog is not None:
            self._watchdog.cancel()
            await asyncio.gather(self._watchdog, return_exceptions=True)
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await self._handler.unhandled.none.wait()
        except TimeoutError:
            log.warning("some requests were not handled before the stop")
        await self._client.close()  # type: ignore[no-untyped-call]  # the SDK leaves it untyped
        tasks = (self._client.message_processor, self._client.current_session_monitor, self._client.message_receiver)
        await asyncio.gather(*(task for task in tasks if task is not None), return_exceptions=True)

    async def _watch(self) -> None:
        """The client goes on trying one websocket address for ever, also after its ticket has expired."""
        while True:
            await asyncio.sleep(self._watch_seconds)
            if not await self._client.is_connected():
                log.warning("no connection to Slack; the next try gets a new address")
                self._client.wss_uri = None

    async def _on_message(
        self, _client: AsyncBaseSocketModeClient, message: Mapping[str, Any], _raw: str | None
    ) -> None:
        kind = message.get("type")
        if kind == "hello":
            self._hello.set()
            connections = message.get("num_connections", 0)
            log.info("connected to Slack", connections=connections)
            if isinstance(connections, int) and connections >= _MANY_CONNECTIONS:
                log.warning("the app has many connections open; Slack takes ten", connections=connections)
