"""What the stand-in sends, held against the shapes of Slack's published samples.

Every key path sent must be in the sample with the same JSON type; a core of keys must be sent. What Slack
sends beyond the samples is listed in BEYOND, each with where it was read.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from demo.slack import SlackServer, View
from demo.slack import people as p
from tests.contract.derive_slack_shapes import LEFT_OUT, METHODS, Shape, paths, unfolded

PUBLISHED = json.loads(Path(__file__).with_name("slack_shapes.json").read_text())["shapes"]
ALL_SCOPES = (
    *p.BOT_SCOPES,
    *("channels:history", "groups:history", "im:history", "im:read", "im:write", "reactions:write", "team:read"),
)
BUTTON = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}, "value": "1"}
ACTIONS = [{"type": "actions", "block_id": "acts", "elements": [BUTTON]}]
INPUT = {
    "type": "input",
    "block_id": "why",
    "label": {"type": "plain_text", "text": "Why"},
    "element": {"type": "plain_text_input", "action_id": "reason"},
}
MODAL = {
    "type": "modal",
    "callback_id": "ask",
    "notify_on_close": True,
    "title": {"type": "plain_text", "text": "Restart"},
    "submit": {"type": "plain_text", "text": "Ask"},
    "close": {"type": "plain_text", "text": "Back"},
    "blocks": [INPUT],
}
HOME = {"type": "home", "blocks": [{"type": "divider"}]}

VIEW_METHODS = ("views.open", "views.update", "views.push", "views.publish")
INTERACTIONS = ("block_actions", "message_action", "view_submission", "view_closed")
METHOD_PAGE = "docs.slack.dev/reference/methods/"
JAVA_TESTS = "realPayload in the tests of bolt and slack-app-backend of the same repository"
JAVA_MAP = "a map, which the sample leaves empty"
BEYOND: dict[tuple[str, str], str] = {
    **{(method, "view.state.values:object"): JAVA_MAP for method in VIEW_METHODS},
    **{(method, "view.previous_view_id:null"): METHOD_PAGE + "views.push" for method in VIEW_METHODS},
    ("views.publish", "view.close:null"): METHOD_PAGE + "views.publish",
    ("views.publish", "view.submit:null"): METHOD_PAGE + "views.publish",
    **{
        ("conversations.info", f"channel.{pair}"): METHOD_PAGE + "conversations.info, a direct message"
        for pair in ("is_open:boolean", "priority:number", "user:string")
    },
    ("conversations.replies", "messages[].subtype:string"): "docs.slack.dev/reference/events/message/thread_broadcast",
    ("slash_command", "is_enterprise_install:string"): "the word, as in every captured payload; Java reads a boolean",
    ("app_mention", "authorizations[].enterprise_id:null"): JAVA_TESTS,
    ("app_home_opened", "authorizations[].enterprise_id:null"): JAVA_TESTS,
    ("app_home_opened", "event.view.close:null"): METHOD_PAGE + "views.publish",
    ("app_home_opened", "event.view.submit:null"): METHOD_PAGE + "views.publish",
    ("app_home_opened", "event.view.previous_view_id:null"): JAVA_TESTS,
    ("app_home_opened", "event.view.state.values:object"): JAVA_MAP,
    **{(name, "enterprise:null"): JAVA_TESTS for name in INTERACTIONS},
    ("block_actions", "state.values:object"): JAVA_MAP,
    ("view_submission", "response_urls:array"): JAVA_TESTS,
    ("view_submission", "view.previous_view_id:null"): JAVA_TESTS,
    ("view_submission", "view.state.values:object"): JAVA_MAP,
    ("view_submission", "view.state.values.why:object"): JAVA_MAP,
    ("view_submission", "view.state.values.why.reason:object"): JAVA_MAP,
    ("view_submission", "view.state.values.why.reason.type:string"): JAVA_MAP,
    ("view_submission", "view.state.values.why.reason.value:string"): JAVA_MAP,
    ("view_closed", "view.previous_view_id:null"): JAVA_TESTS,
    ("view_closed", "view.state.values:object"): JAVA_MAP,
}
"""What we send and no sample has, by (name, path:type), with where it was read."""

MESSAGE_CORE = {"bot_id", "type", "text", "user", "ts", "team", "bot_profile", "app_id"}
CORE: dict[str, set[str]] = {
    "api.test": {"args"},
    "auth.test": {"url", "team", "user", "team_id", "user_id", "bot_id", "is_enterprise_install"},
    "apps.connections.open": {"url"},
    "bots.info": {f"bot.{key}" for key in ("id", "name", "app_id", "user_id", "icons")},
    "team.info": {f"team.{key}" for key in ("id", "name", "domain", "icon")},
    "reactions.add": set(),
    "chat.postMessage": {"channel", "ts"} | {f"message.{key}" for key in MESSAGE_CORE},
    "chat.update": {"channel", "ts", "text", "message.edited.ts"} | {f"message.{k}" for k in MESSAGE_CORE - {"ts"}},
    "chat.postEphemeral": {"message_ts"},
    "chat.delete": {"channel", "ts"},
    "chat.getPermalink": {"channel", "permalink"},
    "conversations.info": {f"channel.{k}" for k in ("id", "name", "is_member", "is_private", "is_ext_shared")},
    "conversations.members": {"members[]", "response_metadata.next_cursor"},
    "conversations.open": {"channel.id"},
    "conversations.history": {"has_more", "messages[].reply_count"} | {f"messages[].{k}" for k in MESSAGE_CORE},
    "conversations.replies": {"has_more", "messages[].parent_user_id"} | {f"messages[].{k}" for k in MESSAGE_CORE},
    "users.info": {f"user.{k}" for k in ("id", "name", "team_id", "deleted", "is_bot", "tz", "profile.email")},
    "users.list": {"members[].id", "members[].profile.real_name", "cache_ts"},
    "users.lookupByEmail": {"user.id", "user.profile.email"},
    "usergroups.list": {f"usergroups[].{k}" for k in ("id", "handle", "name", "date_delete", "users[]")},
    "usergroups.users.list": {"users[]"},
    **{key: {f"view.{k}" for k in ("id", "hash", "type", "root_view_id", "callback_id")} for key in VIEW_METHODS},
}
PAYLOAD_CORE: dict[str, set[str]] = {
    "slash_command": {
        *("token", "team_id", "team_domain", "channel_id", "channel_name", "user_id", "user_name"),
        *("command", "text", "api_app_id", "response_url", "trigger_id"),
    },
    "app_mention": {"event_id", "event_time", "authorizations[].user_id", "event.client_msg_id", "event.channel"},
    "app_home_opened": {"event.tab", "event.user", "event.view.hash"},
    "block_actions": {
        *("container.message_ts", "container.channel_id", "channel.id", "message.ts", "response_url"),
        *("trigger_id", "actions[].action_id", "actions[].block_id", "actions[].value", "actions[].action_ts"),
    },
    "message_action": {"callback_id", "message_ts", "message.ts", "response_url", "trigger_id", "channel.id"},
    "view_submission": {"view.id", "view.hash", "view.callback_id", "view.private_metadata", "trigger_id"},
    "view_closed": {"view.id", "is_cleared"},
}


def beyond_sample(name: str, sent: Shape) -> list[str]:
    sample = unfolded(PUBLISHED[name])
    pairs = {f"{path}:{kind}" for path, kinds in sent.items() for kind in kinds}
    known = {f"{path}:{kind}" for path, kinds in sample.items() for kind in kinds}
    return sorted(pair for pair in pairs - known if (name, pair) not in BEYOND)


class Api:
    """Calls over plain aiohttp, and a websocket that acknowledges whatever comes."""

    def __init__(self, slack: SlackServer, session: aiohttp.ClientSession) -> None:
        self.slack = slack
        self.session = session
        self.frames: list[dict[str, Any]] = []

    async def call(self, method: str, **arguments: object) -> dict[str, Any]:
        token = self.slack.app_token if method.startswith("apps.") else self.slack.bot_token
        headers = {"Authorization": f"Bearer {token}"}
        async with self.session.post(self.slack.api_url + method, json=arguments, headers=headers) as answer:
            body: dict[str, Any] = await answer.json()
        assert body["ok"], body
        return body

    async def acknowledge_all(self) -> None:
        url = (await self.call("apps.connections.open"))["url"]
        async with self.session.ws_connect(url) as socket:
            async for frame in socket:
                envelope = json.loads(frame.data)
                self.frames.append(envelope)
                if "envelope_id" in envelope:
                    await socket.send_json({"envelope_id": envelope["envelope_id"]})


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with SlackServer(bot_scopes=ALL_SCOPES) as slack, aiohttp.ClientSession() as session:
        api = Api(slack, session)
        listener = asyncio.create_task(api.acknowledge_all())
        await slack.wait_for(lambda: slack.socket.connections)
        yield api
        listener.cancel()
        await asyncio.gather(listener, return_exceptions=True)


async def open_modal(api: Api) -> View:
    trigger = api.slack.triggers.issue(p.ENGINEER)
    await api.call("views.open", trigger_id=trigger, view=MODAL)
    return api.slack.modals(p.ENGINEER)[-1]


async def answers(api: Api) -> dict[str, list[dict[str, Any]]]:
    """One answer or more of each method served, over a small conversation."""
    slack = api.slack
    posted = await api.call("chat.postMessage", channel=p.INCIDENT, text="hello", blocks=ACTIONS)
    parent = {"channel": p.INCIDENT, "ts": posted["ts"]}
    event = {"event_type": "checked", "event_payload": {}}
    reply = await api.call(
        "chat.postMessage",
        channel=p.INCIDENT,
        text="reply",
        thread_ts=posted["ts"],
        reply_broadcast=True,
        metadata=event,
    )
    spare = await api.call("chat.postMessage", channel=p.INCIDENT, text="spare")
    reacted = await api.call("reactions.add", channel=p.INCIDENT, timestamp=posted["ts"], name="eyes")
    person = await slack.say(p.INCIDENT, p.ENGINEER, "see <https://shop.example|this> & that")
    home = await api.call("views.publish", user_id=p.ENGINEER, view=HOME)
    opened = await api.call("views.open", trigger_id=slack.triggers.issue(p.ENGINEER), view=MODAL)
    inside = slack.triggers.issue(p.ENGINEER, opened["view"]["id"])
    return {
        "api.test": [await api.call("api.test", foo="bar")],
        "auth.test": [await api.call("auth.test")],
        "apps.connections.open": [await api.call("apps.connections.open")],
        "bots.info": [await api.call("bots.info", bot=slack.workspace.app.bot_id)],
        "team.info": [await api.call("team.info")],
        "reactions.add": [reacted],
        "chat.postMessage": [posted, reply],
        "chat.postEphemeral": [await api.call("chat.postEphemeral", channel=p.INCIDENT, user=p.ENGINEER, text="psst")],
        "chat.update": [await api.call("chat.update", **parent, text="edited")],
        "chat.getPermalink": [await api.call("chat.getPermalink", channel=p.INCIDENT, message_ts=reply["ts"])],
        "chat.delete": [await api.call("chat.delete", channel=p.INCIDENT, ts=spare["ts"])],
        "conversations.info": [
            await api.call("conversations.info", channel=channel, include_num_members=True)
            for channel in (p.INCIDENT, p.SHARED, slack.workspace.direct_channel(p.ENGINEER).id)
        ],
        "conversations.members": [await api.call("conversations.members", channel=p.INCIDENT, limit=2)],
        "conversations.open": [
            await api.call("conversations.open", users=p.APPROVER),
            await api.call("conversations.open", users=p.APPROVER, return_im=True),
        ],
        "conversations.history": [
            await api.call("conversations.history", channel=p.INCIDENT),
            await api.call("conversations.history", channel=p.INCIDENT, limit=1, latest=person.ts, inclusive=True),
        ],
        "conversations.replies": [await api.call("conversations.replies", **parent)],
        "users.info": [
            await api.call("users.info", user=user)
            for user in (p.ENGINEER, p.OUTSIDER, p.FORMER, p.OTHER_BOT, p.BOT_USER)
        ],
        "users.list": [await api.call("users.list", limit=3)],
        "users.lookupByEmail": [await api.call("users.lookupByEmail", email="erin@shop.example")],
        "usergroups.list": [await api.call("usergroups.list", include_users=True, include_count=True)],
        "usergroups.users.list": [await api.call("usergroups.users.list", usergroup=p.ON_CALL)],
        "views.open": [opened],
        "views.push": [await api.call("views.push", trigger_id=inside, view=MODAL)],
        "views.update": [await api.call("views.update", view_id=opened["view"]["id"], view=MODAL)],
        "views.publish": [home],
    }


async def test_answers_have_the_shape_of_slacks_samples(api: Api) -> None:
    given = await answers(api)
    assert set(given) == set(METHODS)
    wrong = {}
    for method, bodies in given.items():
        sent: Shape = {}
        for body in bodies:
            for path, kinds in paths(body).items():
                sent[path] = sent.get(path, set()) | kinds
        surplus = beyond_sample(method, sent)
        missing = sorted(({"ok"} | CORE[method]) - set(sent))
        if surplus or missing:
            wrong[method] = {"not in the sample": surplus, "core keys not sent": missing}
    assert wrong == {}, json.dumps(wrong, indent=1)


async def test_payloads_have_the_shape_of_slacks_samples(api: Api) -> None:
    slack = api.slack
    await api.call("chat.postMessage", channel=p.INCIDENT, text="hello", blocks=ACTIONS)
    await api.call("views.publish", user_id=p.ENGINEER, view=HOME)
    message = slack.messages(p.INCIDENT)[0]
    parts = {
        "slash_command": await slack.command("/token", "help", user=p.ENGINEER, channel=p.INCIDENT),
        "app_mention": await slack.mention(p.INCIDENT, p.ENGINEER, "check shop", thread_ts=message.ts),
        "app_home_opened": await slack.open_home(p.ENGINEER),
        "block_actions": await slack.click(message, "go", user=p.ENGINEER),
        "message_action": await slack.shortcut(message, "check_here", user=p.ENGINEER),
        "view_submission": await slack.submit(await open_modal(api), {"reason": "stale"}, user=p.ENGINEER),
        "view_closed": await slack.acts.close_view(await open_modal(api), user=p.ENGINEER),
    }
    wrong = {}
    for name, delivery in parts.items():
        assert delivery is not None
        assert delivery.acked
        sent = paths(delivery.payload)
        surplus = beyond_sample(name, sent)
        missing = sorted(PAYLOAD_CORE[name] - set(sent))
        if surplus or missing:
            wrong[name] = {"not in the sample": surplus, "core keys not sent": missing}
    assert wrong == {}, json.dumps(wrong, indent=1)


async def test_frames_have_exactly_the_shape_of_slacks_samples(api: Api) -> None:
    await api.slack.command("/token", "help", user=p.ENGINEER, channel=p.INCIDENT)
    await api.slack.mention(p.INCIDENT, p.ENGINEER, "check shop")
    message = api.slack.messages(p.INCIDENT)[0]
    await api.slack.shortcut(message, "check_here", user=p.ENGINEER)
    for kind in ("hello", "slash_commands", "events_api", "interactive"):
        frame = next(frame for frame in api.frames if frame["type"] == kind)
        assert paths(frame, left_out=LEFT_OUT | {"payload"}) == unfolded(PUBLISHED[f"frame {kind}"])


@pytest.mark.parametrize("kind", ["slash_commands", "events_api", "interactive"])
async def test_payloads_have_every_key_of_slacks_own_examples(api: Api, kind: str) -> None:
    await api.call("chat.postMessage", channel=p.INCIDENT, text="hello", blocks=ACTIONS)
    await api.slack.command("/token", "help", user=p.ENGINEER, channel=p.INCIDENT)
    await api.slack.mention(p.INCIDENT, p.ENGINEER, "check shop")
    await api.slack.click(api.slack.messages(p.INCIDENT)[0], "go", user=p.ENGINEER)
    sent = paths(next(frame["payload"] for frame in api.frames if frame["type"] == kind))
    example = unfolded(PUBLISHED[f"example {kind}"])
    assert {path: sent.get(path) for path in example} == example


async def test_a_persons_message_has_the_blocks_of_slacks_composer(api: Api) -> None:
    delivery = await api.slack.mention(p.INCIDENT, p.ENGINEER, "hey")
    assert delivery is not None
    event = delivery.payload["event"]
    assert paths({"blocks": event["blocks"]}, left_out=frozenset()) == unfolded(PUBLISHED["composer blocks"])
    assert event["blocks"][0]["elements"][0]["elements"] == [
        {"type": "user", "user_id": p.BOT_USER},
        {"type": "text", "text": " hey"},
    ]


async def test_blocks_come_back_as_they_were_sent_with_ids_added(api: Api) -> None:
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "hi"}}
    answer = await api.call("chat.postMessage", channel=p.INCIDENT, text="hi", blocks=[section, *ACTIONS])
    first, second = answer["message"]["blocks"]
    assert first.pop("block_id")
    assert first == section
    assert second == ACTIONS[0]


def test_what_is_listed_as_beyond_the_samples_is_still_beyond_them() -> None:
    for name, pair in BEYOND:
        path, _, kind = pair.rpartition(":")
        assert kind not in unfolded(PUBLISHED[name]).get(path, set()), f"{name} {pair}: the sample has it now"
