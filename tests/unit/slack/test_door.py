"""Posting, editing and whispering, also where Slack refuses, is slow, or breaks the connection."""

import asyncio
from collections.abc import Callable

import pytest

from bot.blocks import notices
from bot.blocks.limits import Block, Message
from bot.slack.door import Slack
from bot.slack.outgoing import HELD_BACK
from bot.slack.posts import PostRefusedError, PostUncertainError
from demo.slack import SlackServer
from demo.slack import people as p
from demo.slack.rate_limits import Limit

TOKEN = "eyJhbGciOiJSUzI1NiIsImtpZCI6IkFBQSJ9.eyJpc3MiOiJrdWJlcm5ldGVzIn0.c2lnbmF0dXJl"


def message(text: str) -> Message:
    return notices.said(text)


def section(text: str) -> Block:
    return {"type": "section", "text": {"type": "plain_text", "text": text}}


def calls(server: SlackServer, method: str) -> int:
    return len(server.traffic.at(f"/api/{method}", "from_bot"))


async def test_a_post_is_edited_in_place(server: SlackServer, slack: Slack) -> None:
    post = slack.post(p.INCIDENT, message("one"))
    await post.posted()
    post.show(message("two"))
    ts = await post.settled()
    (shown,) = server.messages(p.INCIDENT)
    assert (shown.ts, shown.text) == (ts, "two")
    assert [revision.text for revision in shown.history] == ["one"]


async def test_only_the_newest_look_is_sent(server: SlackServer, slack: Slack) -> None:
    post = slack.post(p.INCIDENT, message("0"))
    for number in range(1, 50):
        post.show(message(str(number)))
    await post.settled()
    assert [m.text for m in server.messages(p.INCIDENT)] == ["49"]
    assert (calls(server, "chat.postMessage"), calls(server, "chat.update")) == (1, 0)


async def test_what_changes_while_it_is_sent_is_sent_again(server: SlackServer, slack: Slack) -> None:
    server.fail("chat.postMessage", delay=0.3)
    post = slack.post(p.INCIDENT, message("one"))
    await server.wait_for(lambda: calls(server, "chat.postMessage"))
    post.show(message("two"))
    async with asyncio.timeout(10):
        await post.settled()
    assert [m.text for m in server.messages(p.INCIDENT)] == ["two"]


async def test_messages_keep_their_order(server: SlackServer, slack: Slack) -> None:
    posts = [slack.post(p.INCIDENT, message(str(number))) for number in range(5)]
    await asyncio.gather(*(post.settled() for post in posts))
    assert [m.text for m in server.messages(p.INCIDENT)] == ["0", "1", "2", "3", "4"]


async def test_a_full_channel_is_posted_to_at_slacks_pace_without_a_429(server: SlackServer, slack: Slack) -> None:
    server.limits.set("chat.postMessage", Limit(burst=4, per_minute=60, by="channel"))
    posts = [slack.post(p.INCIDENT, message(str(number))) for number in range(6)]
    await asyncio.gather(*(post.settled() for post in posts))
    assert calls(server, "chat.postMessage") == 6


async def test_one_channel_does_not_hold_up_another(server: SlackServer, slack: Slack) -> None:
    for number in range(8):
        slack.post(p.INCIDENT, message(str(number)))
    other = slack.post(p.APPROVALS, message("here"))
    await other.settled()
    assert len(server.messages(p.INCIDENT)) < 8


async def test_a_429_is_waited_for(server: SlackServer, slack: Slack) -> None:
    server.fail("chat.postMessage", retry_after=1)
    post = slack.post(p.INCIDENT, message("late"))
    await post.settled()
    assert [m.text for m in server.messages(p.INCIDENT)] == ["late"]


async def test_429s_beyond_the_sdks_retries_are_waited_for_too(server: SlackServer, slack: Slack) -> None:
    server.fail("chat.postMessage", retry_after=1, times=4)
    post = slack.post(p.INCIDENT, message("later"))
    await post.settled()
    assert [m.text for m in server.messages(p.INCIDENT)] == ["later"]


@pytest.mark.parametrize(
    "fail",
    [
        lambda server: server.fail("chat.postMessage", drop="after"),
        lambda server: server.fail("chat.postMessage", drop="before"),
        lambda server: server.fail("chat.postMessage", status=500),
        lambda server: server.fail("chat.postMessage", error="internal_error"),
    ],
    ids=["cut after", "cut before", "HTTP 500", "internal error"],
)
async def test_a_post_of_unknown_outcome_is_never_repeated(
    server: SlackServer, slack: Slack, fail: Callable[[SlackServer], None]
) -> None:
    fail(server)
    post = slack.post(p.INCIDENT, message("once"))
    with pytest.raises(PostUncertainError):
        await post.posted()
    assert calls(server, "chat.postMessage") == 1
    following = slack.post(p.INCIDENT, message("next"))
    await following.settled()


@pytest.mark.parametrize("times", [1, 4])
async def test_an_edit_is_repeated_until_it_is_done(server: SlackServer, slack: Slack, times: int) -> None:
    post = slack.post(p.INCIDENT, message("one"))
    await post.posted()
    server.fail("chat.update", drop="after", times=times)
    post.show(message("two"))
    await post.settled()
    assert [m.text for m in server.messages(p.INCIDENT)] == ["two"]


async def test_a_message_that_was_deleted_is_posted_again(server: SlackServer, slack: Slack) -> None:
    post = slack.post(p.INCIDENT, message("one"))
    await post.posted()
    server.messages(p.INCIDENT)[0].deleted = True
    post.show(message("two"))
    ts = await post.settled()
    (shown,) = server.messages(p.INCIDENT)
    assert (shown.ts, shown.text) == (ts, "two")


@pytest.mark.parametrize(
    ("channel", "code"), [(p.RANDOM, "not_in_channel"), (p.PRIVATE, "channel_not_found"), (p.ARCHIVED, "is_archived")]
)
async def test_a_channel_that_cannot_be_posted_to_is_told(slack: Slack, channel: str, code: str) -> None:
    post = slack.post(channel, message("no"))
    with pytest.raises(PostRefusedError) as refused:
        await post.settled()
    assert refused.value.code == code


async def test_blocks_that_slack_refuses_leave_the_sentence_and_go_to_the_thread(
    server: SlackServer, slack: Slack
) -> None:
    blocks = tuple(section(str(n) * 2_900) for n in range(4))
    post = slack.post(p.INCIDENT, Message("the verdict", blocks))
    ts = await post.settled()
    parent, *replies = server.messages(p.INCIDENT)
    assert (parent.ts, parent.text, parent.blocks) == (ts, "the verdict", [])
    assert [reply.thread_ts for reply in replies] == [ts] * 4
    assert [reply.blocks[0]["text"]["text"][0] for reply in replies] == ["0", "1", "2", "3"]


async def test_a_whisper_is_seen_by_one_person(server: SlackServer, slack: Slack) -> None:
    await slack.whisper(p.INCIDENT, p.ENGINEER, message("for you"))
    assert [e.text for e in server.ephemerals(p.ENGINEER)] == ["for you"]
    assert server.ephemerals(p.APPROVER) == []


async def test_a_whisper_to_somebody_who_is_not_there_is_refused(slack: Slack) -> None:
    with pytest.raises(PostRefusedError, match="user_not_in_channel"):
        await slack.whisper(p.INCIDENT, p.OUTSIDER, message("no"))


async def test_a_response_url_that_does_not_work_is_told(server: SlackServer, slack: Slack) -> None:
    with pytest.raises(PostRefusedError):
        await slack.respond(f"{server.url}/commands/nonsense", message("no"))
    with pytest.raises(PostUncertainError):
        await slack.respond("http://127.0.0.1:1/", message("no"))


async def test_people_are_told_apart(slack: Slack) -> None:
    engineer, outsider, former, robot = [
        await slack.user(user) for user in (p.ENGINEER, p.OUTSIDER, p.FORMER, p.OTHER_BOT)
    ]
    assert engineer is not None
    assert outsider is not None
    assert former is not None
    assert robot is not None
    assert (p.TEAM.id in engineer.teams, engineer.is_bot, engineer.deleted) == (True, False, False)
    assert p.TEAM.id not in outsider.teams
    assert former.deleted
    assert robot.is_bot
    assert await slack.user("U0NOBODY000") is None


async def test_a_token_never_goes_out_whatever_came_in(server: SlackServer, slack: Slack) -> None:
    post = slack.post(p.INCIDENT, Message(f"it sends {TOKEN}", (section(f"sent {TOKEN}"),)))
    await post.settled()
    await slack.whisper(p.INCIDENT, p.ENGINEER, Message(TOKEN))
    assert server.traffic.containing(b"eyJ") == []
    assert server.messages(p.INCIDENT)[0].text == "it sends [token removed]"
    assert server.messages(p.INCIDENT)[0].blocks[0]["text"]["text"] == "sent [token removed]"


async def test_a_token_in_pieces_holds_the_whole_message_back(server: SlackServer, slack: Slack) -> None:
    """Only the whole message shows it: a key of the JSON and its value."""
    post = slack.post(p.INCIDENT, Message("fine", ({"type": "section", "password": "Zm9vYmFyYmF6cXV4Zm9vYmFy"},)))
    await post.settled()
    assert [m.text for m in server.messages(p.INCIDENT)] == [HELD_BACK]


async def test_what_is_left_at_the_stop_is_given_up(server: SlackServer, slack: Slack) -> None:
    server.fail("chat.postMessage", retry_after=30)
    slack.post(p.INCIDENT, message("never"))
    await server.wait_for(lambda: calls(server, "chat.postMessage"))
    async with asyncio.timeout(5):
        await slack.drain(0.1)
    assert server.messages(p.INCIDENT) == []


CHART: Block = {
    "type": "data_visualization",
    "title": "What there is",
    "chart": {"type": "pie", "segments": [{"label": "shop", "value": 3}]},
}
CHARTED = Message("three", (CHART,), (section("shop 3"),))


async def test_a_workspace_that_refuses_charts_is_shown_what_stands_in_their_place(
    server: SlackServer, slack: Slack
) -> None:
    def refused(sent: dict[str, object]) -> bool:
        return "data_visualization" in str(sent)

    for method in ("chat.postMessage", "chat.update"):
        server.fail(method, error="invalid_blocks", times=9, when=refused)
    post = slack.post(p.INCIDENT, CHARTED)
    await post.posted()
    post.show(Message("four", (CHART,), (section("shop 4"),)))
    await post.settled()
    (shown,) = server.messages(p.INCIDENT)
    assert shown.blocks[0]["text"]["text"] == "shop 4"
    assert [revision.blocks[0]["text"]["text"] for revision in shown.history] == ["shop 3"]


async def test_where_charts_are_taken_they_are_shown(server: SlackServer, slack: Slack) -> None:
    await slack.post(p.INCIDENT, CHARTED).settled()
    assert server.messages(p.INCIDENT)[0].blocks[0]["type"] == "data_visualization"
    assert calls(server, "chat.postMessage") == 1


async def test_a_token_in_what_stands_in_their_place_is_taken_out_too(server: SlackServer, slack: Slack) -> None:
    server.fail("chat.postMessage", error="invalid_blocks")
    await slack.post(p.INCIDENT, Message("three", (CHART,), (section(f"shop {TOKEN}"),))).settled()
    assert server.messages(p.INCIDENT)[0].blocks[0]["text"]["text"] == "shop [token removed]"
