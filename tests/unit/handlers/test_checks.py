"""A check's message where Slack or the bot itself fails; the whole way is in tests/scenarios."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import structlog
from aiohttp import ClientSession

from bot.model import Digest, Report, Target
from bot.slack.client import TIMEOUT, web_client
from bot.slack.door import Slack
from bot.slack.people import UNSURE
from bot.slack.remembered import Remembered
from demo.slack import SlackServer
from demo.slack import people as p
from handlers.censuses import Censuses
from handlers.checks import Checks
from handlers.desk import Desk
from handlers.middleware import Doorkeeper, Heard
from handlers.places import Ask
from handlers.words import of_slash_command
from handlers.work import AT_ONCE, Work
from tests.unit.cli.reports import CRITICAL

Ready = Callable[[Callable[[Target], Awaitable[Report]]], tuple[Desk, Work]]


@pytest.fixture
async def server() -> AsyncIterator[SlackServer]:
    async with SlackServer() as server:
        yield server


@pytest.fixture
async def slack(server: SlackServer) -> AsyncIterator[Slack]:
    async with ClientSession(timeout=TIMEOUT) as session:
        slack = Slack(web_client(session, server.api_url, server.bot_token), session, time.monotonic)
        yield slack
        await slack.drain(0)


@pytest.fixture
async def desk(slack: Slack) -> AsyncIterator[Ready]:
    """A desk whose checks are answered by the function given."""
    works: list[Work] = []

    def ready(examine: Callable[[Target], Awaitable[Report]]) -> tuple[Desk, Work]:
        work = Work(at_once)
        works.append(work)
        doorkeeper = Doorkeeper(Remembered(slack.user, time.monotonic), p.TEAM.id)
        checks = Checks(examine, {}, "token-doctor")
        heard = Heard(time.monotonic)
        censuses = Censuses(
            NoCluster(), {}, "token-doctor", clusters=tuple, store=None, acts=False, monotonic=time.monotonic
        )
        return Desk(slack, doorkeeper, heard, work, checks=checks, censuses=censuses, name="token-doctor"), work

    yield ready
    for work in works:
        await work.finish(0)


class NoCluster:
    """Whom nobody asks here."""

    async def digest(self, **_: object) -> Digest:
        raise AssertionError


async def at_once() -> None:
    pass


async def good(_: Target) -> Report:
    return CRITICAL


async def hanging(_: Target) -> Report:
    await asyncio.Event().wait()
    raise AssertionError


def ask(server: SlackServer, channel: str = p.INCIDENT, number: int = 1) -> Ask:
    url = server.response_urls.issue("commands", channel, p.ENGINEER)
    return Ask(id=f"trigger-{number}", user=p.ENGINEER, channel=channel, response_url=f"{server.url}{url.path}")


def take(desk: Desk, ask: Ask, text: str = "check shop/checkout-1") -> None:
    desk.take(ask, text, of_slash_command)


def texts(server: SlackServer, channel: str = p.INCIDENT) -> list[str]:
    return [message.text for message in server.messages(channel) if not message.thread_ts]


async def test_a_post_of_unknown_outcome_is_answered_in_a_whisper(server: SlackServer, desk: Ready) -> None:
    server.fail("chat.postMessage", drop="after")
    asked, work = desk(good)
    take(asked, ask(server))
    await work.finish(10)
    (whisper,) = server.ephemerals(p.ENGINEER)
    assert whisper.text.startswith(f"🔴 Critical: {CRITICAL.headline}")
    assert len(texts(server)) == 1


@pytest.mark.parametrize(
    ("channel", "words"),
    [
        (p.RANDOM, "`/invite @token-doctor`"),
        (p.PRIVATE, "`/invite @token-doctor`"),
        (p.ARCHIVED, "This channel is archived"),
    ],
)
async def test_where_the_bot_cannot_post_it_says_so_at_once(
    server: SlackServer, desk: Ready, channel: str, words: str
) -> None:
    asked, work = desk(hanging)
    take(asked, ask(server, channel))
    await work.finish(10)
    (whisper,) = server.ephemerals(p.ENGINEER)
    assert words in whisper.text
    assert texts(server, channel) == []


async def test_an_error_of_the_bots_own_has_a_number_that_the_log_has_too(server: SlackServer, desk: Ready) -> None:
    async def broken(_: Target) -> Report:
        raise ZeroDivisionError("a detail for the log")

    asked, work = desk(broken)
    with structlog.testing.capture_logs() as logs:
        take(asked, ask(server))
        await work.finish(10)
    (incident,) = [entry["incident"] for entry in logs if "incident" in entry]
    (text,) = texts(server)
    assert f"incident {incident}" in text
    assert "detail" not in text


async def test_what_could_not_be_finished_says_that_it_was_stopped(server: SlackServer, desk: Ready) -> None:
    asked, work = desk(hanging)
    take(asked, ask(server))
    await server.wait_for(lambda: texts(server))
    await work.finish(0)
    await server.wait_for(lambda: server.messages(p.INCIDENT)[0].history)
    (text,) = texts(server)
    assert "The bot was stopped before there was an answer." in text


async def test_an_answer_is_not_taken_back_at_the_stop(server: SlackServer, slack: Slack, desk: Ready) -> None:
    asked, work = desk(good)
    server.fail("chat.postMessage", delay=1, when=lambda arguments: "thread_ts" in arguments)
    take(asked, ask(server))
    await server.wait_for(lambda: server.messages(p.INCIDENT) and server.messages(p.INCIDENT)[0].history)
    await work.finish(0)
    await slack.drain(10)
    (text,) = texts(server)
    assert text.startswith("🔴 Critical")


async def test_what_slack_sends_twice_is_done_once(server: SlackServer, desk: Ready) -> None:
    asked, work = desk(good)
    for _ in range(3):
        take(asked, ask(server))
    await work.finish(10)
    assert len(texts(server)) == 1


async def test_a_message_that_is_deleted_meanwhile_is_answered_anew(server: SlackServer, desk: Ready) -> None:
    go = asyncio.Event()

    async def waiting(_: Target) -> Report:
        await go.wait()
        return CRITICAL

    asked, work = desk(waiting)
    take(asked, ask(server))
    await server.wait_for(lambda: texts(server))
    server.messages(p.INCIDENT)[0].deleted = True
    go.set()
    await work.finish(10)
    (text,) = texts(server)
    assert text.startswith("🔴 Critical")
    (parent,) = [message for message in server.messages(p.INCIDENT) if not message.thread_ts]
    replies = [message for message in server.messages(p.INCIDENT) if message.thread_ts]
    assert replies
    assert {reply.thread_ts for reply in replies} == {parent.ts}


async def test_the_first_message_does_not_wait_for_a_turn(server: SlackServer, desk: Ready) -> None:
    asked, _ = desk(hanging)
    channels = (p.INCIDENT, p.APPROVALS, p.SHARED)
    for number in range(AT_ONCE + 3):
        take(asked, ask(server, channels[number % 3], number))
    await server.wait_for(lambda: sum(len(texts(server, channel)) for channel in channels) == AT_ONCE + 3, 15)


async def test_a_dead_cluster_delays_no_other(server: SlackServer, desk: Ready) -> None:
    async def answers(target: Target) -> Report:
        return await (hanging(target) if target.cluster == "dead" else good(target))

    asked, _ = desk(answers)
    for number in range(AT_ONCE + 1):
        asked.take(ask(server, p.APPROVALS, number), "check dead:shop/checkout", of_slash_command)
    asked.take(ask(server, p.INCIDENT, 99), "check prod:shop/checkout", of_slash_command)
    await server.wait_for(lambda: [text for text in texts(server) if text.startswith("🔴 Critical")], 15)


async def test_nobody_gets_an_answer_while_slack_cannot_say_who_asks(server: SlackServer, desk: Ready) -> None:
    server.fail("users.info", error="internal_error", times=9)
    asked, work = desk(good)
    take(asked, ask(server))
    await work.finish(10)
    assert texts(server) == []
    assert [e.text for e in server.ephemerals(p.ENGINEER)] == [UNSURE]
