"""Slack at its worst: full, broken, gone, or with an address that no longer works."""

import asyncio

from demo.slack import Message, SlackServer, SocketTimes
from demo.slack import people as p
from demo.slack.rate_limits import Limit
from tests.scenarios.conftest import StartBot


def edited(slack: SlackServer) -> list[Message]:
    return [message for message in slack.messages(p.INCIDENT) if message.bot_id and message.history]


async def ask(slack: SlackServer) -> None:
    delivery = await slack.command("/token", "check shop/checkout-1", user=p.ENGINEER, channel=p.INCIDENT)
    assert delivery.acked


async def test_429s_delay_answers_and_lose_none(slack: SlackServer, start_bot: StartBot) -> None:
    slack.limits.set("chat.postMessage", Limit(burst=1, per_minute=60, by="channel"))
    slack.fail("chat.update", retry_after=1, times=2)
    await start_bot()
    await asyncio.gather(*(ask(slack) for _ in range(3)))

    def answers() -> bool:
        roots = [m for m in slack.messages(p.INCIDENT) if m.bot_id and not m.thread_ts]
        return len(roots) == 3 and all("Healthy" in m.text for m in roots)

    await slack.wait_for(answers, 90)


async def test_an_answer_comes_once_though_the_connection_breaks_after_it(
    slack: SlackServer, start_bot: StartBot
) -> None:
    slack.fail("chat.update", drop="after")
    slack.fail("chat.postMessage", drop="after", when=lambda arguments: "thread_ts" in arguments)
    await start_bot()
    await ask(slack)
    await slack.wait_for(lambda: edited(slack), 20)
    await slack.wait_for(lambda: slack.ephemerals(p.ENGINEER), 20)
    assert len([m for m in slack.messages(p.INCIDENT) if not m.thread_ts]) == 1
    assert len([m for m in slack.messages(p.INCIDENT) if m.thread_ts]) == 1


async def test_a_refreshed_connection_is_followed(slack: SlackServer, start_bot: StartBot) -> None:
    await start_bot()
    (first,) = slack.socket.connections
    await slack.socket.disconnect("refresh_requested")
    await slack.wait_for(lambda: [c for c in slack.socket.connections if c.number != first.number], 20)
    await slack.wait_for(lambda: first not in slack.socket.connections, 20)
    await ask(slack)
    await slack.wait_for(lambda: edited(slack), 20)


async def test_a_broken_connection_is_made_anew(slack: SlackServer, start_bot: StartBot) -> None:
    await start_bot()
    (first,) = slack.socket.connections
    slack.socket.drop()
    await slack.wait_for(lambda: [c for c in slack.socket.connections if c.number != first.number], 30)
    await ask(slack)
    await slack.wait_for(lambda: edited(slack), 20)


async def test_an_address_whose_ticket_is_spent_is_not_tried_for_ever(slack: SlackServer, start_bot: StartBot) -> None:
    """Bolt's own client would: it keeps the address while the handshake fails."""
    bot = await start_bot()
    (first,) = slack.socket.connections
    slack.fail("handshake", status=500)
    slack.socket.drop()
    await slack.wait_for(lambda: [c for c in slack.socket.connections if c.number != first.number], 60)
    await bot.says("the next try gets a new address")
    assert "ticket=" not in bot.output.replace("ticket=hidden", "")
    await ask(slack)
    await slack.wait_for(lambda: edited(slack), 20)


async def test_an_event_that_slack_sends_again_is_answered_once(slack: SlackServer, start_bot: StartBot) -> None:
    """This Slack waits for no acknowledgement, so it sends the mention three times."""
    await start_bot()
    slack.socket.times = SocketTimes(ack=0.0, retries=(0.2, 0.4))
    delivery = await slack.mention(p.INCIDENT, p.ENGINEER, "check shop/checkout-1")
    assert delivery is not None
    await slack.wait_for(lambda: delivery.attempts == 3 and edited(slack), 20)
    roots = [m for m in slack.messages(p.INCIDENT) if m.bot_id and m.history]
    assert len(roots) == 1
