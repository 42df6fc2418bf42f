"""What Slack sends to an app: slash commands, events, clicks, submissions, shortcuts."""

from demo.slack.errors import JsonObject
from demo.slack.shapes import threaded_json, view_json
from demo.slack.workspace import Channel, Ephemeral, Message, User, View, Workspace


def channel_name(channel: Channel) -> str:
    """A direct message and a private channel keep their names to themselves."""
    return "directmessage" if channel.im_user else "privategroup" if channel.is_private else channel.name


def slash_command(workspace: Workspace, command: str, text: str, user: User, channel: Channel) -> JsonObject:
    """Without response_url and trigger_id, which are handed out at sending."""
    return {
        "token": workspace.app.verification_token,
        "team_id": workspace.team.id,
        "team_domain": workspace.team.domain,
        "channel_id": channel.id,
        "channel_name": channel_name(channel),
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": text,
        "api_app_id": workspace.app.id,
        "is_enterprise_install": "false",
    }


def event_callback(workspace: Workspace, event: JsonObject, *, shared: bool) -> JsonObject:
    team = workspace.team.id
    return {
        "token": workspace.app.verification_token,
        "team_id": team,
        "api_app_id": workspace.app.id,
        "event": event,
        "type": "event_callback",
        "event_id": workspace.new_id("Ev"),
        "event_time": int(workspace.now()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": team,
                "user_id": workspace.app.bot_user,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": shared,
        "event_context": f"4-{workspace.new_id('')}",
    }


def app_mention(workspace: Workspace, message: Message) -> JsonObject:
    user = workspace.users[message.user]
    event: JsonObject = {
        "type": "app_mention",
        "user": user.id,
        "ts": message.ts,
        "client_msg_id": message.client_msg_id,
        "text": message.text,
        "team": user.team_id,
        "blocks": message.blocks,
        "channel": message.channel,
        "event_ts": message.ts,
    }
    if message.thread_ts:
        event["thread_ts"] = message.thread_ts
    if user.team_id != workspace.team.id:
        event |= {"user_team": user.team_id, "source_team": user.team_id}
    if user.is_bot:
        event["bot_id"] = user.bot_id
    return event


def app_home_opened(workspace: Workspace, user: User, channel: Channel) -> JsonObject:
    event: JsonObject = {
        "type": "app_home_opened",
        "user": user.id,
        "channel": channel.id,
        "tab": "home",
        "event_ts": workspace.new_ts(channel.id),
    }
    home = workspace.homes.get(user.id)
    if home is not None:
        event["view"] = view_json(workspace, home)
    return event


def _interaction(workspace: Workspace, kind: str, user: User) -> JsonObject:
    return {
        "type": kind,
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id},
        "api_app_id": workspace.app.id,
        "token": workspace.app.verification_token,
        "team": {"id": workspace.team.id, "domain": workspace.team.domain},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def _named(channel: Channel) -> JsonObject:
    return {"id": channel.id, "name": channel_name(channel)}


def block_actions(
    workspace: Workspace, user: User, target: Message | Ephemeral | View, action: JsonObject
) -> JsonObject:
    """Without response_url and trigger_id; a click in an ephemeral message carries no message body."""
    body = _interaction(workspace, "block_actions", user)
    if isinstance(target, View):
        container: JsonObject = {"type": "view", "view_id": target.id}
        return body | {"container": container, "view": view_json(workspace, target), "actions": [action]}
    channel = workspace.channels[target.channel]
    container = {
        "type": "message",
        "message_ts": target.ts,
        "channel_id": target.channel,
        "is_ephemeral": isinstance(target, Ephemeral),
    }
    if target.thread_ts:
        container["thread_ts"] = target.thread_ts
    body |= {"container": container, "channel": _named(channel), "state": {"values": {}}, "actions": [action]}
    if isinstance(target, Message):
        body["message"] = threaded_json(workspace, target)
    return body


def message_action(workspace: Workspace, user: User, message: Message, callback_id: str) -> JsonObject:
    """The message shortcut, without response_url and trigger_id; it names neither app nor username."""
    body = _interaction(workspace, "message_action", user)
    del body["api_app_id"], body["user"]["username"]
    return body | {
        "callback_id": callback_id,
        "action_ts": f"{workspace.now():.6f}",
        "message_ts": message.ts,
        "channel": _named(workspace.channels[message.channel]),
        "message": threaded_json(workspace, message),
    }


def view_submission(workspace: Workspace, user: User, view: View, values: JsonObject) -> JsonObject:
    """Without trigger_id; `values` is by block_id, then by action_id."""
    shown = view_json(workspace, view) | {"state": {"values": values}}
    return _interaction(workspace, "view_submission", user) | {"view": shown, "response_urls": []}


def view_closed(workspace: Workspace, user: User, view: View, *, cleared: bool) -> JsonObject:
    shown = view_json(workspace, view)
    return _interaction(workspace, "view_closed", user) | {"view": shown, "is_cleared": cleared}
