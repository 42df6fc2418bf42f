"""A proxy before the API server: something happens just before an effect, or its answer is lost."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.kube.client import Cluster, connect
from tests.cluster.plane import Plane

REVIEWS = ("subjectaccessreviews", "selfsubjectaccessreviews", "tokenreviews")


@asynccontextmanager
async def losing_answers(plane: Plane, folder: Path, *, lost: list[str]) -> AsyncIterator[Cluster]:
    """Of each effect the first answer is lost: its method and path are put into `lost`."""

    async def forward(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        answer = await _forwarded(plane, request, body)
        effect = f"{request.method} {request.path}"
        if _is_effect(request, body) and effect not in lost:
            assert answer.status < HTTPStatus.BAD_REQUEST, answer.text
            lost.append(effect)
            assert request.transport is not None
            request.transport.abort()
        return answer

    async with _served(forward, folder) as cluster:
        yield cluster


@asynccontextmanager
async def at_the_last_moment(
    plane: Plane, folder: Path, happens: Callable[[], Awaitable[object]]
) -> AsyncIterator[Cluster]:
    """Just before the first effect reaches the API server, something happens."""
    happened = False

    async def forward(request: web.Request) -> web.StreamResponse:
        nonlocal happened
        body = await request.read()
        if _is_effect(request, body) and not happened:
            happened = True
            await happens()
        return await _forwarded(plane, request, body)

    async with _served(forward, folder) as cluster:
        yield cluster
    assert happened


async def _forwarded(plane: Plane, request: web.Request, body: bytes) -> web.Response:
    headers = {name: request.headers[name] for name in ("Accept", "Content-Type") if name in request.headers}
    headers["Authorization"] = f"Bearer {plane.api.token}"
    url = plane.api.url + request.path_qs
    async with plane.api.session.request(request.method, url, data=body or None, headers=headers) as answer:
        content = await answer.read()
    return web.Response(body=content, status=answer.status, content_type=answer.content_type)


@asynccontextmanager
async def _served(
    forward: Callable[[web.Request], Awaitable[web.StreamResponse]], folder: Path
) -> AsyncIterator[Cluster]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", forward)
    async with TestServer(app) as server:
        config = folder / "proxied.kubeconfig"
        config.write_text(
            yaml.safe_dump(
                {
                    "current-context": "here",
                    "clusters": [{"name": "here", "cluster": {"server": f"http://127.0.0.1:{server.port}"}}],
                    "users": [{"name": "here", "user": {"token": "any"}}],
                    "contexts": [{"name": "here", "context": {"cluster": "here", "user": "here"}}],
                }
            )
        )
        cluster = await connect("test", kubeconfig=config)
        try:
            yield cluster
        finally:
            await cluster.close()


def _is_effect(request: web.Request, body: bytes) -> bool:
    is_try = "dryRun" in request.query_string or b"dryRun" in body
    return request.method != "GET" and not is_try and not request.path.endswith(REVIEWS)
