"""The whole bot's door: what is refused, what is sent again, and the stop."""

import asyncio
import json
from dataclasses import replace

import pytest
from aiohttp import ClientSession

from demo.slack import Message, SlackServer
from demo.slack import people as p
from demo.slack.http_delivery import SignedRequest
from tests.cluster.waiting import eventually
from tests.scenarios.conftest import StartBot
from tests.scenarios.stage import Stage, empty_stage, shown, stage

__all__ = ["empty_stage", "stage"]

PATH = "/slack/events"


async def send(request: SignedRequest) -> tuple[int, str]:
    async with (
        ClientSession() as session,
        session.post(request.url, data=request.body, headers=request.headers) as answer,
    ):
        return answer.status, await answer.text()


async def page(port: int, path: str) -> tuple[int, str]:
    async with ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
        return answer.status, await answer.text()


def answers(slack: SlackServer) -> list[Message]:
    return [m for m in slack.messages(p.INCIDENT) if m.bot_id and m.history]


async def test_slack_can_verify_the_address_of_the_events(slack: SlackServer, start_bot: StartBot) -> None:
    bot = await start_bot()
    assert await slack.http.verify_url()
    assert slack.workspace.app.signing_secret not in bot.output


async def test_what_is_not_slacks_is_refused_counted_and_not_done(
    slack: SlackServer, start_bot: StartBot, web_port: int
) -> None:
    bot = await start_bot()
    request = slack.http.signed("slash_commands", {"command": "/token", "text": "help", "user_id": p.ENGINEER})
    forged = replace(request, body=request.body.replace(b"help", b"errors"))
    assert await send(forged) == (401, "refused: signature\n")
    unsigned = {name: value for name, value in request.headers.items() if name != "X-Slack-Signature"}
    assert await send(replace(request, headers=unsigned)) == (401, "refused: unsigned\n")
    assert (await page(web_port, PATH))[0] == 405
    _, figures = await page(web_port, "/metrics")
    assert 'token_doctor_slack_refusals_total{why="signature"} 1.0' in figures
    assert 'token_doctor_slack_refusals_total{why="unsigned"} 1.0' in figures
    assert 'token_doctor_slack_refusals_total{why="stale"} 0.0' in figures
    assert await page(web_port, "/readyz") == (200, "ok\n")
    assert len([event for event in bot.events("warning") if "was refused" in event]) == 2
    assert slack.ephemerals(p.ENGINEER) == []
    assert not [entry for entry in bot.log if entry["event"] == "asked"]


async def test_the_very_same_command_or_event_has_no_second_effect(slack: SlackServer, start_bot: StartBot) -> None:
    bot = await start_bot()
    await slack.command("/token", "check shop/checkout-1", user=p.ENGINEER, channel=p.INCIDENT)
    await slack.mention(p.INCIDENT, p.ENGINEER, "check shop/checkout-1")
    await slack.wait_for(lambda: len(answers(slack)) == 2, 30)
    command, event = slack.http.sent
    assert await send(command) == await send(event) == (200, "")
    again = slack.http.signed("events_api", json.loads(event.body), {"X-Slack-Retry-Num": "1"})
    assert (await send(again))[0] == 200
    await slack.command("/token", "help", user=p.ENGINEER, channel=p.INCIDENT)
    await slack.wait_for(lambda: slack.ephemerals(p.ENGINEER), 30)
    assert len(answers(slack)) == 2
    assert len([entry for entry in bot.log if entry["event"] == "Slack sent the same thing again"]) == 3


async def test_an_event_that_was_not_acknowledged_comes_again_and_is_answered(
    slack: SlackServer, start_bot: StartBot
) -> None:
    """Nobody listens yet when it comes first."""
    delivery = await slack.mention(p.INCIDENT, p.ENGINEER, "check shop/checkout-1")
    assert delivery is not None
    assert delivery.failure == "no_connection"
    await start_bot()
    again = slack.http.signed("events_api", delivery.payload, {"X-Slack-Retry-Num": "2"})
    assert (await send(again))[0] == 200
    await slack.wait_for(lambda: answers(slack), 30)


async def test_the_very_same_submission_votes_once(stage: Stage) -> None:
    asked = await stage.asked()
    assert len(stage.slack.messages(p.APPROVALS)) == 1
    submission = next(each for each in stage.slack.http.sent if b"view_submission" in each.body)
    assert (await send(submission))[0] == 200
    await stage.decided(asked, "approve", p.APPROVER)
    for each in [each for each in stage.slack.http.sent if b"payload=" in each.body]:
        assert (await send(each))[0] == 200
    await stage.slack.wait_for(lambda: "Done, looking whether it helped" in asked.text, 60)
    assert len(stage.slack.messages(p.APPROVALS)) == len(stage.slack.messages(p.INCIDENT)) == 1
    assert f'"user_id": "{p.APPROVER}"' in shown(asked)


async def test_what_comes_after_the_signal_is_still_answered(
    slack: SlackServer, start_bot: StartBot, web_port: int
) -> None:
    """A load balancer goes on sending until it has noticed that the bot is not ready any more."""
    bot = await start_bot(drain_seconds=3)
    bot.process.terminate()
    await eventually(lambda: page(web_port, "/readyz"), lambda seen: seen == (503, "stopping\n"), "it is stopping")
    delivery = await slack.command("/token", "check shop/checkout-1", user=p.ENGINEER, channel=p.INCIDENT)
    assert delivery.acked, delivery.failure
    assert await bot.exit() == 0
    assert len(answers(slack)) == 1
    late = await slack.command("/token", "help", user=p.ENGINEER, channel=p.INCIDENT)
    assert late.failure == "no_connection"


async def test_a_second_signal_does_not_wait_for_the_load_balancer(slack: SlackServer, start_bot: StartBot) -> None:
    bot = await start_bot(drain_seconds=60, may_fail=True)
    async with asyncio.timeout(30):
        assert await bot.stop(signals=2) == 3


@pytest.mark.parametrize(
    ("secret", "sentence"),
    [("", "SLACK_SIGNING_SECRET is not set."), (p.APP_TOKEN, "SLACK_SIGNING_SECRET holds an app-level token")],
)
async def test_a_start_without_the_signing_secret_says_so(start_bot: StartBot, secret: str, sentence: str) -> None:
    bot = await start_bot(variables={"SLACK_SIGNING_SECRET": secret}, ready=False, may_fail=True)
    assert await bot.exit() == 2, bot.output
    assert sentence in bot.output
    assert "Copy the Signing Secret" in bot.output
    assert "demoOnlyNotASecret" not in bot.output
