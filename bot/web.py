"""The bot's own small server: figures for Prometheus, a pod's probes, and over HTTP what Slack sends.

It shows no name of a person and no token.
"""

from collections.abc import Awaitable, Callable, Mapping

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from bot.errors import WrongUsageError

log = structlog.get_logger(__name__)

_STOP_SECONDS = 2.0
_LINGERING_SECONDS = 2.0  # what is left of a body that was refused is read for so long, else the refusal would be lost

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Readiness:
    """Whether the bot can serve now, for a pod's probe."""

    def __init__(self, stopping: Callable[[], bool], connected: Callable[[], Awaitable[bool]]) -> None:
        self._stopping = stopping
        self._connected = connected
        self.is_started = False

    async def lacks(self) -> str:
        """Why not, "" if it can."""
        if not self.is_started:
            return "starting"
        if self._stopping():
            return "stopping"
        return "" if await self._connected() else "no connection to Slack"


class Web:
    """`metrics` gives Prometheus's text; `not_ready` why the bot cannot serve now, "" if it can.

    `posts` are what else is answered: by its path, and by POST only.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        metrics: Callable[[], Awaitable[str]],
        not_ready: Callable[[], Awaitable[str]],
        posts: Mapping[str, Answer] | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self._metrics = metrics
        self._not_ready = not_ready
        app = web.Application()
        app.add_routes(
            [
                web.get("/metrics", self._show_metrics),
                web.get("/healthz", self._show_health),
                web.get("/readyz", self._show_readiness),
                *(web.post(path, answer) for path, answer in (posts or {}).items()),
            ]
        )
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=_STOP_SECONDS, lingering_time=_LINGERING_SECONDS
        )

    async def start(self) -> int:
        """The port that it listens on. Raises WrongUsageError where it may not."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except OSError as error:
            await self._runner.cleanup()
            raise WrongUsageError(
                f"The bot cannot listen on {self._host}:{self._port}: {error.strerror or error}.",
                next_step="Change web.host or web.port in the configuration, or stop what listens there.",
            ) from error
        port = int(self._runner.addresses[0][1])
        log.info("figures and probes are served", host=self._host, port=port)
        return port

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _show_metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=(await self._metrics()).encode(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _show_health(self, _: web.Request) -> web.Response:
        """That it answers at all says that the event loop has turns."""
        return web.Response(text="ok\n")

    async def _show_readiness(self, _: web.Request) -> web.Response:
        why = await self._not_ready()
        return web.Response(text=f"{why or 'ok'}\n", status=503 if why else 200)
