"""Shows that the bare script sends what the check sends: both once through a proxy that writes requests down."""

import ssl
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import web
from yarl import URL

from tests.cluster.layout import LOOPBACK, write_kubeconfig
from tests.cluster.plane import Plane
from tests.cluster.ports import free_ports

PASSED_ON = ("Accept", "Authorization", "Content-Type")


class DifferentError(Exception):
    """The two send different requests, so that comparing their times would mean nothing."""


@dataclass(frozen=True, order=True)
class Request:
    """What decides how much work a request is for the API server."""

    method: str
    uri: str
    accept: str

    def __str__(self) -> str:
        return f"{self.method} {self.uri} (Accept: {self.accept})"


@dataclass(frozen=True)
class Recorder:
    """A proxy to one API server, on plain HTTP at `url`; `kubeconfig` leads there."""

    session: aiohttp.ClientSession
    server: str
    url: str
    kubeconfig: Path
    requests: Counter[Request] = field(default_factory=Counter)

    async def handle(self, request: web.Request) -> web.Response:
        self.requests[Request(request.method, _sorted(request.rel_url), request.headers["Accept"])] += 1
        headers = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
        url = URL(self.server + request.raw_path, encoded=True)
        body = await request.read()
        async with self.session.request(request.method, url, headers=headers, data=body or None) as response:
            return web.Response(status=response.status, body=await response.read(), content_type=response.content_type)

    async def of(self, work: Callable[[], Awaitable[object]]) -> Counter[Request]:
        """The requests that this work sends."""
        self.requests.clear()
        await work()
        return self.requests.copy()


@asynccontextmanager
async def recorder(plane: Plane) -> AsyncIterator[Recorder]:
    trusted = ssl.create_default_context(cafile=plane.layout.authority.certificate)
    kubeconfig = plane.layout.folder / "recorder.kubeconfig"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusted)) as session:
        (port,) = free_ports(1)
        recording = Recorder(session, plane.ready.url, f"http://{LOOPBACK}:{port}", kubeconfig)
        token = {"token": plane.ready.admin_token}
        write_kubeconfig(kubeconfig, recording.url, plane.layout.authority.certificate, token)
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", recording.handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, LOOPBACK, port).start()
            yield recording
        finally:
            await runner.cleanup()


def compare(check: Counter[Request], bare: Counter[Request]) -> None:
    """Raises DifferentError with what only one of them sends."""
    only = [f"only the check: {request}" for request in sorted((check - bare).elements())]
    only += [f"only the bare script: {request}" for request in sorted((bare - check).elements())]
    if only:
        raise DifferentError("The check and the bare script send different requests:\n" + "\n".join(only))


def _sorted(url: URL) -> str:
    return str(url.with_query(sorted(url.query.items())))
