"""Delivery over HTTP, judged by Slack's own framework: it verifies the signature and reads what was sent."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from demo.slack import Clock, SlackServer
from demo.slack import people as p
from tests.contract.conftest import GENEROUS, QUICK

SECRET = "demo-signing-secret"


@dataclass
class Receiver:
    """Bolt behind aiohttp, as its documentation puts it there; `answer` takes the place of bolt where it is set."""

    app: AsyncApp
    url: str = ""
    requests: list[web.Request] = field(default_factory=list)
    heard: list[tuple[str, Any]] = field(default_factory=list)
    answer: Callable[[int], web.Response | None] = lambda _: None
    hold: float = 0.0

    async def receive(self, request: web.Request) -> web.Response:
        self.requests.append(request)
        await asyncio.sleep(self.hold)
        instead = self.answer(len(self.requests))
        return instead or await to_aiohttp_response(await self.app.async_dispatch(await to_bolt_request(request)))

    def retries(self) -> list[tuple[str | None, str | None]]:
        headers = [request.headers for request in self.requests]
        return [(each.get("X-Slack-Retry-Num"), each.get("X-Slack-Retry-Reason")) for each in headers]


def manifest(url: str) -> dict[str, Any]:
    return {
        "display_information": {"name": "token-doctor"},
        "features": {
            "slash_commands": [{"command": "/token", "url": url, "description": "d"}],
            "shortcuts": [{"name": "Check", "type": "message", "callback_id": "check_here", "description": "d"}],
        },
        "oauth_config": {"scopes": {"bot": ["commands", "chat:write", "app_mentions:read"]}},
        "settings": {
            "event_subscriptions": {"request_url": url, "bot_events": ["app_mention"]},
            "interactivity": {"is_enabled": True, "request_url": url},
            "socket_mode_enabled": False,
        },
    }


@pytest.fixture
async def receiver(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Receiver]:
    monkeypatch.delenv("SLACK_BOT_TOKEN", raising=False)
    receiver = Receiver(AsyncApp(client=AsyncWebClient(token=p.BOT_TOKEN), signing_secret=SECRET))
    application = web.Application()
    application.router.add_post("/slack/events", receiver.receive)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    yield receiver
    await runner.cleanup()


@pytest.fixture
async def slack(clock: Clock, receiver: Receiver) -> AsyncIterator[SlackServer]:
    async with SlackServer(now=clock, times=QUICK, limits=GENEROUS, manifest=manifest(receiver.url)) as server:
        receiver.app.client.base_url = server.api_url
        yield server


def listen(receiver: Receiver) -> None:
    async def token(ack: AsyncAck, body: dict[str, str]) -> None:
        receiver.heard.append(("command", body["text"]))
        await ack("seen")

    async def shortcut(ack: AsyncAck, body: dict[str, Any]) -> None:
        receiver.heard.append(("shortcut", body["message"]["text"]))
        await ack()

    async def mention(body: dict[str, Any]) -> None:
        receiver.heard.append(("mention", body["event"]["text"]))

    receiver.app.command("/token")(token)
    receiver.app.shortcut("check_here")(shortcut)
    receiver.app.event("app_mention")(mention)


async def test_bolt_takes_what_is_sent_and_its_answers_are_carried_out(slack: SlackServer, receiver: Receiver) -> None:
    listen(receiver)
    assert await slack.http.verify_url()
    delivery = await slack.command("/token", "check ä & =?", user=p.ENGINEER, channel=p.INCIDENT)
    assert (delivery.acked, delivery.response) == (True, {"text": "seen"})
    assert [told.text for told in slack.ephemerals(p.ENGINEER)] == ["seen"]
    message = await slack.say(p.INCIDENT, p.ENGINEER, "it fails: “401”")
    assert (await slack.shortcut(message, "check_here", user=p.ENGINEER)).acked
    mention = await slack.mention(p.INCIDENT, p.ENGINEER, "help")
    assert mention is not None
    assert mention.acked
    await asyncio.sleep(0.1)
    assert receiver.heard == [
        ("command", "check ä & =?"),
        ("shortcut", "it fails: “401”"),
        ("mention", f"<@{p.BOT_USER}> help"),
    ]


async def test_bolt_refuses_what_was_signed_six_minutes_ago(
    slack: SlackServer, receiver: Receiver, clock: Clock
) -> None:
    listen(receiver)
    clock.advance(-360)
    delivery = await slack.command("/token", "help", user=p.ENGINEER, channel=p.INCIDENT)
    assert (delivery.acked, delivery.failure, delivery.statuses) == (False, "http_error", [401])
    assert [told.text for told in slack.ephemerals(p.ENGINEER)] == ['/token failed with the error "dispatch_failed"']
    assert not await slack.http.verify_url()


async def test_an_event_is_sent_again_with_the_reason_until_it_is_taken(slack: SlackServer, receiver: Receiver) -> None:
    listen(receiver)
    receiver.answer = lambda number: web.Response(status=500) if number < 3 else None
    delivery = await slack.mention(p.INCIDENT, p.ENGINEER, "help")
    assert delivery is not None
    await slack.wait_for(lambda: delivery.acked)
    assert receiver.retries() == [(None, None), ("1", "http_error"), ("2", "http_error")]
    assert delivery.statuses == [500, 500, 200]


async def test_an_event_that_is_answered_too_late_is_sent_again(slack: SlackServer, receiver: Receiver) -> None:
    receiver.hold = 2 * QUICK.ack
    delivery = await slack.mention(p.INCIDENT, p.ENGINEER, "help")
    assert delivery is not None
    await slack.wait_for(lambda: delivery.attempts == 1 + len(QUICK.retries), 10)
    assert receiver.retries()[1] == ("1", "http_timeout")


async def test_an_app_can_forbid_that_it_is_sent_again(slack: SlackServer, receiver: Receiver) -> None:
    receiver.answer = lambda _: web.Response(status=500, headers={"X-Slack-No-Retry": "1"})
    delivery = await slack.mention(p.INCIDENT, p.ENGINEER, "help")
    assert delivery is not None
    await asyncio.sleep(0.3)
    assert delivery.attempts == 1


async def test_a_command_is_never_sent_again(slack: SlackServer, receiver: Receiver) -> None:
    receiver.answer = lambda _: web.Response(status=503)
    delivery = await slack.command("/token", "help", user=p.ENGINEER, channel=p.INCIDENT)
    assert (delivery.attempts, delivery.failure) == (1, "http_error")
