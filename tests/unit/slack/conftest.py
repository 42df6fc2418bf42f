"""The door to Slack in this process, over the wire-level stand-in."""

import time
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from bot.slack.client import TIMEOUT, web_client
from bot.slack.door import Slack
from demo.slack import SlackServer


@pytest.fixture
async def server() -> AsyncIterator[SlackServer]:
    async with SlackServer() as server:
        yield server


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession(timeout=TIMEOUT) as session:
        yield session


@pytest.fixture
async def slack(server: SlackServer, session: ClientSession) -> AsyncIterator[Slack]:
    slack = Slack(web_client(session, server.api_url, server.bot_token), session, time.monotonic)
    yield slack
    await slack.drain(0)
