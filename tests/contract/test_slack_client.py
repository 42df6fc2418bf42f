"""Bolt over Socket Mode against the stand-in: commands, mentions, clicks, modals, home, reconnecting."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond, AsyncSay
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from demo.slack import Clock, SlackServer
from demo.slack import people as p
from tests.contract.conftest import connected

Json = dict[str, Any]
PLAIN = {"type": "plain_text", "text": "Go"}
ACTIONS = [{"type": "actions", "elements": [{"type": "button", "action_id": "go", "text": PLAIN, "value": "7"}]}]
REASON = {
    "type": "input",
    "block_id": "why",
    "label": {"type": "plain_text", "text": "Why"},
    "element": {"type": "plain_text_input", "action_id": "reason"},
}


def modal(title: str) -> Json:
    text = {"type": "plain_text", "text": title}
    return {"type": "modal", "callback_id": "ask", "title": text, "submit": text, "blocks": [REASON]}


async def test_a_command_is_acknowledged_and_answered(slack: SlackServer, app: AsyncApp) -> None:
    @app.command("/token")
    async def token(ack: AsyncAck, command: Json, client: AsyncWebClient) -> None:
        await ack()
        await client.chat_postMessage(channel=command["channel_id"], text=f"checking {command['text']}")

    async with connected(app, slack):
        delivery = await slack.command("/token", "check shop/checkout", user=p.ENGINEER, channel=p.INCIDENT)
        assert (delivery.acked, delivery.attempts, delivery.response) == (True, 1, None)
        messages = await slack.wait_for(lambda: slack.messages(p.INCIDENT))
    assert [message.text for message in messages] == ["checking check shop/checkout"]
    assert slack.ephemerals(p.ENGINEER) == []


@pytest.mark.parametrize(("response_type", "seen_by_all"), [("ephemeral", False), ("in_channel", True)])
async def test_an_ack_may_carry_the_answer(
    slack: SlackServer, app: AsyncApp, response_type: str, *, seen_by_all: bool
) -> None:
    @app.command("/token")
    async def token(ack: AsyncAck) -> None:
        await ack(text="the answer", response_type="in_channel" if seen_by_all else "ephemeral")

    async with connected(app, slack):
        delivery = await slack.command("/token", "help", user=p.ENGINEER, channel=p.INCIDENT)
    assert delivery.response == {"text": "the answer", "response_type": response_type}
    shown = slack.messages(p.INCIDENT) if seen_by_all else slack.ephemerals(p.ENGINEER)
    assert [entry.text for entry in shown] == ["the answer"]


async def test_an_answer_with_unsound_blocks_fails_the_command(slack: SlackServer, app: AsyncApp) -> None:
    @app.command("/token")
    async def token(ack: AsyncAck) -> None:
        await ack(text="x", blocks=[{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}])

    async with connected(app, slack):
        await slack.command("/token", "help", user=p.ENGINEER, channel=p.INCIDENT)
    complaint = '/token failed with the error "invalid_command_response"'
    assert [(e.text, e.source) for e in slack.ephemerals(p.ENGINEER)] == [(complaint, "slack")]


async def test_a_command_not_acknowledged_in_time_fails_before_the_person(slack: SlackServer, app: AsyncApp) -> None:
    release = asyncio.Event()

    @app.command("/token")
    async def token(ack: AsyncAck) -> None:
        await release.wait()
        await ack("too late")

    async with connected(app, slack):
        delivery = await slack.command("/token", "help", user=p.ENGINEER, channel=p.INCIDENT)
        assert (delivery.acked, delivery.failure) == (False, "timeout")
        release.set()
        await slack.wait_for(lambda: slack.socket.late_acks)
    assert [e.text for e in slack.ephemerals(p.ENGINEER)] == ['/token failed with the error "operation_timeout"']


async def test_a_command_without_a_connection_fails_before_the_person(slack: SlackServer) -> None:
    delivery = await slack.command("/token", "help", user=p.ENGINEER, channel=p.INCIDENT)
    assert delivery.failure == "no_connection"
    assert [e.text for e in slack.ephemerals(p.ENGINEER)] == ['/token failed with the error "dispatch_failed"']


async def test_response_url_works_five_times(slack: SlackServer, app: AsyncApp) -> None:
    """Also where the bot is no member."""
    statuses: list[tuple[int, str]] = []
    answered = asyncio.Event()

    @app.command("/token")
    async def token(ack: AsyncAck, respond: AsyncRespond) -> None:
        await ack()
        for number in range(6):
            kind = "in_channel" if number == 0 else "ephemeral"
            answer = await respond(f"answer {number}", response_type=kind)
            statuses.append((answer.status_code, answer.body))
        answered.set()

    async with connected(app, slack):
        await slack.command("/token", "help", user=p.ENGINEER, channel=p.RANDOM)
        await asyncio.wait_for(answered.wait(), 5)
    assert statuses[:5] == [(200, "ok")] * 5
    assert (statuses[5][0], "used_url" in statuses[5][1]) == (404, True)
    assert [message.text for message in slack.messages(p.RANDOM)] == ["answer 0"]
    assert [e.text for e in slack.ephemerals(p.ENGINEER)] == [f"answer {n}" for n in range(1, 5)]


async def test_response_url_ends_after_half_an_hour(slack: SlackServer, app: AsyncApp, clock: Clock) -> None:
    answers: list[tuple[int, str]] = []
    answered = asyncio.Event()

    @app.command("/token")
    async def token(ack: AsyncAck, respond: AsyncRespond) -> None:
        await ack()
        for seconds in (29 * 60, 2 * 60):
            clock.advance(seconds)
            answer = await respond("late")
            answers.append((answer.status_code, answer.body))
        answered.set()

    async with connected(app, slack):
        await slack.command("/token", "help", user=p.ENGINEER, channel=p.INCIDENT)
        await asyncio.wait_for(answered.wait(), 5)
    assert answers[0] == (200, "ok")
    assert (answers[1][0], "expired_url" in answers[1][1]) == (404, True)


async def test_a_click_can_replace_and_delete_its_message(slack: SlackServer, app: AsyncApp) -> None:
    clicked: list[Json] = []

    @app.action("go")
    async def go(ack: AsyncAck, respond: AsyncRespond, action: Json) -> None:
        await ack()
        clicked.append(action)
        if len(clicked) == 1:
            await respond("replaced", blocks=ACTIONS, replace_original=True)
        else:
            await respond(delete_original=True)

    async with connected(app, slack):
        await app.client.chat_postMessage(channel=p.INCIDENT, text="click me", blocks=ACTIONS)
        message = slack.messages(p.INCIDENT)[0]
        await slack.click(message, "go", user=p.APPROVER)
        await slack.wait_for(lambda: message.text == "replaced")
        await slack.click(message, "go", user=p.APPROVER)
        await slack.wait_for(lambda: message.deleted)
    assert clicked[0]["value"] == "7"
    assert slack.messages(p.INCIDENT) == []


async def test_a_click_in_an_ephemeral_message_replaces_that(slack: SlackServer, app: AsyncApp) -> None:
    @app.action("go")
    async def go(ack: AsyncAck, respond: AsyncRespond) -> None:
        await ack()
        await respond("gone", replace_original=True)

    async with connected(app, slack):
        await app.client.chat_postEphemeral(channel=p.INCIDENT, user=p.ENGINEER, text="psst", blocks=ACTIONS)
        ephemeral = slack.ephemerals(p.ENGINEER)[0]
        delivery = await slack.click(ephemeral, "go", user=p.ENGINEER)
        await slack.wait_for(lambda: ephemeral.text == "gone")
    assert delivery.payload["container"]["is_ephemeral"] is True
    assert "message" not in delivery.payload
    assert len(slack.ephemerals(p.ENGINEER)) == 1


async def test_a_click_on_nothing_names_what_there_is(slack: SlackServer, web: AsyncWebClient) -> None:
    await web.chat_postMessage(channel=p.INCIDENT, text="x", blocks=ACTIONS)
    with pytest.raises(LookupError, match="there are: go"):
        await slack.click(slack.messages(p.INCIDENT)[0], "stop", user=p.ENGINEER)


async def test_a_mention_is_answered_in_its_thread(slack: SlackServer, app: AsyncApp) -> None:
    @app.event("app_mention")
    async def mentioned(event: Json, say: AsyncSay) -> None:
        await say(f"you said {event['text']}", thread_ts=event.get("thread_ts", event["ts"]))

    async with connected(app, slack):
        parent = await slack.say(p.INCIDENT, p.ENGINEER, "401 since nine")
        delivery = await slack.mention(p.INCIDENT, p.ENGINEER, "check shop/checkout", thread_ts=parent.ts)
        await slack.wait_for(lambda: len(slack.messages(p.INCIDENT)) == 3)
    assert delivery is not None
    assert delivery.acked
    answer = slack.messages(p.INCIDENT)[-1]
    assert (answer.thread_ts, answer.text) == (parent.ts, f"you said <@{p.BOT_USER}> check shop/checkout")


async def test_a_mention_where_the_bot_is_no_member_reaches_nobody(slack: SlackServer) -> None:
    assert await slack.mention(p.RANDOM, p.ENGINEER, "check shop/checkout") is None
    assert slack.traffic.at("websocket") == []


async def test_an_outsiders_mention_says_so(slack: SlackServer, app: AsyncApp) -> None:
    async with connected(app, slack):
        delivery = await slack.mention(p.SHARED, p.OUTSIDER, "check shop/checkout")
    assert delivery is not None
    assert delivery.payload["is_ext_shared_channel"] is True
    assert delivery.payload["event"]["user_team"] != delivery.payload["team_id"]


async def open_modal(slack: SlackServer, web: AsyncWebClient) -> None:
    await web.views_open(trigger_id=slack.triggers.issue(p.ENGINEER), view=modal("first"))


async def test_a_trigger_lives_three_seconds_and_opens_once(
    slack: SlackServer, web: AsyncWebClient, clock: Clock
) -> None:
    async def outcome(trigger: str) -> str:
        with pytest.raises(SlackApiError) as caught:
            await web.views_open(trigger_id=trigger, view=modal("x"))
        code: str = caught.value.response["error"]
        return code

    trigger = slack.triggers.issue(p.ENGINEER)
    clock.advance(2.5)
    await web.views_open(trigger_id=trigger, view=modal("x"))
    assert await outcome(trigger) == "exchanged_trigger_id"
    late = slack.triggers.issue(p.ENGINEER)
    clock.advance(3.1)
    assert await outcome(late) == "expired_trigger_id"
    assert len(slack.modals(p.ENGINEER)) == 1


SUBMISSIONS: dict[str, tuple[Json, Callable[[SlackServer], object], object]] = {
    "nothing": ({}, lambda slack: slack.modals(p.ENGINEER), []),
    "errors": (
        {"response_action": "errors", "errors": {"why": "too short"}},
        lambda slack: slack.modals(p.ENGINEER)[0].errors,
        {"why": "too short"},
    ),
    "update": (
        {"response_action": "update", "view": modal("second")},
        lambda slack: [view.definition["title"]["text"] for view in slack.modals(p.ENGINEER)],
        ["second"],
    ),
    "push": (
        {"response_action": "push", "view": modal("second")},
        lambda slack: [view.definition["title"]["text"] for view in slack.modals(p.ENGINEER)],
        ["first", "second"],
    ),
    "clear": ({"response_action": "clear"}, lambda slack: slack.modals(p.ENGINEER), []),
}


@pytest.mark.parametrize("name", SUBMISSIONS)
async def test_a_submission_does_what_the_ack_says(
    slack: SlackServer, app: AsyncApp, web: AsyncWebClient, name: str
) -> None:
    response, shown, expected = SUBMISSIONS[name]
    values: list[Json] = []

    @app.view("ask")
    async def asked(ack: AsyncAck, view: Json) -> None:
        values.append(view["state"]["values"])
        await ack(**response)

    async with connected(app, slack):
        await open_modal(slack, web)
        await slack.submit(slack.modals(p.ENGINEER)[0], {"reason": "stale"}, user=p.ENGINEER)
    assert values == [{"why": {"reason": {"type": "plain_text_input", "value": "stale"}}}]
    assert shown(slack) == expected


async def test_a_fourth_modal_does_not_fit(slack: SlackServer, web: AsyncWebClient) -> None:
    await open_modal(slack, web)
    for _ in range(2):
        top = slack.modals(p.ENGINEER)[-1]
        await web.views_push(trigger_id=slack.triggers.issue(p.ENGINEER, top.id), view=modal("more"))
    top = slack.modals(p.ENGINEER)[-1]
    with pytest.raises(SlackApiError, match="push_limit_reached"):
        await web.views_push(trigger_id=slack.triggers.issue(p.ENGINEER, top.id), view=modal("more"))


async def test_an_old_hash_does_not_overwrite_a_view(slack: SlackServer, web: AsyncWebClient) -> None:
    await open_modal(slack, web)
    view = slack.modals(p.ENGINEER)[0]
    old = view.hash
    await web.views_update(view_id=view.id, hash=old, view=modal("second"))
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await web.views_update(view_id=view.id, hash=old, view=modal("third"))
    assert view.definition["title"]["text"] == "second"
    assert [before["title"]["text"] for before in view.history] == ["first"]


async def test_the_home_tab_is_published_when_opened(slack: SlackServer, app: AsyncApp) -> None:
    @app.event("app_home_opened")
    async def opened(event: Json, client: AsyncWebClient) -> None:
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": ACTIONS})

    async with connected(app, slack):
        await slack.open_home(p.ENGINEER)
        home = await slack.wait_for(lambda: slack.home(p.ENGINEER))
        assert home is not None
        delivery = await slack.click(home, "go", user=p.ENGINEER)
    assert delivery.payload["container"] == {"type": "view", "view_id": home.id}
    assert "response_url" not in delivery.payload


async def test_a_shortcut_carries_the_message(slack: SlackServer, app: AsyncApp) -> None:
    seen: list[Json] = []

    @app.shortcut("check_here")
    async def check(ack: AsyncAck, shortcut: Json) -> None:
        await ack()
        seen.append(shortcut)

    async with connected(app, slack):
        alert = await slack.say(p.INCIDENT, p.OTHER_BOT, "checkout answers 401")
        await slack.shortcut(alert, "check_here", user=p.ENGINEER)
    assert seen[0]["message"]["text"] == "checkout answers 401"
    assert seen[0]["message"]["bot_id"] == "B0ALERTBOT1"


@pytest.mark.parametrize("cause", ["disconnect frame", "cut"])
async def test_bolt_comes_back(slack: SlackServer, app: AsyncApp, cause: str) -> None:
    @app.command("/token")
    async def token(ack: AsyncAck) -> None:
        await ack("here")

    async with connected(app, slack, ping=0.5):
        if cause == "cut":
            slack.socket.drop()
        else:
            await slack.socket.disconnect("refresh_requested")
        await slack.wait_for(lambda: slack.socket.opened == 2 and len(slack.socket.connections) == 1)
        delivery = await slack.command("/token", "help", user=p.ENGINEER, channel=p.INCIDENT)
    assert delivery.acked
    assert delivery.connections == [2]


async def test_a_failed_handshake_traps_the_client_on_its_address(slack: SlackServer, app: AsyncApp) -> None:
    """The ticket is spent and the SDK asks for no other: what the bot's watchdog is for."""
    slack.fail("handshake", status=503)

    async def let_go(handler: AsyncSocketModeHandler) -> None:
        await slack.wait_for(lambda: len(slack.traffic.at("GET /link/")) >= 3)
        assert len(slack.traffic.at("/api/apps.connections.open", "from_bot")) == 1
        assert slack.socket.connections == []
        handler.client.wss_uri = None

    async with connected(app, slack, ping=0.1, meanwhile=let_go):
        assert len(slack.socket.connections) == 1
    assert len(slack.traffic.at("/api/apps.connections.open", "from_bot")) == 2


async def test_a_view_is_found_by_its_external_id_once_it_is_there(
    slack: SlackServer, app: AsyncApp, web: AsyncWebClient
) -> None:
    """docs.slack.dev/reference/methods/views.update; before the acknowledgement has arrived it is not_found."""
    waiting = modal("wait") | {"external_id": "mine"}

    @app.view("ask")
    async def asked(ack: AsyncAck) -> None:
        with pytest.raises(SlackApiError, match="not_found"):
            await web.views_update(external_id="mine", view=modal("done"))
        await ack(response_action="update", view=waiting)

    async with connected(app, slack):
        await open_modal(slack, web)
        await slack.submit(slack.modals(p.ENGINEER)[0], {"reason": "stale"}, user=p.ENGINEER)
        await web.views_update(external_id="mine", view=modal("done"))
    assert [view.definition["title"]["text"] for view in slack.modals(p.ENGINEER)] == ["done"]


async def test_another_apps_attachments_come_with_the_shortcut(slack: SlackServer, app: AsyncApp) -> None:
    seen: list[Json] = []

    @app.shortcut("check_here")
    async def check(ack: AsyncAck, shortcut: Json) -> None:
        await ack()
        seen.append(shortcut)

    fields = [{"title": "namespace", "value": "shop", "short": True}]
    async with connected(app, slack):
        alert = await slack.say(p.INCIDENT, p.OTHER_BOT, "", blocks=[], attachments=[{"fields": fields}])
        await slack.shortcut(alert, "check_here", user=p.ENGINEER)
    assert seen[0]["message"]["attachments"] == [{"fields": fields}]
