"""The demo as a visitor lives it: the real bot between the page and the cluster."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, expect

from demo.cluster import load
from demo.cluster.resources import SECRETS
from demo.slack import people as p
from tests.demo.browser import Complaints
from tests.demo.stage import Stage, hurried, staged
from tests.demo.visitor import PATIENCE, Visitor

pytestmark = pytest.mark.browser

Visit = Callable[[], Awaitable[Visitor]]


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path, hurried(load("default"), "shop/checkout")) as stage:
        yield stage


@pytest.fixture
async def visitor(opened_browser: Browser, stage: Stage) -> AsyncIterator[Visitor]:
    """Erin, in #incident; at the end the page's console must be silent."""
    complaints = Complaints()
    page = await opened_browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(30_000)
    complaints.listen(page)
    await page.goto(stage.slack.url)
    yield Visitor(page)
    await page.close()
    assert complaints == []


async def test_from_a_check_over_an_approval_to_refusals_that_have_stopped(visitor: Visitor) -> None:
    await visitor.writes("/token check shop/checkout")
    answer = await visitor.sees("What helps")
    await expect(answer.locator(".header")).to_contain_text("Critical")
    await visitor.presses(answer, "Restart")
    await visitor.is_told("Policy rule 2 wants 1 approval")
    await visitor.says_why("401 since nine", "Ask for approval")
    await visitor.is_told("The approvers decide in #approvals")
    await visitor.closes()
    await visitor.become("Avery")
    await visitor.goes_to("approvals")
    asked = await visitor.sees("401 since nine")
    await visitor.presses(asked, "Approve")
    await visitor.says_why("go ahead", "Approve")
    await visitor.is_told("Your approval counts")
    await visitor.closes()
    await expect(asked).to_contain_text("approved by @Avery Approver", timeout=PATIENCE)
    await expect(asked).to_contain_text("Done", timeout=PATIENCE)
    await expect(asked).to_contain_text("The 401s have stopped", timeout=PATIENCE)
    await expect(asked.locator(".actions")).to_have_count(0)
    light = visitor.page.locator('[data-workload="shop/checkout"] .light')
    await expect(light).to_have_attribute("aria-label", "fine", timeout=PATIENCE)
    await visitor.become("Erin")
    await visitor.presses(await visitor.sees("What helps"), "replies")
    thread = visitor.page.get_by_role("complementary", name="Thread")
    outcome = thread.get_by_role("article").filter(has_text="Done").last
    await expect(outcome).to_contain_text("@Erin Engineer")


async def approved_by_avery(visitor: Visitor, reason: str) -> Locator:
    """The request's message, in #approvals."""
    await visitor.become("Avery")
    await visitor.goes_to("approvals")
    asked = await visitor.sees(reason)
    await visitor.presses(asked, "Approve")
    await visitor.says_why("", "Approve")
    await visitor.is_told("Your approval counts")
    await visitor.closes()
    return asked


async def test_a_token_secret_is_created(visitor: Visitor, stage: Stage) -> None:
    await visitor.writes("/token create-secret shop/ci")
    await visitor.is_told("shop/ci")
    await visitor.says_why("for the build", "Ask for approval")
    await visitor.is_told("Asked")
    await visitor.closes()
    asked = await approved_by_avery(visitor, "for the build")
    await expect(asked).to_contain_text("✅ Done", timeout=PATIENCE)
    assert b"eyJhbGciOi" not in b"".join(record.data for record in stage.slack.traffic.records)


async def test_a_token_secret_that_was_deleted_is_made_again(visitor: Visitor, stage: Stage) -> None:
    await visitor.writes("/token check analytics/reports")
    answer = await visitor.sees("The Secret that held the token was deleted")
    await visitor.presses(answer, "Create Secret reports-token again")
    await visitor.is_told("reports-token")
    await visitor.says_why("the nightly report needs it", "Ask for approval")
    await visitor.is_told("Asked")
    await visitor.closes()
    asked = await approved_by_avery(visitor, "the nightly report needs it")
    await expect(asked).to_contain_text("is filled, and its token", timeout=PATIENCE)
    await expect(asked).to_contain_text("✅ Done", timeout=PATIENCE)
    secret = stage.cluster.machinery.registry.get(SECRETS, "analytics", "reports-token")
    assert secret["data"]["token"]


async def test_a_digest_on_demand_is_one_message_from_the_first_look_on(visitor: Visitor, stage: Stage) -> None:
    """The API server takes its time, so that there is something to see."""
    await stage.cluster.act("break-api-server")
    await visitor.writes("/token digest")
    asked = await visitor.sees("reading all namespaces")
    place = visitor.page.locator(f'#main [data-ts="{await asked.get_attribute("data-ts")}"]')
    await expect(place).to_contain_text("asked by @Erin Engineer")
    await stage.cluster.act("mend-api-server")
    await expect(place).to_contain_text("5 Secrets never expire", timeout=PATIENCE)
    await expect(place).to_contain_text("In the thread: 9 items")


async def test_a_digest_and_what_can_wait(visitor: Visitor) -> None:
    """The day's comes by itself; one on demand knows what it told, and who keeps what quiet until when, and why."""
    daily = await visitor.sees("Digest daily")
    await expect(daily.locator("figure.chart")).to_contain_text("What there is")
    await expect(daily).to_contain_text("data/exporter-kubeconfig")
    await visitor.presses(daily, "repl")
    thread = visitor.page.get_by_role("complementary", name="Thread")
    page = thread.get_by_role("article").filter(has_text="shop/ci-token").last
    await page.get_by_role("button", name="Snooze").last.click()
    await visitor.is_told("Secret shop/ci-token")
    await visitor.window().get_by_role("textbox").last.fill("goes with the old build server")
    await visitor.window().get_by_role("button", name="Snooze", exact=True).click()
    await visitor.is_told("The digest says so")
    await visitor.closes()
    await expect(daily).to_contain_text("Snoozed by @Erin Engineer", timeout=PATIENCE)
    await expect(page).to_contain_text("goes with the old build server", timeout=PATIENCE)

    await visitor.writes("/token digest shop")
    asked = await visitor.sees("Digest daily, cluster prod, namespace shop")
    await expect(asked).to_contain_text("goes with the old build server")
    await visitor.writes("/token legacy")
    await expect(await visitor.sees("the token Secrets of all namespaces")).to_contain_text("saml-bridge-token-9w2ml")


async def test_who_may_not_decide_is_refused_with_the_reason(visitor: Visitor) -> None:
    """The requester, who is no approver; an approver for their own request; a guest."""
    await visitor.asks_to_restart("shop/checkout", "asked by the engineer")
    await visitor.goes_to("approvals")
    await visitor.page.get_by_role("button", name="Join channel").click()
    await visitor.presses(await visitor.sees("asked by the engineer"), "Approve")
    await visitor.is_told("none of the approvers of policy rule 2")
    await visitor.closes()
    await visitor.presses(visitor.message("asked by the engineer"), "Cancel")
    await visitor.says_why("", "Cancel the request")
    await visitor.is_told("It is cancelled")
    await visitor.closes()

    await visitor.become("Avery")
    await visitor.goes_to("shared")
    await visitor.asks_to_restart("shop/checkout", "asked by the approver")
    asked = await visitor.sees("asked by the approver")
    await visitor.presses(asked, "Approve")
    await visitor.is_told("own request")
    await visitor.closes()

    await visitor.become("Olga")
    await visitor.presses(await visitor.sees("asked by the approver"), "Approve")
    await visitor.is_told("workspace")
    await visitor.closes()
    await visitor.writes("/token check shop/checkout")
    told = visitor.page.locator(".ephemeral").last
    await expect(told).to_contain_text("Only visible to you")
    await expect(told).to_contain_text("workspace", timeout=PATIENCE)


async def tabbed_to(visitor: Visitor, wanted: str, key: str = "Tab") -> None:
    """Presses the key until what has the focus fits; `wanted` is JavaScript about `it`."""
    for _ in range(60):
        if await visitor.page.evaluate(f"(it => {wanted})(document.activeElement)"):
            return
        await visitor.page.keyboard.press(key)
    raise AssertionError(f"{key} never comes to {wanted}")


async def test_with_the_keyboard_alone(visitor: Visitor) -> None:
    """From the command over the answer's button and the form to the next person."""
    keys = visitor.page.keyboard
    await tabbed_to(visitor, "it.id === 'composer'")
    for press in ("/tok", "Tab", "che", "Tab", "shop/checkout", "Enter"):
        await (keys.press(press) if press in ("Tab", "Enter") else keys.type(press))
    await visitor.sees("What helps")
    await tabbed_to(visitor, "it.classList.contains('timeline')", "Shift+Tab")
    await keys.press("ArrowUp")
    await expect(visitor.page.locator(".message:focus")).to_contain_text("What helps")
    await tabbed_to(visitor, "it.matches('.actions .button')")
    await keys.press("Enter")
    await expect(visitor.window().get_by_role("textbox")).to_be_focused(timeout=PATIENCE)
    await keys.type("by hand")
    await tabbed_to(visitor, "it.innerText === 'Ask for approval'")
    await keys.press("Enter")
    await visitor.is_told("Asked")
    await keys.press("Escape")
    await expect(visitor.window()).to_have_count(0)
    await tabbed_to(visitor, "it.getAttribute('role') === 'radio'", "Shift+Tab")
    await keys.press("ArrowRight")
    await expect(visitor.page.get_by_role("radio", name="Avery")).to_be_checked()
    await tabbed_to(visitor, "it.innerText.startsWith('approvals')")
    await keys.press("Enter")
    await visitor.sees("by hand")


async def test_an_alerts_menu_leads_to_a_check_in_its_thread(visitor: Visitor, stage: Stage) -> None:
    alert = await visitor.sees("HttpRequestsRefused")
    await alert.hover()
    await alert.get_by_role("button", name="More actions").click()
    await visitor.page.get_by_role("menuitem", name="Check tokens here").click()
    await visitor.is_told("Which of these?")
    await visitor.window().get_by_role("button", name="Check", exact=True).click()
    await expect(visitor.window()).to_have_count(0, timeout=PATIENCE)
    await expect(alert).to_contain_text(re.compile(r"\d repl"), timeout=PATIENCE)
    first = stage.slack.messages(p.INCIDENT)[0]
    assert all(reply.user == p.BOT_USER for reply in stage.slack.workspace.replies(first))


async def test_the_home_tab_has_what_waits(visitor: Visitor) -> None:
    await visitor.asks_to_restart("shop/checkout", "from the home tab")
    await visitor.become("Avery")
    await visitor.goes_to("token-doctor")
    home = visitor.page.locator(".home-page")
    await expect(home).to_contain_text("from the home tab", timeout=PATIENCE)
    await home.get_by_role("button", name="Approve").click()
    await visitor.says_why("", "Approve")
    await visitor.is_told("Your approval counts")
    await visitor.closes()
    await expect(home).to_contain_text("Nothing waits for your approval", timeout=PATIENCE)
