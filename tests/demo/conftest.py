"""The page in Chromium: `open_page()` gives one whose console must stay silent."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Literal, NoReturn

import pytest
from playwright.async_api import Browser, Page

from demo.slack import SlackServer
from tests.demo.browser import MISSING, Complaints, browser, chromium
from tests.demo.lever import OneLever

OpenPage = Callable[..., Awaitable[Page]]


def cannot(why: str) -> NoReturn:
    """Skips with a line that says what to install; where CI=true, a machine that cannot is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(why, pytrace=False)
    pytest.skip(why)


@pytest.fixture(scope="session")
async def opened_browser() -> AsyncIterator[Browser]:
    path = chromium()
    if path is None:
        cannot(MISSING)
    async with browser(path) as opened:
        yield opened


@pytest.fixture
def lever() -> OneLever:
    return OneLever()


@pytest.fixture
async def slack(lever: OneLever) -> AsyncIterator[SlackServer]:
    async with SlackServer(panel=lever) as server:
        yield server


@pytest.fixture
async def open_page(opened_browser: Browser, slack: SlackServer) -> AsyncIterator[OpenPage]:
    complaints = Complaints()
    contexts = []

    async def open_(path: str = "/", *, scheme: Literal["light", "dark"] = "light", width: int = 1440) -> Page:
        context = await opened_browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = await context.new_page()
        page.set_default_timeout(15_000)
        complaints.listen(page)
        await page.goto(slack.url + path)
        await page.get_by_role("link", name="token-doctor").wait_for()
        return page

    yield open_
    for context in contexts:
        await context.close()
    assert complaints == []
