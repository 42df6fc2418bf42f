"""Chromium, as the tests and the pictures use it."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Page, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = "Chromium is missing: install it with `apt-get install chromium`, or set CHROMIUM=/path/to/it."


def chromium() -> str | None:
    return os.environ.get("CHROMIUM") or next((found for name in NAMES if (found := shutil.which(name))), None)


@asynccontextmanager
async def browser(path: str) -> AsyncIterator[Browser]:
    """Without its sandbox: a container's root may not have one, and only our own page is opened."""
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        await opened.close()


class Complaints(list[str]):
    """What the page's console said against it."""

    def listen(self, page: Page) -> None:
        page.on("console", lambda said: self.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.append(str(error)))
        page.on("requestfailed", lambda request: self.append(f"{request.url}: {request.failure}"))
