"""A modal from "loading" to what came of it, whatever Slack or the work does; the whole way is in tests/scenarios."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import structlog
from aiohttp import ClientSession

from bot.blocks import modals
from bot.errors import StoreUnavailableError
from bot.slack.client import TIMEOUT, web_client
from bot.slack.door import Slack
from bot.slack.outgoing import HELD_BACK
from bot.slack.remembered import Remembered
from bot.slack.views import Views, safe_view
from demo.slack import SlackServer
from demo.slack import people as p
from handlers.forms import Forms, Press, press_of
from handlers.middleware import Doorkeeper, Heard
from handlers.work import Work

TITLE = "Restart a workload"
TOKEN = "eyJhbGciOiJSUzI1NiIsImtpZCI6IkFBQSJ9.eyJpc3MiOiJrdWJlcm5ldGVzIn0.c2lnbmF0dXJl"


class Desk:
    """Forms over a stand-in, and the work that they start."""

    def __init__(self, server: SlackServer, session: ClientSession) -> None:
        client = web_client(session, server.api_url, server.bot_token)
        slack = Slack(client, session, time.monotonic)
        self.server = server
        self.work = Work(_at_once)
        doorkeeper = Doorkeeper(Remembered(slack.user, time.monotonic), p.TEAM.id)
        self.forms = Forms(Views(client), slack, doorkeeper, Heard(time.monotonic), self.work)

    def press(self, user: str = p.ENGINEER, modal: str = "") -> Press:
        trigger = self.server.triggers.issue(user)
        url = self.server.response_urls.issue("actions", p.INCIDENT, user)
        return Press(
            id=trigger, user=user, trigger_id=trigger, modal=modal, response_url=f"{self.server.url}{url.path}"
        )

    async def shown(self, press: Press, work: Callable[[], Awaitable[modals.View]]) -> str:
        self.forms.take(press, TITLE, work)
        await self.work.finish(10)
        return json.dumps([view.definition["blocks"] for view in self.server.modals(press.user)], ensure_ascii=False)


async def _at_once() -> None:
    pass


async def done() -> modals.View:
    return modals.refused(TITLE, "that is how it is")


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with SlackServer() as server, ClientSession(timeout=TIMEOUT) as session:
        desk = Desk(server, session)
        yield desk
        await desk.work.finish(0)


async def test_it_opens_before_the_work_is_done(desk: Desk) -> None:
    release = asyncio.Event()

    async def slow() -> modals.View:
        await release.wait()
        return await done()

    desk.forms.take(desk.press(), TITLE, slow)
    await desk.server.wait_for(lambda: "Looking at it" in str(desk.server.modals(p.ENGINEER)))
    release.set()
    await desk.server.wait_for(lambda: "That is how it is." in str(desk.server.modals(p.ENGINEER)))


async def test_a_doubled_press_is_one(desk: Desk) -> None:
    press, times = desk.press(), []

    async def counted() -> modals.View:
        times.append(1)
        return await done()

    desk.forms.take(press, TITLE, counted)
    assert "That is how it is." in await desk.shown(press, counted)
    assert len(desk.server.modals(p.ENGINEER)) == len(times) == 1


async def test_a_failure_is_told_in_the_modal(desk: Desk) -> None:
    async def away() -> modals.View:
        raise StoreUnavailableError("The database is away.", next_step="Try again in a moment.")

    told = await desk.shown(desk.press(), away)
    assert "The database is away." in told
    assert "Try again in a moment." in told


async def test_an_error_of_the_bots_own_has_a_number_that_the_log_has_too(desk: Desk) -> None:
    async def broken() -> modals.View:
        raise ZeroDivisionError("a detail for the log")

    with structlog.testing.capture_logs() as logs:
        told = await desk.shown(desk.press(), broken)
    (entry,) = [entry for entry in logs if entry["event"] == "a form broke"]
    assert entry["incident"] in told
    assert "detail" not in told


@pytest.mark.parametrize(
    ("user", "words"), [(p.OUTSIDER, "its own workspace"), (p.FORMER, "deactivated"), (p.OTHER_BOT, "bots")]
)
async def test_who_gets_no_answer_gets_no_work_done_either(desk: Desk, user: str, words: str) -> None:
    async def never() -> modals.View:
        raise AssertionError

    assert words in await desk.shown(desk.press(user), never)


async def test_a_press_that_comes_too_late_is_answered_in_a_whisper(desk: Desk) -> None:
    desk.server.fail("views.open", error="expired_trigger_id")
    await desk.shown(desk.press(), done)
    (told,) = desk.server.ephemerals(p.ENGINEER)
    assert "Press it once more." in told.text


async def test_a_lost_answer_to_the_opening_opens_no_second_modal(desk: Desk) -> None:
    """The client tries again, and the trigger is spent: the modal that is there is filled in."""
    desk.server.fail("views.open", drop="after")
    assert "That is how it is." in await desk.shown(desk.press(), done)
    assert len(desk.server.modals(p.ENGINEER)) == 1


async def test_what_an_acknowledgement_opens_may_come_after_the_answer(desk: Desk) -> None:
    """Slack takes the acknowledgement from the websocket and the update from elsewhere: in any order."""
    name, waiting = desk.forms.waiting(TITLE)
    desk.forms.take(desk.press(modal=name), TITLE, done)
    await desk.server.wait_for(lambda: len(desk.server.traffic.at("/api/views.update", "to_bot")) == 1)
    late = desk.press()
    async with ClientSession() as session:
        client = web_client(session, desk.server.api_url, desk.server.bot_token)
        await client.api_call("views.open", json={"trigger_id": late.trigger_id, "view": waiting})
    await desk.server.wait_for(lambda: "That is how it is." in str(desk.server.modals(p.ENGINEER)))


async def test_a_modal_that_was_closed_is_let_go(desk: Desk) -> None:
    async def closed() -> modals.View:
        desk.server.modals(p.ENGINEER)[0].open = False
        return await done()

    with structlog.testing.capture_logs() as logs:
        assert await desk.shown(desk.press(), closed) == "[]"
    assert [entry["log_level"] for entry in logs if "was not filled in" in entry["event"]] == ["info"]


def test_a_token_in_a_view_is_taken_out_and_the_log_says_so() -> None:
    raw = {**modals.loading(TITLE), "private_metadata": f"it holds {TOKEN}"}
    keyed = {**modals.loading(TITLE), "blocks": [{TOKEN: "as a key"}]}
    with structlog.testing.capture_logs() as logs:
        assert safe_view(raw)["private_metadata"] == "it holds [token removed]"
        assert HELD_BACK in str(safe_view(keyed))
        assert TOKEN not in str(safe_view(keyed))
    assert {entry["log_level"] for entry in logs} == {"error"}
    assert safe_view(modals.loading(TITLE)) == modals.loading(TITLE)


def test_a_press_knows_the_thread_it_belongs_to() -> None:
    body = {"trigger_id": "1.2", "user": {"id": "U0ENGINEER1"}, "channel": {"id": "C0INCIDENT1"}}
    assert press_of({**body, "message": {"ts": "5.0"}}).thread_ts == "5.0"
    assert press_of({**body, "message": {"ts": "6.0", "thread_ts": "5.0"}}).thread_ts == "5.0"
    assert press_of({**body, "container": {"thread_ts": "4.0"}}).thread_ts == "4.0"
    assert press_of({"user": {"id": "U1"}, "view": {}}).channel == ""
    assert press_of({}).user == ""
