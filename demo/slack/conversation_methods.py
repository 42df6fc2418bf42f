"""conversations.* methods."""

import math

from demo.slack import arguments as args
from demo.slack.calls import Call, Method
from demo.slack.errors import JsonObject, SlackError
from demo.slack.paging import page
from demo.slack.rate_limits import TIER_3, TIER_4
from demo.slack.shapes import channel_json, threaded_json
from demo.slack.workspace import Channel, Message


def _readable(call: Call, action: str) -> Channel:
    """The channel, when the token has the scope for its kind: `channels:read`, `groups:history`."""
    channel = call.workspace.visible_channel(args.required(call.arguments, "channel"))
    kind = "im" if channel.im_user else "groups" if channel.is_private else "channels"
    call.demand_scope(f"{kind}:{action}")
    return channel


def info(call: Call) -> JsonObject:
    channel = _readable(call, "read")
    counted = args.flag(call.arguments, "include_num_members")
    return {"ok": True, "channel": channel_json(call.workspace, channel, num_members=counted)}


def members(call: Call) -> JsonObject:
    found, cursor = page(call.arguments, _readable(call, "read").members, 100)
    return {"ok": True, "members": found, "response_metadata": {"next_cursor": cursor}}


def _between(call: Call, messages: list[Message]) -> list[Message]:
    """Those after `oldest` and before `latest`; the edges themselves only when `inclusive`."""
    low = _edge(call, "oldest", 0.0)
    high = _edge(call, "latest", math.inf)
    if args.flag(call.arguments, "inclusive"):
        return [m for m in messages if low <= float(m.ts) <= high]
    return [m for m in messages if low < float(m.ts) < high]


def _edge(call: Call, name: str, default: float) -> float:
    value = args.text(call.arguments, name)
    try:
        return float(value) if value else default
    except ValueError as error:
        raise SlackError(f"invalid_ts_{name}") from error


def _in_channel(call: Call, action: str) -> Channel:
    channel = _readable(call, action)
    if call.workspace.app.bot_user not in channel.members:
        raise SlackError("not_in_channel")
    return channel


def history(call: Call) -> JsonObject:
    """Newest first, without the replies that live in threads."""
    channel = _in_channel(call, "history")
    live = call.workspace.live_messages(channel.id)
    shown = [m for m in reversed(live) if not m.thread_ts or m.broadcast]
    found, cursor = page(call.arguments, _between(call, shown), 100)
    body: JsonObject = {
        "ok": True,
        "messages": [threaded_json(call.workspace, message, metadata=_with_metadata(call)) for message in found],
        "has_more": bool(cursor),
        "pin_count": 0,
    }
    if cursor:
        body["response_metadata"] = {"next_cursor": cursor}
    return body


def replies(call: Call) -> JsonObject:
    """The parent first, then its replies, oldest first."""
    channel = _in_channel(call, "history")
    ts = args.required(call.arguments, "ts")
    try:
        asked = call.workspace.message(channel.id, ts)
        parent = call.workspace.message(channel.id, asked.thread_ts) if asked.thread_ts else asked
    except SlackError as error:
        raise SlackError("thread_not_found") from error
    thread = [parent, *_between(call, call.workspace.replies(parent))]
    found, cursor = page(call.arguments, thread, 1_000)
    body: JsonObject = {
        "ok": True,
        "messages": [threaded_json(call.workspace, message, metadata=_with_metadata(call)) for message in found],
        "has_more": bool(cursor),
    }
    if cursor:
        body["response_metadata"] = {"next_cursor": cursor}
    return body


def _with_metadata(call: Call) -> bool:
    return args.flag(call.arguments, "include_all_metadata")


def open_direct(call: Call) -> JsonObject:
    """One person only: group direct messages are not served."""
    wanted = [user for user in args.text(call.arguments, "users").split(",") if user]
    channel_id = args.text(call.arguments, "channel")
    if len(wanted) > 1:
        raise SlackError("too_many_users")
    if not wanted and not channel_id:
        raise SlackError("users_list_not_supplied")
    workspace = call.workspace
    user = wanted[0] if wanted else workspace.visible_channel(channel_id).im_user
    if workspace.user(user).deleted:
        raise SlackError("user_disabled")
    known = any(channel.im_user == user for channel in workspace.channels.values())
    channel = workspace.direct_channel(user)
    body: JsonObject = {"ok": True, "channel": {"id": channel.id}}
    if args.flag(call.arguments, "return_im"):
        body["channel"] = channel_json(workspace, channel)
    if known:
        body |= {"no_op": True, "already_open": True}
    return body


READ = ("channels:read", "groups:read", "im:read", "mpim:read")
HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")
METHODS: dict[str, Method] = {
    "conversations.info": Method(info, TIER_3, READ),
    "conversations.members": Method(members, TIER_4, READ),
    "conversations.history": Method(history, TIER_3, HISTORY),
    "conversations.replies": Method(replies, TIER_3, HISTORY),
    "conversations.open": Method(open_direct, TIER_3, ("im:write", "mpim:write")),
}
