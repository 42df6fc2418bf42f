"""What one person sees of the workspace, as flat entries: a page is brought up by what differs between two of these."""

from collections.abc import Iterator

from demo.slack.errors import JsonObject
from demo.slack.page.reading import Reading
from demo.slack.workspace import Channel, Ephemeral, Message, User, View, Workspace

Entries = dict[str, JsonObject]


def sight(workspace: Workspace, reading: Reading, user: str, people: tuple[str, ...], *, connected: bool) -> Entries:
    """By key, such as `message/C0INCIDENT1/1700000000.000100`; `people` are those whose badges are shown."""
    me = workspace.user(user)
    entries: Entries = {"me": {"id": user}, "app": _app(workspace, connected=connected)}
    entries["team"] = {"name": workspace.team.name, "domain": workspace.team.domain, "people": list(people)}
    for person in workspace.users.values():
        entries[f"user/{person.id}"] = _user(workspace, person)
    for group in workspace.user_groups.values():
        entries[f"group/{group.id}"] = {"id": group.id, "handle": group.handle, "name": group.name}
    for person_id in people:
        entries[f"badge/{person_id}"] = _badge(workspace, reading, person_id)
    for channel in workspace.channels.values():
        if _may_see(workspace, channel, me):
            entries |= _of_channel(workspace, reading, channel, user)
    entries |= _of_views(workspace, user)
    return entries


def _may_see(workspace: Workspace, channel: Channel, me: User) -> bool:
    """A public channel may be looked into before one joins it, but not by people of another workspace."""
    if me.id in channel.members:
        return not channel.im_user or channel.im_user == me.id
    return not channel.is_private and not channel.im_user and me.team_id == workspace.team.id


def _of_channel(workspace: Workspace, reading: Reading, channel: Channel, user: str) -> Entries:
    unread = reading.unread(user, channel)
    entries: Entries = {
        f"channel/{channel.id}": {
            "id": channel.id,
            "name": channel.name,
            "private": channel.is_private,
            "shared": channel.is_shared,
            "archived": channel.is_archived,
            "direct": bool(channel.im_user),
            "joined": user in channel.members,
            "members": list(channel.members),
            "unread": unread.messages,
            "calls": unread.calls,
        }
    }
    for message in workspace.live_messages(channel.id):
        entries[f"message/{channel.id}/{message.ts}"] = _message(workspace, reading, message, user)
    for told in workspace.ephemerals:
        if told.user == user and told.channel == channel.id and not told.deleted:
            entries[f"ephemeral/{channel.id}/{told.ts}"] = _ephemeral(workspace, told)
    return entries


def _message(workspace: Workspace, reading: Reading, message: Message, user: str) -> JsonObject:
    replies = workspace.replies(message)
    return {
        "kind": "message",
        "channel": message.channel,
        "ts": message.ts,
        "user": message.user,
        "text": message.text,
        "blocks": message.blocks,
        "attachments": message.attachments,
        "thread": message.thread_ts,
        "broadcast": message.broadcast,
        "edited": bool(message.edited_at),
        "app": bool(message.bot_id),
        "reactions": [{"name": name, "users": list(users)} for name, users in message.reactions.items()],
        "replies": len(replies),
        "repliers": list(dict.fromkeys(reply.user for reply in replies)),
        "last_reply": replies[-1].ts if replies else "",
        "fresh_replies": reading.fresh_replies(user, message) if replies else 0,
    }


def _ephemeral(workspace: Workspace, told: Ephemeral) -> JsonObject:
    """Slack itself speaks where a command failed."""
    by_slack = told.source == "slack"
    return {
        "kind": "ephemeral",
        "channel": told.channel,
        "ts": told.ts,
        "user": "" if by_slack else workspace.app.bot_user,
        "text": told.text,
        "blocks": told.blocks,
        "thread": told.thread_ts,
        "app": True,
    }


def _of_views(workspace: Workspace, user: str) -> Entries:
    entries = {f"view/{view.id}": _view(view) for view in workspace.views.values() if view.open and view.user == user}
    home = workspace.homes.get(user)
    if home is not None:
        entries["home"] = _view(home)
    return entries


def _view(view: View) -> JsonObject:
    shown: JsonObject = {key: view.definition.get(key) for key in ("title", "submit", "close", "blocks")}
    return {"id": view.id, "hash": view.hash, "below": view.previous_id, "errors": dict(view.errors), **shown}


def _user(workspace: Workspace, user: User) -> JsonObject:
    away = user.team_id != workspace.team.id
    return {
        "id": user.id,
        "name": user.name,
        "real_name": user.real_name,
        "app": user.is_bot,
        "gone": user.deleted,
        "team": workspace.teams[user.team_id].name if away else "",
    }


def _app(workspace: Workspace, *, connected: bool) -> JsonObject:
    app = workspace.app
    return {
        "user": app.bot_user,
        "name": app.name,
        "connected": connected,
        "commands": [{"name": c.name, "about": c.about, "hint": c.hint} for c in app.commands],
        "shortcuts": [{"name": s.name, "callback": s.callback_id} for s in app.shortcuts],
    }


def _badge(workspace: Workspace, reading: Reading, user: str) -> JsonObject:
    counts = [reading.unread(user, channel) for channel in workspace.channels.values()]
    return {"unread": sum(count.messages for count in counts), "calls": sum(count.calls for count in counts)}


def difference(before: Entries, after: Entries) -> Iterator[tuple[str, JsonObject | None]]:
    """What is new or other, and with None what is gone."""
    for key, entry in after.items():
        if before.get(key) != entry:
            yield key, entry
    for key in before:
        if key not in after:
            yield key, None
