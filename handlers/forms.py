"""The way of everything that is asked and answered in a modal: opened at once, filled in when the answer is there."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.blocks import modals, notices
from bot.errors import DoctorError
from bot.slack.door import Slack
from bot.slack.posts import LaterError, PostRefusedError, PostUncertainError
from bot.slack.views import Views
from handlers.middleware import Doorkeeper, Heard
from handlers.work import Work

Do = Callable[[], Awaitable[modals.View]]

log = structlog.get_logger(__name__)

_WAITS = (0.0, 0.3, 1.0, 2.0)
"""Seconds before each try to fill a modal in: what was opened in an acknowledgement may not be there yet."""

_TOO_LATE = {"expired_trigger_id", "trigger_expired", "invalid_trigger_id"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A click, a shortcut or a submission. `id` is the same when Slack sends the same thing again.

    `trigger_id` opens a modal; `modal` is one that is open already. `channel` and `thread_ts` say where the message is
    that was acted on, "" in a modal and in the Home tab.
    """

    id: str
    user: str
    trigger_id: str = ""
    modal: str = ""
    channel: str = ""
    thread_ts: str = ""
    response_url: str = ""


def press_of(body: Mapping[str, Any], *, modal: str = "") -> Press:
    """Of a payload of the kinds block_actions, message_action and view_submission."""
    message = body.get("message") or {}
    container = body.get("container") or {}
    trigger = str(body.get("trigger_id") or secrets.token_hex(8))
    ts = message.get("ts") or ""
    return Press(
        id=trigger,
        user=str((body.get("user") or {}).get("id", "")),
        trigger_id=trigger,
        modal=modal,
        channel=str((body.get("channel") or {}).get("id", "")),
        thread_ts=str(message.get("thread_ts") or ts or container.get("thread_ts") or ""),
        response_url=str(body.get("response_url") or ""),
    )


class Forms:
    """A modal's content is what `work` returns; its failures are told in the modal too."""

    def __init__(self, views: Views, slack: Slack, doorkeeper: Doorkeeper, heard: Heard, work: Work) -> None:
        self._views = views
        self._slack = slack
        self._doorkeeper = doorkeeper
        self._heard = heard
        self._work = work

    def take(self, press: Press, title: str, work: Do) -> None:
        """Called once the press is acknowledged; returns at once."""
        if not self._heard.first_time(f"form {press.id}"):
            log.info("Slack sent the same thing again", id=press.id)
            return
        log.info("a form", title=title, user=press.user, channel=press.channel)
        self._work.start(self._serve(press, title, work))

    def say(self, press: Press, view: modals.View) -> None:
        """Where the answer is known already."""

        async def known() -> modals.View:
            return view

        self.take(press, "token-doctor", known)

    async def submitted(self, ack: AsyncAck, body: Mapping[str, Any], title: str, work: Do) -> None:
        """A form that was filled in: its modal stays open and says that it is worked on; then what came of it."""
        modal, waiting = self.waiting(title)
        await ack(response_action="update", view=waiting)
        self.take(press_of(body, modal=modal), title, work)

    def waiting(self, title: str) -> tuple[str, modals.View]:
        """What an acknowledgement shows while the work is done, and the name by which it is filled in."""
        name = secrets.token_hex(16)
        return name, {**modals.loading(title, "One moment …"), "external_id": name}

    async def _serve(self, press: Press, title: str, work: Do) -> None:
        if await self._heard.by_others(f"form {press.id}"):
            log.info("another replica does this", id=press.id)
            return
        modal = press.modal or await self._opened(press, title)
        if modal:
            await self._show(modal, await self._answer(press, title, work))

    async def _opened(self, press: Press, title: str) -> str:
        try:
            return await self._views.open(press.trigger_id, modals.loading(title))
        except (PostRefusedError, LaterError) as error:
            log.warning("a modal could not be opened", error=str(error), user=press.user)
            late = isinstance(error, PostRefusedError) and error.code in _TOO_LATE
            await self._tell(press, "Slack gave up waiting." if late else "Slack did not open the form.")
            return ""

    async def _tell(self, press: Press, sentence: str) -> None:
        if not press.response_url:
            return
        try:
            await self._slack.respond(press.response_url, notices.said(sentence, "Press it once more."))
        except (PostRefusedError, PostUncertainError) as error:
            log.warning("an answer could not be given", user=press.user, error=str(error))

    async def _answer(self, press: Press, title: str, work: Do) -> modals.View:
        try:
            refusal = await self._doorkeeper.refusal(press.user)
            return modals.refused(title, refusal) if refusal else await work()
        except DoctorError as error:
            log.info("a form was refused", title=title, user=press.user, reason=str(error))
            return modals.failed(title, error)
        except Exception:
            number = secrets.token_hex(4)
            log.exception("a form broke", incident=number, title=title)
            return modals.refused(title, *notices.broken_words(number))

    async def _show(self, modal: str, view: modals.View) -> None:
        why = ""
        for seconds in _WAITS:
            await asyncio.sleep(seconds)
            try:
                await self._views.update(modal, view)
            except PostRefusedError as refused:
                why = refused.code
                if why != "not_found":
                    break
            except LaterError as later:
                why = "Slack cannot take it now"
                await asyncio.sleep(min(later.seconds, _WAITS[-1]))
            else:
                return
        log.info("a modal was not filled in: most likely it was closed", why=why)
