"""Workspace objects as Slack's JSON; keys follow the published samples (see tests/contract)."""

from demo.slack.errors import JsonObject
from demo.slack.workspace import Channel, Message, User, UserGroup, View, Workspace

ICONS = "https://ca.slack-edge.com/demo"


def bot_profile(workspace: Workspace) -> JsonObject:
    app = workspace.app
    return {
        "id": app.bot_id,
        "deleted": False,
        "name": app.name,
        "updated": 0,
        "app_id": app.id,
        "icons": {f"image_{size}": f"{ICONS}/bot_{size}.png" for size in (36, 48, 72)},
        "team_id": workspace.team.id,
    }


def message_json(workspace: Workspace, message: Message, *, metadata: bool = True) -> JsonObject:
    """A message as conversations.history shows it, without the thread's counters.

    `metadata` is what the history shows only when it is asked for it.
    """
    team = workspace.users[message.user].team_id
    body: JsonObject = {"user": message.user, "type": "message", "ts": message.ts, "text": message.text, "team": team}
    if message.bot_id:
        body |= {"bot_id": message.bot_id}
    if message.bot_id == workspace.app.bot_id:
        body |= {"app_id": workspace.app.id, "bot_profile": bot_profile(workspace)}
    optional: JsonObject = {
        "client_msg_id": message.client_msg_id,
        "subtype": _subtype(message),
        "blocks": message.blocks,
        "thread_ts": message.thread_ts,
        "attachments": message.attachments,
        "metadata": message.metadata if metadata else None,
    }
    body |= {key: value for key, value in optional.items() if value}
    if message.edited_at:
        body["edited"] = {"user": message.user, "ts": message.edited_at}
    if message.reactions:
        body["reactions"] = [
            {"name": name, "users": users, "count": len(users)} for name, users in message.reactions.items()
        ]
    return body


def _subtype(message: Message) -> str:
    if message.by_response_url:
        return "bot_message"
    return "thread_broadcast" if message.broadcast else ""


def threaded_json(workspace: Workspace, message: Message, *, metadata: bool = True) -> JsonObject:
    """A message with its place in a thread: counters on the parent, the parent's author on a reply."""
    body = message_json(workspace, message, metadata=metadata)
    replies = workspace.replies(message)
    if replies:
        authors = list(dict.fromkeys(reply.user for reply in replies))
        body |= {
            "thread_ts": message.ts,
            "reply_count": len(replies),
            "reply_users_count": len(authors),
            "latest_reply": replies[-1].ts,
            "reply_users": authors,
            "is_locked": False,
            "subscribed": False,
        }
    elif message.thread_ts:
        parent = next((m for m in workspace.messages[message.channel] if m.ts == message.thread_ts), None)
        if parent is not None:
            body["parent_user_id"] = parent.user
    return body


def channel_json(workspace: Workspace, channel: Channel, *, num_members: bool = False) -> JsonObject:
    if channel.im_user:
        return _direct_json(workspace, channel)
    teams = sorted({workspace.users[user].team_id for user in channel.members} | {workspace.team.id})
    empty = {"value": "", "creator": "", "last_set": 0}
    body: JsonObject = {
        "id": channel.id,
        "name": channel.name,
        "is_channel": not channel.is_private,
        "is_group": channel.is_private,
        "is_im": False,
        "is_mpim": False,
        "is_private": channel.is_private,
        "created": channel.created,
        "is_archived": channel.is_archived,
        "is_general": False,
        "unlinked": 0,
        "name_normalized": channel.name,
        "is_shared": channel.is_shared,
        "is_org_shared": False,
        "is_pending_ext_shared": False,
        "pending_shared": [],
        "context_team_id": workspace.team.id,
        "updated": channel.created * 1000,
        "creator": channel.creator,
        "is_ext_shared": channel.is_shared,
        "shared_team_ids": teams if channel.is_shared else [workspace.team.id],
        "pending_connected_team_ids": [],
        "is_member": workspace.app.bot_user in channel.members,
        "topic": empty,
        "purpose": empty,
        "previous_names": [],
    }
    if num_members:
        body["num_members"] = len(channel.members)
    return body


def _direct_json(workspace: Workspace, channel: Channel) -> JsonObject:
    return {
        "id": channel.id,
        "created": channel.created,
        "is_archived": False,
        "is_im": True,
        "is_org_shared": False,
        "context_team_id": workspace.team.id,
        "updated": channel.created * 1000,
        "user": channel.im_user,
        "last_read": "0000000000.000000",
        "is_open": True,
        "priority": 0,
    }


def user_json(workspace: Workspace, user: User, *, email: bool) -> JsonObject:
    """`email` says whether the token has users:read.email: without it Slack leaves the address out."""
    body: JsonObject = {
        "id": user.id,
        "name": user.name,
        "team_id": user.team_id,
        "deleted": user.deleted,
        "profile": _profile_json(user, email=email),
        "is_bot": user.is_bot,
        "is_app_user": False,
        "updated": 0,
    }
    if user.deleted:  # Slack keeps little of a deactivated account
        return body
    body |= {
        "color": "9f69e7",
        "real_name": user.real_name,
        "tz": "Europe/Berlin",
        "tz_label": "Central European Time",
        "tz_offset": 3600,
        "is_admin": user.is_admin,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": user.is_restricted,
        "is_ultra_restricted": False,
        "is_email_confirmed": not user.is_bot,
        "who_can_share_contact_card": "EVERYONE",
    }
    if user.team_id != workspace.team.id:
        body["is_stranger"] = False  # true only before a first shared channel
    return body


def _profile_json(user: User, *, email: bool) -> JsonObject:
    first, _, last = user.real_name.partition(" ")
    profile: JsonObject = {
        "title": "",
        "phone": "",
        "skype": "",
        "real_name": user.real_name,
        "real_name_normalized": user.real_name,
        "display_name": user.name,
        "display_name_normalized": user.name,
        "first_name": first,
        "last_name": last,
        "status_text": "",
        "status_emoji": "",
        "status_emoji_display_info": [],
        "status_expiration": 0,
        "status_text_canonical": "",
        "avatar_hash": "g0000000000",
        "team": user.team_id,
    }
    profile |= {f"image_{size}": f"{ICONS}/{user.name}_{size}.png" for size in (24, 32, 48, 72, 192, 512)}
    if user.is_bot:
        profile |= {"bot_id": user.bot_id, "api_app_id": user.app_id, "always_active": True}
    if email and user.email:
        profile["email"] = user.email
    return profile


def user_group_json(workspace: Workspace, group: UserGroup, *, users: bool, count: bool) -> JsonObject:
    body: JsonObject = {
        "id": group.id,
        "team_id": workspace.team.id,
        "is_usergroup": True,
        "is_subteam": True,
        "name": group.name,
        "description": "",
        "handle": group.handle,
        "is_external": False,
        "date_create": group.created,
        "date_update": group.created,
        "date_delete": int(group.deleted),
        "created_by": group.creator,
        "updated_by": group.creator,
        "prefs": {"channels": [], "groups": []},
        "channel_count": 0,
    }
    if users:
        body["users"] = group.users
    if count:
        body["user_count"] = len(group.users)
    return body


def view_json(workspace: Workspace, view: View) -> JsonObject:
    """A view as views.open answers and as interaction payloads carry it (without its state's values)."""
    definition = view.definition
    body: JsonObject = {
        "id": view.id,
        "team_id": workspace.team.id,
        "type": definition["type"],
        "blocks": definition["blocks"],
        "private_metadata": definition.get("private_metadata", ""),
        "callback_id": definition.get("callback_id", ""),
        "state": {"values": {}},
        "hash": view.hash,
        "title": definition.get("title") or {"type": "plain_text", "text": workspace.app.name, "emoji": True},
        "clear_on_close": bool(definition.get("clear_on_close", False)),
        "notify_on_close": bool(definition.get("notify_on_close", False)),
        "close": definition.get("close"),
        "submit": definition.get("submit"),
        "previous_view_id": view.previous_id or None,
        "root_view_id": view.root_id,
        "app_id": workspace.app.id,
        "external_id": definition.get("external_id", ""),
        "app_installed_team_id": workspace.team.id,
        "bot_id": workspace.app.bot_id,
    }
    return body
