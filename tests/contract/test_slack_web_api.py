"""The Web API as the real AsyncWebClient meets it: answers, refusals, rate limits and faults."""

import asyncio
import sys
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient

from demo.slack import Clock, SlackServer
from demo.slack import people as p
from demo.slack.rate_limits import Limit
from tests.contract.conftest import GENEROUS

Case = Callable[[AsyncWebClient], Awaitable[object]]


async def refusal(call: Awaitable[object]) -> SlackApiError:
    with pytest.raises(SlackApiError) as caught:
        await call
    return caught.value


def retrying(slack: SlackServer, handler: AsyncRetryHandler) -> AsyncWebClient:
    return AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[handler])


async def test_auth_test_names_the_bot_and_its_scopes(slack: SlackServer, web: AsyncWebClient) -> None:
    answer = await web.auth_test()
    assert answer["user_id"] == p.BOT_USER
    assert answer["bot_id"] == slack.workspace.app.bot_id
    assert answer.headers["x-oauth-scopes"].split(",") == sorted(p.BOT_SCOPES)


async def test_a_message_is_posted_edited_threaded_and_deleted(slack: SlackServer, web: AsyncWebClient) -> None:
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "*done*"}}
    posted = await web.chat_postMessage(channel=p.INCIDENT, text="checking & waiting")
    ts = posted["ts"]
    await web.chat_update(channel=p.INCIDENT, ts=ts, text="done", blocks=[section])
    reply = await web.chat_postMessage(channel=p.INCIDENT, text="the rest", thread_ts=ts)
    parent, child = slack.messages(p.INCIDENT)
    assert (parent.text, parent.blocks[0]["text"]["text"]) == ("done", "*done*")
    assert [revision.text for revision in parent.history] == ["checking &amp; waiting"]
    assert child.thread_ts == ts
    link = (await web.chat_getPermalink(channel=p.INCIDENT, message_ts=reply["ts"]))["permalink"]
    assert link.endswith(f"/p{reply['ts'].replace('.', '')}?thread_ts={ts}&cid={p.INCIDENT}")
    await web.chat_delete(channel=p.INCIDENT, ts=reply["ts"])
    assert [message.ts for message in slack.messages(p.INCIDENT)] == [ts]


async def test_text_alone_takes_the_blocks_away(slack: SlackServer, web: AsyncWebClient) -> None:
    posted = await web.chat_postMessage(channel=p.INCIDENT, text="a", blocks=[{"type": "divider"}])
    await web.chat_update(channel=p.INCIDENT, ts=posted["ts"], text="b")
    assert slack.messages(p.INCIDENT)[0].blocks == []


async def test_form_bodies_hold_json_in_strings(slack: SlackServer, web: AsyncWebClient) -> None:
    data = {"channel": p.INCIDENT, "text": "x", "blocks": '[{"type": "divider"}]'}
    await web.api_call("chat.postMessage", data=data)
    assert slack.messages(p.INCIDENT)[0].blocks[0]["type"] == "divider"


async def test_timestamps_never_repeat_in_a_channel_even_when_the_clock_stands_still() -> None:
    async with SlackServer(now=lambda: 1_900_000_000.5, limits=GENEROUS) as slack:
        web = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        answers = [await web.chat_postMessage(channel=p.INCIDENT, text=str(number)) for number in range(3)]
    assert [answer["ts"] for answer in answers] == [f"1900000000.50000{number}" for number in range(3)]


async def test_an_ephemeral_message_is_for_one_person(slack: SlackServer, web: AsyncWebClient) -> None:
    await web.chat_postEphemeral(channel=p.INCIDENT, user=p.ENGINEER, text="psst")
    assert [(e.text, e.source) for e in slack.ephemerals(p.ENGINEER)] == [("psst", "chat.postEphemeral")]
    assert slack.ephemerals(p.APPROVER) == []
    assert slack.messages(p.INCIDENT) == []


async def test_people_are_told_apart(web: AsyncWebClient) -> None:
    async def shown(user: str) -> dict[str, object]:
        found: dict[str, object] = (await web.users_info(user=user))["user"]
        return found

    assert (await shown(p.OUTSIDER))["team_id"] != (await shown(p.ENGINEER))["team_id"]
    assert "is_stranger" in await shown(p.OUTSIDER)
    assert (await shown(p.FORMER))["deleted"] is True
    assert (await shown(p.OTHER_BOT))["is_bot"] is True
    groups = await web.usergroups_users_list(usergroup=p.APPROVERS)
    assert groups["users"] == [p.APPROVER, p.SECOND_APPROVER]


async def test_the_address_is_shown_only_with_its_scope() -> None:
    scopes = set(p.BOT_SCOPES) - {"users:read.email"}
    async with SlackServer(bot_scopes=scopes) as slack:
        web = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        assert "email" not in (await web.users_info(user=p.ENGINEER))["user"]["profile"]
        error = await refusal(web.users_lookupByEmail(email="erin@shop.example"))
        assert error.response["error"] == "missing_scope"
        assert error.response["needed"] == "users:read.email"
        assert error.response["provided"].split(",") == sorted(scopes)


async def test_pages_end_with_an_empty_cursor(web: AsyncWebClient) -> None:
    found: list[str] = []
    async for page in await web.users_list(limit=3):
        found += [member["id"] for member in page["members"]]
    assert len(found) == len(set(found)) == 7


REFUSALS: dict[str, tuple[str, Case]] = {
    "unknown channel": ("channel_not_found", lambda web: web.chat_postMessage(channel="C0NONE", text="x")),
    "hidden channel": ("channel_not_found", lambda web: web.chat_postMessage(channel=p.PRIVATE, text="x")),
    "hidden channel's facts": ("channel_not_found", lambda web: web.conversations_info(channel=p.PRIVATE)),
    "not a member": ("not_in_channel", lambda web: web.chat_postMessage(channel=p.RANDOM, text="x")),
    "archived": ("is_archived", lambda web: web.chat_postMessage(channel=p.ARCHIVED, text="x")),
    "nothing said": ("no_text", lambda web: web.api_call("chat.postMessage", json={"channel": p.INCIDENT})),
    "no such message": ("message_not_found", lambda web: web.chat_update(channel=p.INCIDENT, ts="1.1", text="x")),
    "not in its audience": (
        "user_not_in_channel",
        lambda web: web.chat_postEphemeral(channel=p.APPROVALS, user=p.ENGINEER, text="x"),
    ),
    "no such person": ("user_not_found", lambda web: web.users_info(user="U0NONE")),
    "no such address": ("users_not_found", lambda web: web.users_lookupByEmail(email="nobody@shop.example")),
    "a deactivated address": ("users_not_found", lambda web: web.users_lookupByEmail(email="fred@shop.example")),
    "no such method": ("unknown_method", lambda web: web.api_call("chat.shout")),
    "no scope": ("missing_scope", lambda web: web.reactions_add(channel=p.INCIDENT, timestamp="1.1", name="eyes")),
    "app token's method": ("not_allowed_token_type", lambda web: web.api_call("apps.connections.open")),
    "blocks are no JSON": (
        "invalid_blocks_format",
        lambda web: web.chat_postMessage(channel=p.INCIDENT, text="x", blocks="[oops"),
    ),
    "broken cursor": ("invalid_cursor", lambda web: web.users_list(cursor="?")),
    "no such group": ("no_such_subteam", lambda web: web.usergroups_users_list(usergroup="S0NONE")),
    "made-up trigger": (
        "invalid_trigger_id",
        lambda web: web.views_open(
            trigger_id="1.2.x", view={"type": "modal", "title": {"type": "plain_text", "text": "t"}, "blocks": []}
        ),
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_refusals_carry_slacks_codes(web: AsyncWebClient, name: str) -> None:
    code, call = REFUSALS[name]
    assert (await refusal(call(web))).response["error"] == code


async def test_only_its_own_messages_can_be_edited(slack: SlackServer, web: AsyncWebClient) -> None:
    said = await slack.say(p.INCIDENT, p.ENGINEER, "mine")
    error = await refusal(web.chat_update(channel=p.INCIDENT, ts=said.ts, text="yours"))
    assert error.response["error"] == "cant_update_message"
    assert slack.messages(p.INCIDENT)[0].text == "mine"


async def test_an_update_takes_four_thousand_bytes(web: AsyncWebClient) -> None:
    ts = (await web.chat_postMessage(channel=p.INCIDENT, text="x" * 40_001))["ts"]
    await web.chat_update(channel=p.INCIDENT, ts=ts, text="é" * 2_000)
    error = await refusal(web.chat_update(channel=p.INCIDENT, ts=ts, text="é" * 2_000 + "x"))
    assert error.response["error"] == "msg_too_long"


@pytest.mark.parametrize(
    ("token", "code"), [("", "not_authed"), ("xoxb-wrong", "invalid_auth"), (p.APP_TOKEN, "not_allowed_token_type")]
)
async def test_tokens_are_judged(slack: SlackServer, token: str, code: str) -> None:
    web = AsyncWebClient(token=token, base_url=slack.api_url)
    error = await refusal(web.chat_postMessage(channel=p.INCIDENT, text="x"))
    assert error.response["error"] == code


async def test_a_revoked_token_opens_nothing(slack: SlackServer, web: AsyncWebClient) -> None:
    slack.revoke(slack.bot_token)
    assert (await refusal(web.auth_test())).response["error"] == "token_revoked"


async def test_the_fourth_message_in_a_second_is_rate_limited(
    slack: SlackServer, web: AsyncWebClient, clock: Clock
) -> None:
    slack.limits.set("chat.postMessage", Limit(3, 60, by="channel"))
    for _ in range(3):
        await web.chat_postMessage(channel=p.INCIDENT, text="x")
    error = await refusal(web.chat_postMessage(channel=p.INCIDENT, text="x"))
    assert error.response.status_code == 429
    assert error.response["error"] == "ratelimited"
    assert error.response.headers["Retry-After"] == "1"
    await web.chat_postMessage(channel=p.APPROVALS, text="another channel has its own")
    clock.advance(1)
    await web.chat_postMessage(channel=p.INCIDENT, text="x")


async def test_the_rate_limit_handler_waits_as_long_as_told(slack: SlackServer) -> None:
    slack.limits.set("chat.postMessage", Limit(1, 60, by="channel"))
    web = retrying(slack, AsyncRateLimitErrorRetryHandler(max_retry_count=2))
    await web.chat_postMessage(channel=p.INCIDENT, text="first")
    await web.chat_postMessage(channel=p.INCIDENT, text="second")
    assert [message.text for message in slack.messages(p.INCIDENT)] == ["first", "second"]
    assert b"ratelimited" in b"".join(record.data for record in slack.traffic.at("/api/chat.postMessage", "to_bot"))


async def test_faults_come_as_often_as_asked(slack: SlackServer, web: AsyncWebClient) -> None:
    slack.fail("chat.postMessage", error="fatal_error", times=2)
    for _ in range(2):
        error = await refusal(web.chat_postMessage(channel=p.INCIDENT, text="x"))
        assert error.response["error"] == "fatal_error"
    await web.chat_postMessage(channel=p.INCIDENT, text="x")
    assert len(slack.messages(p.INCIDENT)) == 1


async def test_a_fault_can_be_for_one_channel(slack: SlackServer, web: AsyncWebClient) -> None:
    slack.fail("chat.postMessage", error="internal_error", when=lambda given: given["channel"] == p.APPROVALS)
    await web.chat_postMessage(channel=p.INCIDENT, text="x")
    error = await refusal(web.chat_postMessage(channel=p.APPROVALS, text="x"))
    assert error.response["error"] == "internal_error"


async def test_the_server_error_handler_gets_through_a_500(slack: SlackServer) -> None:
    slack.fail("auth.test", status=500)
    web = retrying(slack, AsyncServerErrorRetryHandler(max_retry_count=1))
    assert (await web.auth_test())["ok"]


@pytest.mark.parametrize(("drop", "posted"), [("before", 1), ("after", 2)])
async def test_a_cut_connection_is_retried_whether_or_not_the_message_was_posted(
    slack: SlackServer, drop: str, posted: int
) -> None:
    """The SDK's default handler cannot know; cut after the effect, the message stands twice."""
    slack.fail("chat.postMessage", drop="before" if drop == "before" else "after")
    web = retrying(slack, AsyncConnectionErrorRetryHandler(max_retry_count=1))
    await web.chat_postMessage(channel=p.INCIDENT, text="once?")
    assert len(slack.traffic.at("/api/chat.postMessage", "from_bot")) == 2
    assert len(slack.messages(p.INCIDENT)) == posted


async def test_a_delayed_call_is_overtaken(slack: SlackServer, web: AsyncWebClient) -> None:
    slack.fail("chat.postMessage", delay=0.3, when=lambda given: given["text"] == "slow")
    slow = asyncio.create_task(web.chat_postMessage(channel=p.INCIDENT, text="slow"))
    await slack.wait_for(lambda: slack.traffic.containing(b"slow"))
    await web.chat_postMessage(channel=p.INCIDENT, text="fast")
    await slow
    assert [message.text for message in slack.messages(p.INCIDENT)] == ["fast", "slow"]


async def test_the_traffic_holds_what_crossed_in_both_directions(slack: SlackServer, web: AsyncWebClient) -> None:
    await web.chat_postMessage(channel=p.INCIDENT, text="planted-7f3a")
    assert [record.direction for record in slack.traffic.containing(b"planted-7f3a")] == ["from_bot", "to_bot"]
    assert slack.traffic.containing(b"never said") == []


async def test_waiting_ends_with_the_truth_or_in_time(slack: SlackServer, web: AsyncWebClient) -> None:
    waiting = asyncio.create_task(slack.wait_for(lambda: slack.messages(p.INCIDENT)))
    await web.chat_postMessage(channel=p.INCIDENT, text="now")
    assert (await waiting)[0].text == "now"
    with pytest.raises(TimeoutError, match=r"Last on the wire: .*to_bot /api/chat\.postMessage"):
        await slack.wait_for(lambda: False, timeout=0.05)


async def test_it_runs_as_a_program() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "demo.slack"), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        lines = [(await process.stdout.readline()).decode().strip() for _ in range(4)]
        told = dict(line.split("=", 1) for line in lines)
        web = AsyncWebClient(token=told["SLACK_BOT_TOKEN"], base_url=told["SLACK_API_URL"])
        assert (await web.auth_test())["ok"]
    finally:
        process.terminate()
        await process.wait()


async def test_it_shares_nothing_with_the_bot_and_imports_no_slack_library() -> None:
    code = "import sys, demo.slack.__main__; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    process = await asyncio.create_subprocess_exec(*(sys.executable, "-c", code), stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    loaded = set(output.decode().split())
    assert "aiohttp" in loaded
    assert not loaded & {"bot", "handlers", "config", "slack_sdk", "slack_bolt"}


async def test_a_body_that_is_no_json_is_refused(slack: SlackServer) -> None:
    headers = {"Authorization": f"Bearer {slack.bot_token}", "Content-Type": "application/json"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(slack.api_url + "chat.postMessage", data=b"{", headers=headers) as answer,
    ):
        assert await answer.json() == {"ok": False, "error": "invalid_json"}


async def test_metadata_is_shown_to_whoever_asks_for_it(slack: SlackServer, web: AsyncWebClient) -> None:
    """docs.slack.dev/reference/methods/conversations.history: include_all_metadata."""
    slack.workspace.tokens[slack.bot_token].scopes += ("channels:history",)
    mark = {"event_type": "asked", "event_payload": {"request": "1"}}
    parent = await web.chat_postMessage(channel=p.INCIDENT, text="one", metadata=mark)
    await web.chat_postMessage(channel=p.INCIDENT, text="two", thread_ts=parent["ts"], metadata=mark)
    for asked in (False, True):
        history = await web.conversations_history(channel=p.INCIDENT, include_all_metadata=asked)
        replies = await web.conversations_replies(channel=p.INCIDENT, ts=parent["ts"], include_all_metadata=asked)
        shown = [message.get("metadata") for message in (*history["messages"], *replies["messages"])]
        assert shown == [mark if asked else None] * 3


async def test_whoever_may_not_read_a_channel_is_told_which_scope(web: AsyncWebClient) -> None:
    with pytest.raises(SlackApiError) as caught:
        await web.conversations_history(channel=p.INCIDENT)
    assert caught.value.response["error"] == "missing_scope"
