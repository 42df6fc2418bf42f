"""`make pictures`: the demo, photographed for the README into docs/images."""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, ViewportSize

from tests.demo.browser import MISSING, browser, chromium
from tests.demo.stage import staged
from tests.demo.visitor import Visitor

IMAGES = Path(__file__).parents[2] / "docs" / "images"
MOST_BYTES = 300_000
SIZE = ViewportSize(width=1360, height=930)
TALL = ViewportSize(width=1360, height=1120)  # a digest with its chart
TARGET = "shop/checkout"


async def take(path: str, folder: Path, images: Path) -> None:
    async with browser(path) as opened, staged(folder) as stage:
        async with visiting(opened, stage.slack.url, "light") as visitor:
            await check(visitor)
            await photograph(visitor, images / "slack-check.png")
            await ask(visitor)
            await photograph(visitor, images / "slack-ask.png")
            await visitor.window().get_by_role("button", name="Ask for approval").click()
            await visitor.is_told("Asked")
            await visitor.closes()
            await digest(visitor)
            await photograph(visitor, images / "slack-digest.png")
        async with visiting(opened, stage.slack.url, "dark") as visitor:
            await approve(visitor)
            await photograph(visitor, images / "slack-approvals.png")


async def check(visitor: Visitor) -> None:
    await visitor.writes(f"/token check {TARGET}")
    answer = await visitor.sees("What helps")
    await answer.evaluate("node => node.scrollIntoView({block: 'start'})")


async def ask(visitor: Visitor) -> None:
    await visitor.presses(await visitor.sees("What helps"), "Restart")
    await visitor.is_told("Policy rule")
    await visitor.window().get_by_role("textbox").fill("checkout gets 401 since this morning")


async def digest(visitor: Visitor) -> None:
    told = visitor.page.locator("#main .message").filter(has_text="Digest daily").last
    await visitor.presses(told, "replies")
    thread = visitor.page.get_by_role("complementary", name="Thread")
    await thread.get_by_role("button", name="Snooze").first.wait_for()
    await visitor.page.set_viewport_size(TALL)
    await told.evaluate("node => node.scrollIntoView({block: 'start'})")


async def approve(visitor: Visitor) -> None:
    await visitor.become("Avery")
    await visitor.goes_to("approvals")
    await visitor.presses(await visitor.sees("401 since this morning"), "Approve")
    await visitor.says_why("go ahead", "Approve")
    await visitor.is_told("Your approval counts")
    await visitor.closes()
    await visitor.sees("Done, looking whether it helped")


@asynccontextmanager
async def visiting(opened: Browser, url: str, scheme: Literal["light", "dark"]) -> AsyncIterator[Visitor]:
    context = await opened.new_context(viewport=SIZE, color_scheme=scheme)
    page = await context.new_page()
    await page.goto(url)
    yield Visitor(page)
    await context.close()


async def photograph(visitor: Visitor, path: Path) -> None:
    await visitor.page.mouse.move(0, 0)
    await visitor.page.wait_for_timeout(300)  # for what moves
    taken = await visitor.page.screenshot(path=path, animations="disabled", caret="hide")
    if len(taken) > MOST_BYTES:
        sys.exit(f"{path} has {len(taken)} bytes: more than {MOST_BYTES} is too much for a README.")


def main() -> None:
    path = chromium()
    if path is None:
        sys.exit(MISSING)
    images = Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES
    images.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(take(path, Path(folder), images))


if __name__ == "__main__":
    main()
