"""What is answered without a cluster, and who gets an answer at all."""

import json

import pytest

from bot.diagnosis import CAUSES
from demo.slack import Ephemeral, SlackServer
from demo.slack import people as p
from tests.scenarios.conftest import StartBot
from tests.scenarios.marks import Marks


async def whispers(slack: SlackServer, number: int, user: str = p.ENGINEER) -> list[Ephemeral]:
    """What the person alone was shown, once there is so much of it."""
    await slack.wait_for(lambda: len(slack.ephemerals(user)) >= number, 15)
    return slack.ephemerals(user)


def shown(ephemeral: Ephemeral) -> str:
    return json.dumps(ephemeral.blocks, ensure_ascii=False)


async def test_knowledge_is_for_the_asker_only(slack: SlackServer, start_bot: StartBot) -> None:
    await start_bot()
    asked = {
        "help": "/token check",
        "errors service account token has expired": CAUSES["token-expired"].title,
        "errors": "service account token has expired",
        "errors the weather is fine": "No known error line",
        "explain token-expired": CAUSES["token-expired"].title,
        "explain": "token-expired",
        "explain token-expird": "token-expired",
        "chek shop/checkout-1": "/token check shop/checkout-1",
        "check shop/checkout-1 --exec": "checks.exec: true",
        "decode": "pbpaste | token-doctor decode",
        "review": "token-doctor review < token.txt",
    }
    for number, (text, words) in enumerate(asked.items(), 1):
        delivery = await slack.command("/token", text, user=p.ENGINEER, channel=p.INCIDENT)
        assert delivery.acked
        told = await whispers(slack, number)
        assert words in shown(told[-1]), text
        assert told[-1].source == "response_url"
    assert slack.messages(p.INCIDENT) == []


async def test_a_mention_is_answered_in_its_thread(slack: SlackServer, start_bot: StartBot) -> None:
    await start_bot()
    await slack.mention(p.INCIDENT, p.ENGINEER, "errors Token has been invalidated")
    await slack.wait_for(lambda: len(slack.messages(p.INCIDENT)) > 1, 15)
    question, answer = slack.messages(p.INCIDENT)
    assert answer.thread_ts == question.ts
    assert "Secret" in json.dumps(answer.blocks)


async def test_a_pasted_token_is_never_echoed_and_the_person_is_told_to_revoke_it(
    slack: SlackServer, marks: Marks, start_bot: StartBot
) -> None:
    """The search for the marks is in the fixtures: traffic, log and terminal hold none of them."""
    bot = await start_bot()
    texts = [
        marks.token("check"),
        f"check shop/{marks.token('check target')}",
        f"errors request with Bearer {marks.token('errors')} failed",
        f"decode {marks.token('decode')}",
        f"review {marks.token('review')}",
        f"explain {marks.token('explain')}",
        f"errors password={marks.password('errors password')}",
    ]
    for number, text in enumerate(texts, 1):
        await slack.command("/token", text, user=p.ENGINEER, channel=p.INCIDENT)
        told = (await whispers(slack, number))[-1]
        assert "revoke" in told.text.lower(), text.split()[0]
    await slack.mention(p.INCIDENT, p.ENGINEER, f"check {marks.token('mention')}")
    told = (await whispers(slack, len(texts) + 1))[-1]
    assert told.source == "chat.postEphemeral"
    assert [m.user for m in slack.messages(p.INCIDENT)] == [p.ENGINEER]
    assert "Pasted" in bot.output


@pytest.mark.parametrize(
    ("user", "words"),
    [(p.OUTSIDER, "its own workspace"), (p.FORMER, "deactivated"), (p.OTHER_BOT, "does not answer bots")],
)
async def test_outsiders_bots_and_deactivated_people_get_no_answer(
    slack: SlackServer, start_bot: StartBot, user: str, words: str
) -> None:
    await start_bot()
    await slack.command("/token", "check shop/checkout-1", user=user, channel=p.SHARED)
    (told,) = await whispers(slack, 1, user)
    assert words in told.text
    assert slack.messages(p.SHARED) == []


async def test_an_outsiders_mention_gets_no_answer_in_the_channel(slack: SlackServer, start_bot: StartBot) -> None:
    await start_bot()
    await slack.mention(p.SHARED, p.OUTSIDER, "check shop/checkout-1")
    (told,) = await whispers(slack, 1, p.OUTSIDER)
    assert "its own workspace" in told.text
    assert [m.user for m in slack.messages(p.SHARED)] == [p.OUTSIDER]


async def test_where_the_bot_is_no_member_it_says_how_to_invite_it(slack: SlackServer, start_bot: StartBot) -> None:
    await start_bot()
    await slack.command("/token", "check shop/checkout-1", user=p.ENGINEER, channel=p.RANDOM)
    (told,) = await whispers(slack, 1)
    assert "`/invite @token-doctor`" in told.text
    assert slack.messages(p.RANDOM) == []


async def test_without_a_policy_nothing_is_offered_and_an_old_button_says_why(
    slack: SlackServer, start_bot: StartBot
) -> None:
    await start_bot()
    for number, text in enumerate(("restart shop/checkout", "create-secret shop/ci", "requests", "audit"), 1):
        await slack.command("/token", text, user=p.ENGINEER, channel=p.INCIDENT)
        assert "no policy is configured" in (await whispers(slack, number))[-1].text
    button = {"type": "button", "action_id": "approve", "text": {"type": "plain_text", "text": "Approve"}, "value": "1"}
    old = await slack.say(
        p.INCIDENT, p.BOT_USER, "old", blocks=[{"type": "actions", "block_id": "b", "elements": [button]}]
    )
    await slack.click(old, "approve", user=p.APPROVER)
    await slack.wait_for(lambda: "no policy is configured" in str(slack.modals(p.APPROVER)), 15)
    await slack.open_home(p.ENGINEER)
    await slack.wait_for(lambda: "no policy is configured" in str(slack.home(p.ENGINEER)), 15)
