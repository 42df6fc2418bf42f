"""The workspace by itself, without a bot: channels, people, threads, the message field, windows, the panel."""

import pytest
from playwright.async_api import Page, expect

from demo.slack import Ephemeral, SlackServer
from demo.slack import people as p
from demo.slack.view_methods import add_view, replace_view, sound_view
from tests.demo import kit
from tests.demo.conftest import OpenPage
from tests.demo.lever import OneLever
from tests.demo.test_blocks import post

pytestmark = pytest.mark.browser

MODAL = {
    "type": "modal",
    "title": {"type": "plain_text", "text": "Restart a workload"},
    "submit": {"type": "plain_text", "text": "Ask"},
    "blocks": [
        {
            "type": "input",
            "block_id": "reason",
            "label": {"type": "plain_text", "text": "Why"},
            "element": {"type": "plain_text_input", "action_id": "reason", "multiline": True, "max_length": 300},
        }
    ],
}


async def become(page: Page, name: str) -> None:
    await page.get_by_role("radio", name=name).click()
    await expect(page.get_by_role("radio", name=name)).to_be_checked()


async def write(page: Page, text: str, label: str = "Message #incident") -> None:
    await page.get_by_label(label, exact=True).press_sequentially(text)


async def test_each_person_sees_their_own_channels(open_page: OpenPage) -> None:
    page = await open_page()
    side = page.get_by_role("navigation", name="Channels and apps")
    await expect(side.locator(".row:not(.dim) .name")).to_have_text(["incident", "random", "shared", "token-doctor"])
    await expect(side.locator(".row.dim .name")).to_have_text(["approvals"])
    await become(page, "Avery")
    rows = ["incident", "approvals", "random", "private", "shared", "token-doctor"]
    await expect(side.locator(".row .name")).to_have_text(rows)
    await become(page, "Olga")
    await expect(side.locator(".row .name")).to_have_text(["shared", "token-doctor"])
    await expect(page.get_by_role("heading", name="shared")).to_be_visible()


async def test_what_one_writes_the_others_see_and_are_told_of(slack: SlackServer, open_page: OpenPage) -> None:
    erin, avery = await open_page(), await open_page(f"/#/{p.APPROVER}/{p.APPROVALS}")
    await write(erin, "hello @ave")
    await erin.get_by_role("option", name="Avery Approver").click()
    await write(erin, "see https://shop.example/x?a=1&b=2 <b>")
    await erin.keyboard.press("Enter")
    (message,) = slack.messages(p.INCIDENT)
    assert message.text == f"hello <@{p.APPROVER}> see <https://shop.example/x?a=1&amp;b=2> &lt;b&gt;"
    row = avery.get_by_role("link", name="incident")
    await expect(row).to_contain_text("1")
    await expect(erin.get_by_role("radio", name="Avery")).to_contain_text("1")
    await row.click()
    shown = avery.get_by_role("article", name="Erin Engineer")
    await expect(shown).to_contain_text("hello @Avery Approver see https://shop.example/x?a=1&b=2 <b>")
    await expect(erin.get_by_role("radio", name="Avery")).not_to_contain_text("1")


async def test_a_thread_is_beside_the_channel(slack: SlackServer, open_page: OpenPage) -> None:
    first = await slack.say(p.INCIDENT, p.APPROVER, "checkout fails")
    page = await open_page()
    message = page.get_by_role("article", name="checkout fails")
    await message.hover()
    await message.get_by_role("button", name="Reply in thread").click()
    await write(page, "I look", "Reply …")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("complementary", name="Thread")).to_contain_text("1 reply")
    assert [reply.text for reply in slack.workspace.replies(first)] == ["I look"]
    await write(page, "/token check shop/checkout", "Reply …")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("complementary", name="Thread")).to_contain_text("not supported in threads")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("complementary", name="Thread")).to_be_hidden()
    await expect(page.locator("#composer")).to_be_focused()
    await page.get_by_role("button", name="1 reply").click()
    await expect(page.get_by_role("complementary", name="Thread")).to_contain_text("I look")


async def test_the_message_field_offers_commands_and_targets(open_page: OpenPage) -> None:
    page = await open_page()
    options = page.get_by_role("option")
    await write(page, "/to")
    await expect(options).to_have_text(["/tokenWhy is a workload's token refused?"])
    await page.keyboard.press("Enter")
    await expect(page.locator("#composer")).to_have_value("/token ")
    await expect(options).to_have_count(8)
    await page.keyboard.press("ArrowDown")
    await expect(page.locator("#composer")).to_have_attribute("aria-activedescendant", "offers-1-0")
    await page.keyboard.press("Tab")
    await expect(page.locator("#composer")).to_have_value("/token check ")
    await expect(options).to_have_text(["shop/checkoutDeployment", "shop/reportsCronJob"])
    await write(page, "rep")
    await page.keyboard.press("Enter")
    await expect(page.locator("#composer")).to_have_value("/token check shop/reports")
    await page.keyboard.press("Escape")
    await expect(options).to_have_count(0)
    await page.keyboard.press("Enter")
    said = page.get_by_text('/token failed with the error "dispatch_failed"')
    await expect(said).to_be_visible()


async def test_what_is_no_command_is_told_to_the_writer_only(slack: SlackServer, open_page: OpenPage) -> None:
    page = await open_page()
    await write(page, "/frobnicate now")
    await page.keyboard.press("Enter")
    told = page.locator(".ephemeral")
    await expect(told).to_contain_text("Only visible to you")
    await expect(told).to_contain_text("/frobnicate is not a valid command")
    await told.get_by_role("button", name="Dismiss message").click()
    await expect(told).to_have_count(0)
    assert not slack.messages(p.INCIDENT)
    assert not slack.ephemerals(p.ENGINEER)


async def test_a_channel_is_joined_and_the_bot_invited(slack: SlackServer, open_page: OpenPage) -> None:
    page = await open_page(f"/#/{p.ENGINEER}/{p.APPROVALS}")
    await page.get_by_role("button", name="Join channel").click()
    await expect(page.get_by_label("Message #approvals")).to_be_visible()
    assert p.ENGINEER in slack.workspace.channels[p.APPROVALS].members
    await page.get_by_role("link", name="random").click()
    await write(page, "/invite @token-doctor", "Message #random")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("@token-doctor is in this channel.")).to_be_visible()
    assert p.BOT_USER in slack.workspace.channels[p.RANDOM].members


async def test_a_press_that_matters_is_asked_about_first(slack: SlackServer, open_page: OpenPage) -> None:
    post(slack, [kit.ACTIONS])
    page = await open_page()
    button = page.get_by_role("button", name="Delete")
    await button.click()
    question = page.get_by_role("dialog", name="Really?")
    await expect(question.get_by_role("button", name="Delete it")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(question).to_have_count(0)
    await expect(button).to_be_focused()
    assert slack.traffic.at("websocket") == []
    await button.click()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_contain_text("token-doctor is not connected")


async def test_a_menu_is_walked_with_the_keys(slack: SlackServer, open_page: OpenPage) -> None:
    post(slack, [kit.ACTIONS], "an alert")
    page = await open_page()
    message = page.get_by_role("article", name="an alert")
    await message.focus()
    more = message.get_by_role("button", name="More actions")
    await more.press("Enter")
    items = page.get_by_role("menuitem")
    await expect(items).to_have_text(["Check tokens heretoken-doctor", "Reply in thread", "Copy text"])
    await page.keyboard.press("ArrowUp")
    await expect(items.last).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(items).to_have_count(0)
    await expect(more).to_be_focused()
    await more.press("Enter")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_contain_text("token-doctor is not connected")


async def test_a_modal_keeps_what_was_written_and_says_what_is_wrong(slack: SlackServer, open_page: OpenPage) -> None:
    view = add_view(slack.workspace, p.ENGINEER, sound_view(MODAL, "modal"))
    page = await open_page()
    modal = page.get_by_role("dialog", name="Restart a workload")
    why = modal.get_by_label("Why")
    await expect(why).to_be_focused()
    await modal.get_by_role("button", name="Ask").click()
    await expect(modal.get_by_role("alert").first).to_have_text("Please complete this required field.")
    await expect(why).to_have_attribute("aria-invalid", "true")
    await why.fill("401 since nine")
    view.errors = {"reason": "That looks like a token."}
    await slack.changes.notify()
    await expect(modal.get_by_role("alert").first).to_have_text("That looks like a token.")
    replace_view(slack.workspace, view, sound_view({**MODAL, "submit": {"type": "plain_text", "text": "Go"}}, "modal"))
    await slack.changes.notify()
    await modal.get_by_role("button", name="Go").wait_for()
    await expect(why).to_have_value("401 since nine")
    await modal.get_by_role("button", name="Go").click()
    await expect(modal).to_contain_text("token-doctor is not connected")
    await page.keyboard.press("Escape")
    await expect(modal).to_have_count(0)
    await slack.wait_for(lambda: not view.open)


async def test_modals_stand_on_one_another(slack: SlackServer, open_page: OpenPage) -> None:
    below = add_view(slack.workspace, p.ENGINEER, sound_view(MODAL, "modal"))
    page = await open_page()
    await page.get_by_label("Why").fill("kept")
    above = {**MODAL, "title": {"type": "plain_text", "text": "Above"}}
    add_view(slack.workspace, p.ENGINEER, sound_view(above, "modal"), below)
    await slack.changes.notify()
    await page.get_by_role("heading", name="Above").wait_for()
    await page.keyboard.press("Escape")
    await page.get_by_role("heading", name="Restart a workload").wait_for()
    await expect(page.get_by_label("Why")).to_have_value("kept")


async def test_the_cluster_is_broken_and_mended_beside_it(lever: OneLever, open_page: OpenPage) -> None:
    page = await open_page()
    panel = page.get_by_role("complementary", name="Cluster")
    await panel.get_by_role("button", name="Break: Recreate checkout's service account").click()
    await panel.get_by_role("button", name="Mend: Recreate checkout's service account").wait_for()
    await expect(panel).to_contain_text("tokens refused")
    assert lever.pulled == ["break-checkout"]
    await panel.get_by_role("button", name="Check shop/checkout").click()
    await expect(page.locator("#composer")).to_have_value("/token check shop/checkout")
    await page.get_by_role("button", name="Cluster").click()
    await expect(panel).to_be_hidden()


async def test_on_a_phone_the_panel_makes_room_for_what_it_proposes(open_page: OpenPage) -> None:
    page = await open_page(width=390)
    await page.get_by_role("button", name="Cluster", exact=True).click()
    await page.get_by_role("button", name="/token check shop/checkout").click()
    await expect(page.get_by_role("complementary", name="Cluster")).to_be_hidden()
    await expect(page.locator("#composer")).to_have_value("/token check shop/checkout")


async def test_the_button_follows_a_machine_that_turns_dark(open_page: OpenPage) -> None:
    page = await open_page("/")
    await expect(page.get_by_role("button", name="Dark colours")).to_be_visible()
    await page.emulate_media(color_scheme="dark")
    await expect(page.get_by_role("button", name="Light colours")).to_be_visible()


async def test_dark_and_light_are_the_machines_wish_and_then_ones_own(open_page: OpenPage) -> None:
    for scheme, other in (("light", "dark"), ("dark", "light")):
        page = await open_page(scheme=scheme)
        await expect(page.locator("html")).to_have_attribute("data-theme", scheme)
        await page.get_by_role("button", name=f"{other.title()} colours").click()
        await page.reload()
        await expect(page.locator("html")).to_have_attribute("data-theme", other)


async def test_the_end_is_followed_until_somebody_scrolls_up(slack: SlackServer, open_page: OpenPage) -> None:
    """Also when a message grows right after it came, as the bot's do."""
    page = await open_page()
    end = "(({scrollHeight, scrollTop, clientHeight}) => scrollHeight - scrollTop - clientHeight)"
    left = f"{end}(document.querySelector('.timeline'))"
    posted = post(slack, kit.SECTIONS)
    await slack.changes.notify()
    await page.locator(f'[data-ts="{posted.ts}"]').wait_for()
    posted.blocks = [*kit.SECTIONS, *kit.RICH, *kit.SECTIONS, *kit.RICH]
    await slack.changes.notify()
    await expect(page.locator(f'[data-ts="{posted.ts}"] .header')).to_have_count(2)
    await page.wait_for_function(f"{left} < 2")
    await page.locator(".timeline").evaluate("node => { node.scrollTop = 0; }")
    await page.wait_for_timeout(100)  # the browser tells of it with the next frame
    late = post(slack, kit.SECTIONS)
    await slack.changes.notify()
    await page.locator(f'[data-ts="{late.ts}"]').wait_for()
    assert await page.evaluate(left) > 100


@pytest.mark.parametrize("width", [1440, 980, 600, 390])
async def test_nothing_is_wider_than_the_window(slack: SlackServer, open_page: OpenPage, width: int) -> None:
    for blocks in kit.MESSAGES:
        post(slack, blocks)
    page = await open_page(width=width)
    await page.get_by_role("article").first.wait_for()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for button in ("Cluster", "Dark colours"):
        box = await page.get_by_role("button", name=button, exact=True).bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= width
    assert await page.evaluate(
        "(({scrollWidth, clientWidth}) => scrollWidth <= clientWidth)(document.querySelector('.timeline'))"
    )


async def test_everything_that_can_be_pressed_has_a_name(slack: SlackServer, open_page: OpenPage) -> None:
    for blocks in kit.MESSAGES:
        post(slack, blocks)
    slack.workspace.tell(Ephemeral(p.INCIDENT, p.ENGINEER, slack.workspace.new_ts(p.INCIDENT), "psst", [], "ack"))
    page = await open_page()
    await page.get_by_role("article").first.hover()
    nameless = await page.evaluate(
        """() => [...document.querySelectorAll("button, a, input, textarea, select, [role=img]")]
          .filter((node) => !(node.getAttribute("aria-label") || node.getAttribute("aria-labelledby")
            || node.innerText?.trim() || node.labels?.[0]?.innerText))
          .map((node) => node.outerHTML)"""
    )
    assert nameless == []
