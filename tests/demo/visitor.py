"""What a visitor does on the page, told in their words."""

from dataclasses import dataclass

from playwright.async_api import Locator, Page, expect

PATIENCE = 60_000  # milliseconds for what the bot and the cluster do


@dataclass(frozen=True)
class Visitor:
    page: Page

    async def become(self, name: str) -> None:
        await self.page.get_by_role("radio", name=name).click()
        await expect(self.page.get_by_role("radio", name=name)).to_be_checked()

    async def goes_to(self, channel: str) -> None:
        await self.page.get_by_role("navigation", name="Channels and apps").get_by_role("link", name=channel).click()
        await expect(self.page.get_by_role("heading", name=channel, level=1)).to_be_visible()

    async def writes(self, text: str) -> None:
        field = self.page.locator("#composer")
        await field.fill(text)
        await field.press("Escape")
        await field.press("Enter")
        await expect(field).to_have_value("")

    def message(self, words: str) -> Locator:
        """The newest message of the bot with these words in it."""
        return self.page.locator(".timeline .message").filter(has_text=words).last

    async def sees(self, words: str) -> Locator:
        message = self.message(words)
        await expect(message).to_be_visible(timeout=PATIENCE)
        return message

    def window(self) -> Locator:
        return self.page.locator("dialog.modal")

    async def is_told(self, words: str) -> None:
        """In the window that is open."""
        await expect(self.window()).to_contain_text(words, timeout=PATIENCE)

    async def says_why(self, reason: str, button: str) -> None:
        """Fills the window's form and sends it."""
        why = self.window().get_by_role("textbox")
        await expect(why).to_be_visible(timeout=PATIENCE)
        await why.fill(reason)
        await self.window().get_by_role("button", name=button, exact=True).click()

    async def closes(self) -> None:
        await self.page.keyboard.press("Escape")
        await expect(self.window()).to_have_count(0)

    async def asks_to_restart(self, target: str, reason: str) -> None:
        await self.writes(f"/token restart {target}")
        await self.says_why(reason, "Ask for approval")
        await self.is_told("Asked")
        await self.closes()

    async def presses(self, message: Locator, button: str) -> None:
        await message.get_by_role("button", name=button).click()
