"""Every block that the bot sends, and every one that Slack takes, is drawn."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from demo.slack import Message, SlackServer
from demo.slack import people as p
from demo.slack.block_limits import BLOCKS, check_message_blocks
from demo.slack.element_limits import ELEMENTS
from demo.slack.page.routes import STATIC
from demo.slack.posting import with_block_ids
from demo.slack.rich_text_limits import GROUPS, LEAVES
from demo.slack.view_methods import add_view, sound_view
from tests.demo import kit
from tests.demo.conftest import OpenPage

GOLDENS = Path(__file__).parents[1] / "blocks"
pytestmark = pytest.mark.browser


def post(slack: SlackServer, blocks: list[dict[str, Any]], text: str = "a message") -> Message:
    """As the app sent it, whatever the channel's limits."""
    check_message_blocks(blocks)
    ts = slack.workspace.new_ts(p.INCIDENT)
    app = slack.workspace.app
    said = Message(p.INCIDENT, ts, app.bot_user, text, with_block_ids(blocks), bot_id=app.bot_id)
    return slack.workspace.add_message(said)


async def is_drawn(page: Page, within: str, blocks: list[dict[str, Any]]) -> None:
    """Each block is there and not empty, and none is said to be unknown."""
    drawn = page.locator(f"{within} .block")
    await drawn.nth(len(blocks) - 1).wait_for(state="attached")
    assert await drawn.count() == len(blocks)
    assert await page.locator(".unsupported").all_inner_texts() == []
    for text in words(blocks):
        assert text in squeezed(await page.locator(within).inner_text()), text


def words(blocks: object) -> list[str]:
    """Texts that are drawn as they are: those of rich text, headers and buttons."""
    if isinstance(blocks, list):
        return [word for each in blocks for word in words(each)]
    if not isinstance(blocks, dict):
        return []
    own = [blocks["text"]] if blocks.get("type") in ("text", "plain_text", "raw_text") else []
    rest = [
        word
        for key, value in blocks.items()
        if key not in ("placeholder", "options", "confirm")
        for word in words(value)
    ]
    return [squeezed(word) for word in [*own, *rest]]


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def goldens(kind: str) -> dict[str, Any]:
    """Those of messages, or of a kind of view, by name."""
    read = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(GOLDENS.glob("*.json"))}
    return {name: it for name, it in read.items() if ("message" if isinstance(it, list) else it["type"]) == kind}


async def test_the_goldens_of_messages_are_drawn(slack: SlackServer, open_page: OpenPage) -> None:
    page = await open_page()
    for messages in goldens("message").values():
        for message in messages:
            posted = post(slack, message["blocks"], message["text"])
            await slack.changes.notify()
            await is_drawn(page, f'[data-ts="{posted.ts}"]', posted.blocks)
            posted.deleted = True


async def test_the_goldens_of_modals_are_drawn(slack: SlackServer, open_page: OpenPage) -> None:
    page = await open_page()
    for golden in goldens("modal").values():
        view = add_view(slack.workspace, p.ENGINEER, sound_view(golden, "modal"))
        await slack.changes.notify()
        await page.locator(f'[data-view="{view.id}"]').wait_for()
        await is_drawn(page, ".modal-body", golden["blocks"])
        assert await page.locator(".modal h2").inner_text() == golden["title"]["text"]
        view.open = False


async def test_the_goldens_of_the_home_tab_are_drawn(slack: SlackServer, open_page: OpenPage) -> None:
    page = await open_page(f"/#/{p.ENGINEER}/app")
    for golden in goldens("home").values():
        view = add_view(slack.workspace, p.ENGINEER, sound_view(golden, "home"))
        slack.workspace.homes[p.ENGINEER] = slack.workspace.views.pop(view.id)
        await slack.changes.notify()
        await page.locator(f'[data-view="{view.id}"]').wait_for()
        await is_drawn(page, ".home-page", golden["blocks"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_each_kind_of_block_that_slack_takes_is_drawn(
    slack: SlackServer, open_page: OpenPage, scheme: str
) -> None:
    assert {block["type"] for blocks in kit.MESSAGES for block in blocks} == set(BLOCKS) - {
        "input",
        "alert",
        *kit.REMOTE,
    }
    page = await open_page(scheme=scheme)
    for blocks in kit.MESSAGES:
        posted = post(slack, blocks)
        await slack.changes.notify()
        await is_drawn(page, f'[data-ts="{posted.ts}"]', blocks)
    assert await page.locator("figure.chart svg:visible").count() == len(kit.CHARTS)


async def test_the_page_knows_every_type_that_slack_takes(open_page: OpenPage) -> None:
    page = await open_page()
    known = await page.evaluate(
        """async () => {
          const [blocks, elements, rich] = await Promise.all(
            ["index", "elements", "rich_text"].map((name) => import(`/page/blocks/${name}.js`)));
          return [blocks.BLOCK_TYPES, elements.ELEMENT_TYPES, rich.GROUP_TYPES, rich.LEAF_TYPES];
        }"""
    )
    assert [set(each) for each in known] == [set(BLOCKS), set(ELEMENTS), set(GROUPS), set(LEAVES)]


async def test_what_is_untrusted_stays_text(slack: SlackServer, open_page: OpenPage) -> None:
    """No text becomes markup, and no link leads anywhere but to the web."""
    nasty = '<img src=x onerror="document.title=1">'
    link = {"type": "link", "url": "javascript:alert(1)", "text": "harmless"}
    group = {"type": "rich_text_section", "elements": [{"type": "text", "text": nasty}, link]}
    posted = post(
        slack, [{"type": "rich_text", "elements": [group]}, {"type": "markdown", "text": f"{nasty} [a](data:x)"}]
    )
    page = await open_page()
    message = page.locator(f'[data-ts="{posted.ts}"]')
    assert nasty in await message.inner_text()
    assert await message.locator("img, a").count() == 0


def test_the_page_makes_no_markup_of_strings() -> None:
    for path in STATIC.rglob("*.js"):
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert word not in path.read_text("utf-8"), f"{path.name}: {word}"
