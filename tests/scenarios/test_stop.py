"""SIGTERM finishes what is underway; a second one does not wait."""

import asyncio
import signal

import pytest

from demo.slack import SlackServer
from demo.slack import people as p
from tests.scenarios.conftest import StartBot
from tests.scenarios.gate import Gate
from tests.unit.kube.fake_api import FakeApi


@pytest.fixture
def gate(api: FakeApi) -> Gate:
    gate = Gate()
    gate.shut(api)
    return gate


async def underway(slack: SlackServer, gate: Gate) -> None:
    delivery = await slack.command("/token", "check shop/checkout-1", user=p.ENGINEER, channel=p.INCIDENT)
    assert delivery.acked, delivery.failure
    await slack.wait_for(lambda: slack.messages(p.INCIDENT), 10)
    async with asyncio.timeout(10):
        await gate.waiting.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_check_that_is_underway_is_finished(
    slack: SlackServer, gate: Gate, start_bot: StartBot, number: signal.Signals
) -> None:
    bot = await start_bot()
    await underway(slack, gate)
    bot.process.send_signal(number)
    await slack.wait_for(lambda: not slack.socket.connections, 10)
    gate.open()
    assert await bot.exit() == 0
    (message,) = [m for m in slack.messages(p.INCIDENT) if not m.thread_ts]
    assert message.text.startswith("🟢 Healthy")
    assert [m for m in slack.messages(p.INCIDENT) if m.thread_ts == message.ts]


async def test_after_the_signal_nothing_new_is_taken(slack: SlackServer, gate: Gate, start_bot: StartBot) -> None:
    bot = await start_bot()
    await underway(slack, gate)
    bot.process.terminate()
    await slack.wait_for(lambda: not slack.socket.connections, 10)
    delivery = await slack.command("/token", "help", user=p.ENGINEER, channel=p.INCIDENT)
    assert delivery.failure == "no_connection"
    gate.open()
    assert await bot.exit() == 0


async def test_a_check_whose_cluster_does_not_answer_ends_within_its_deadline(
    slack: SlackServer, gate: Gate, start_bot: StartBot
) -> None:
    bot = await start_bot({"checks": {"deadline_seconds": 1}})
    await underway(slack, gate)
    bot.process.terminate()
    assert await bot.exit() == 0
    (message,) = [m for m in slack.messages(p.INCIDENT) if not m.thread_ts]
    assert message.history
    assert "Checking" not in message.text


async def test_a_second_signal_stops_at_once(slack: SlackServer, gate: Gate, start_bot: StartBot) -> None:
    bot = await start_bot({"checks": {"deadline_seconds": 30}}, may_fail=True)
    await underway(slack, gate)
    bot.process.terminate()
    await slack.wait_for(lambda: not slack.socket.connections, 10)
    bot.process.terminate()
    async with asyncio.timeout(10):
        assert await bot.exit() == 3
    assert "Traceback" not in bot.output
