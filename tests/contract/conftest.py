"""A Slack stand-in for each test, a clock to move, and the real client pointed at it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from demo.slack import Clock, SlackServer, SocketTimes
from demo.slack.rate_limits import Limit

QUICK = SocketTimes(ack=0.5, retries=(0.0, 0.1, 0.1), farewell=0.2)
"""Socket Mode's waits shortened, so that a missing ack costs a test half a second."""

GENEROUS = {"chat.postMessage": Limit(1_000, 60_000, by="channel")}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def slack(clock: Clock) -> AsyncIterator[SlackServer]:
    async with SlackServer(now=clock, times=QUICK, limits=GENEROUS) as server:
        yield server


@pytest.fixture
def web(slack: SlackServer) -> AsyncWebClient:
    """The bot's client as the SDK makes it, without any retry handler."""
    return AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[])


@pytest.fixture
def app(web: AsyncWebClient) -> AsyncApp:
    return AsyncApp(client=web)


async def nothing(_handler: AsyncSocketModeHandler) -> None:
    """Connecting needs no help."""


@asynccontextmanager
async def connected(
    app: AsyncApp,
    slack: SlackServer,
    ping: float = 5.0,
    meanwhile: Callable[[AsyncSocketModeHandler], Awaitable[None]] = nothing,
) -> AsyncIterator[AsyncSocketModeHandler]:
    """Bolt over Socket Mode, until the block ends; `meanwhile` runs while it connects."""
    web_client = AsyncWebClient(token=slack.app_token, base_url=slack.api_url)
    handler = AsyncSocketModeHandler(app, slack.app_token, web_client=web_client, ping_interval=ping)
    connect = handler.connect_async()  # type: ignore[no-untyped-call]  # bolt leaves it untyped
    connecting = asyncio.create_task(connect)
    try:
        await meanwhile(handler)
        await asyncio.wait_for(connecting, 10)
        yield handler
    finally:
        connecting.cancel()
        await asyncio.gather(connecting, return_exceptions=True)
        await handler.close_async()  # type: ignore[no-untyped-call]  # bolt leaves it untyped
