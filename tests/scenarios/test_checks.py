"""A check in Slack from the command to the answer."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from demo.slack import Message, SlackServer
from demo.slack import people as p
from tests.scenarios.conftest import StartBot
from tests.unit.kube.fake_api import LOG_PATH, POD_PATH, FakeApi, breaks_off, forbids, says


def refused() -> bytes:
    """A log in which the API server has just refused the pod's token."""
    now = datetime.now(UTC)
    lines = [
        f"{now - timedelta(seconds=ago):%Y-%m-%dT%H:%M:%S}.000000000Z E1122 reflector.go:147] failed to list *v1.Pod: "
        "Unauthorized\n"
        for ago in (40, 30, 20, 10, 1)
    ]
    return "".join(lines).encode()


def shown(message: Message) -> str:
    """All that a message shows, as one text."""
    return json.dumps(message.blocks, ensure_ascii=False)


def edited(messages: Iterable[Message]) -> list[Message]:
    return [message for message in messages if message.history]


def answers(slack: SlackServer, channel: str = p.INCIDENT) -> list[Message]:
    return [message for message in slack.messages(channel) if message.bot_id and not message.thread_ts]


async def answered(slack: SlackServer, channel: str = p.INCIDENT) -> Message:
    """The bot's newest message in the channel once it was edited."""
    return (await slack.wait_for(lambda: edited(answers(slack, channel)), 20))[-1]


async def test_one_message_at_once_is_edited_into_the_answer(
    slack: SlackServer, api: FakeApi, start_bot: StartBot
) -> None:
    api.on(LOG_PATH, says(refused()))
    await start_bot()
    delivery = await slack.command("/token", "check shop/checkout-1", user=p.ENGINEER, channel=p.INCIDENT)
    assert delivery.acked
    assert delivery.response is None
    message = await answered(slack)
    assert len(answers(slack)) == 1
    first = message.history[0]
    assert first.text == f"Checking shop/checkout-1, asked by <@{p.ENGINEER}>"
    assert {"type": "user", "user_id": p.ENGINEER} in first.blocks[0]["elements"][0]["elements"]
    assert message.text.startswith("🔴 Critical: ")
    assert f"<@{p.ENGINEER}>" in message.text
    assert message.blocks[0]["type"] == "header"
    assert f"Asked by <@{p.ENGINEER}>" in shown(message)
    assert "failed to list *v1.Pod: Unauthorized" in shown(message)
    replies = await slack.wait_for(lambda: [m for m in slack.messages(p.INCIDENT) if m.thread_ts == message.ts])
    assert "Checks" in shown(replies[-1])


async def test_a_healthy_pod_is_called_healthy(slack: SlackServer, start_bot: StartBot) -> None:
    await start_bot()
    await slack.command("/token", "CHECK  `Shop/Pod/Checkout-1`", user=p.ENGINEER, channel=p.INCIDENT)
    message = await answered(slack)
    assert message.text.startswith(("🟢 Healthy", "⚪ Unknown")), message.text


async def test_an_unknown_target_gets_the_names_that_come_near(slack: SlackServer, start_bot: StartBot) -> None:
    await start_bot()
    await slack.command("/token", "check shop/pod/checkout-l", user=p.ENGINEER, channel=p.INCIDENT)
    message = await answered(slack)
    assert message.text.startswith("⚪ No verdict on shop/pod/checkout-l: ")
    assert "checkout-1" in shown(message)
    assert "checkout-2" in shown(message)


async def test_a_missing_right_is_told_with_its_rule(slack: SlackServer, api: FakeApi, start_bot: StartBot) -> None:
    api.on(POD_PATH, forbids("get", "pods"))
    await start_bot()
    await slack.command("/token", "check shop/pod/checkout-1", user=p.ENGINEER, channel=p.INCIDENT)
    message = await answered(slack)
    assert 'resources: [\\"pods\\"], verbs: [\\"get\\"]' in shown(message)


async def test_a_cluster_that_cannot_be_reached_is_told_and_does_not_stop_the_bot(
    slack: SlackServer, api: FakeApi, start_bot: StartBot
) -> None:
    for path in list(api.answers):
        api.on(path, breaks_off)
    bot = await start_bot()
    await bot.says("a cluster cannot be reached")
    await slack.command("/token", "check shop/checkout-1", user=p.ENGINEER, channel=p.INCIDENT)
    message = await answered(slack)
    assert "No verdict" in message.text
    assert api.url in shown(message)


async def test_a_mention_in_a_thread_is_answered_in_that_thread(
    slack: SlackServer, api: FakeApi, start_bot: StartBot
) -> None:
    api.on(LOG_PATH, says(refused()))
    await start_bot()
    alert = slack.acts.say(p.INCIDENT, p.OTHER_BOT, "checkout is failing")
    await slack.mention(p.INCIDENT, p.ENGINEER, "check shop/checkout-1", thread_ts=alert.ts)

    def mine() -> list[Message]:
        return [message for message in slack.messages(p.INCIDENT) if message.user == p.BOT_USER]

    await slack.wait_for(lambda: len(mine()) > 1 and mine()[0].history, 20)
    assert all(message.thread_ts == alert.ts for message in mine())
    assert mine()[0].text.startswith("🔴 Critical: ")


async def test_a_channel_may_ask_about_its_own_namespaces_only(
    slack: SlackServer, api: FakeApi, start_bot: StartBot
) -> None:
    await start_bot({"channels": {p.INCIDENT: {"cluster": "prod", "namespaces": ["pay-*"]}}})
    await slack.command("/token", "check shop/checkout-1", user=p.ENGINEER, channel=p.INCIDENT)
    message = await answered(slack)
    assert "may not be asked about in this channel" in message.text
    assert "pay-*" in shown(message)
    assert not api.asked(POD_PATH)


async def test_with_several_clusters_the_channel_or_the_target_says_which(
    slack: SlackServer, api: FakeApi, start_bot: StartBot, tmp_path: Path
) -> None:
    kubeconfig = str(api.kubeconfig(tmp_path))
    clusters = [{"name": name, "kubeconfig": kubeconfig} for name in ("prod", "staging")]
    await start_bot({"clusters": clusters, "channels": {p.INCIDENT: {"cluster": "staging"}}})
    await slack.command("/token", "check shop/checkout-1", user=p.ENGINEER, channel=p.INCIDENT)
    assert "cluster staging" in (await answered(slack)).text
    await slack.command("/token", "check shop/checkout-1", user=p.ENGINEER, channel=p.SHARED)
    unsaid = await answered(slack, p.SHARED)
    assert "prod, staging" in shown(unsaid)
    await slack.command("/token", "check prod:shop/checkout-1", user=p.ENGINEER, channel=p.SHARED)
    said = await slack.wait_for(lambda: edited(answers(slack, p.SHARED)[1:]), 20)
    assert "cluster prod" in said[0].text
