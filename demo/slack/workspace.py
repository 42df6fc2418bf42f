"""The state of one Slack workspace with one app installed: no wire formats and no network here."""

import itertools
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from demo.slack.errors import JsonObject, SlackError

Blocks = list[JsonObject]
EphemeralSource = Literal["chat.postEphemeral", "response_url", "ack", "slack"]


@dataclass(frozen=True, slots=True)
class Team:
    id: str
    name: str
    domain: str


@dataclass(slots=True)
class User:
    """`team_id` other than the workspace's own makes an outsider, seen through a shared channel."""

    id: str
    name: str
    real_name: str
    team_id: str
    email: str = ""
    deleted: bool = False
    is_bot: bool = False
    is_admin: bool = False
    is_restricted: bool = False
    bot_id: str = ""
    app_id: str = ""


@dataclass(slots=True)
class Channel:
    """`im_user` is set for a direct message: the person at the other end."""

    id: str
    name: str
    creator: str
    created: int
    members: list[str] = field(default_factory=list)
    is_private: bool = False
    is_archived: bool = False
    is_shared: bool = False
    im_user: str = ""


@dataclass(frozen=True, slots=True)
class Revision:
    """What a message said before it was edited, and when it began to say so."""

    at: float
    text: str
    blocks: Blocks


@dataclass(slots=True)
class Message:
    channel: str
    ts: str
    user: str
    text: str
    blocks: Blocks
    bot_id: str = ""
    thread_ts: str = ""
    broadcast: bool = False
    by_response_url: bool = False
    edited_at: str = ""
    metadata: JsonObject | None = None
    attachments: list[JsonObject] = field(default_factory=list)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    history: list[Revision] = field(default_factory=list)
    client_msg_id: str = ""
    deleted: bool = False


@dataclass(slots=True)
class Ephemeral:
    """What one person alone sees; `slack` as its source means Slack itself speaks (a failed command)."""

    channel: str
    user: str
    ts: str
    text: str
    blocks: Blocks
    source: EphemeralSource
    thread_ts: str = ""
    deleted: bool = False


@dataclass(slots=True)
class View:
    """A modal or a home tab; `definition` is what the app sent, `hash` guards updates of it."""

    id: str
    user: str
    definition: JsonObject
    hash: str
    root_id: str
    previous_id: str = ""
    open: bool = True
    errors: dict[str, str] = field(default_factory=dict)
    history: list[JsonObject] = field(default_factory=list)


@dataclass(slots=True)
class UserGroup:
    id: str
    handle: str
    name: str
    users: list[str]
    creator: str
    created: int
    deleted: bool = False


@dataclass(slots=True)
class Token:
    """`kind` is `bot` (xoxb-) or `app` (xapp-)."""

    value: str
    kind: Literal["bot", "app"]
    scopes: tuple[str, ...]
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """A slash command as the composer offers it; `hint` is an example of its arguments."""

    name: str
    about: str
    hint: str


@dataclass(frozen=True, slots=True)
class Shortcut:
    """An entry of the app in each message's menu."""

    name: str
    callback_id: str


@dataclass(frozen=True, slots=True)
class App:
    """The one app installed; `bot_events` are its event subscriptions."""

    id: str
    name: str
    bot_id: str
    bot_user: str
    verification_token: str
    signing_secret: str
    bot_events: frozenset[str]
    commands: tuple[Command, ...] = ()
    shortcuts: tuple[Shortcut, ...] = ()


class Workspace:
    """Users, channels, messages, views, groups and tokens, each by id."""

    def __init__(self, team: Team, app: App, now: Callable[[], float]) -> None:
        self.team = team
        self.app = app
        self.now = now
        self.teams: dict[str, Team] = {team.id: team}
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.messages: dict[str, list[Message]] = {}
        self.ephemerals: list[Ephemeral] = []
        self.views: dict[str, View] = {}
        self.homes: dict[str, View] = {}
        self.user_groups: dict[str, UserGroup] = {}
        self.tokens: dict[str, Token] = {}
        self._last_micros: dict[str, int] = {}
        self._numbers = itertools.count(1)

    def new_id(self, prefix: str) -> str:
        """An id in Slack's form: a letter or two, then upper-case letters and digits."""
        return f"{prefix}0{next(self._numbers):04d}{secrets.token_hex(3).upper()}"

    def new_ts(self, channel: str) -> str:
        """Seconds and microseconds; unique and rising within a channel."""
        micros = max(int(self.now() * 1_000_000), self._last_micros.get(channel, 0) + 1)
        self._last_micros[channel] = micros
        return f"{micros // 1_000_000}.{micros % 1_000_000:06d}"

    def user(self, user_id: str) -> User:
        if user_id not in self.users:
            raise SlackError("user_not_found")
        return self.users[user_id]

    def user_by_email(self, email: str) -> User:
        """A deactivated person is not found by e-mail, as in Slack."""
        for user in self.users.values():
            if user.email and user.email.lower() == email.lower() and not user.deleted:
                return user
        raise SlackError("users_not_found")

    def channel(self, channel_id: str) -> Channel:
        """By id, for people; what the bot may see is `visible_channel`."""
        if channel_id not in self.channels:
            raise SlackError("channel_not_found")
        return self.channels[channel_id]

    def visible_channel(self, channel_id: str) -> Channel:
        """As the bot sees it: a private channel it is not in does not exist."""
        channel = self.channel(channel_id)
        hidden = channel.is_private or bool(channel.im_user)
        if hidden and self.app.bot_user not in channel.members:
            raise SlackError("channel_not_found")
        return channel

    def direct_channel(self, user_id: str) -> Channel:
        """The bot's direct message with a person, opened at need."""
        for channel in self.channels.values():
            if channel.im_user == user_id:
                return channel
        self.user(user_id)
        members = [user_id, self.app.bot_user]
        channel = Channel(self.new_id("D"), "", user_id, int(self.now()), members, im_user=user_id)
        self.channels[channel.id] = channel
        return channel

    def add_message(self, message: Message) -> Message:
        self.messages.setdefault(message.channel, []).append(message)
        return message

    def message(self, channel: str, ts: str) -> Message:
        for message in self.messages.get(channel, []):
            if message.ts == ts and not message.deleted:
                return message
        raise SlackError("message_not_found")

    def live_messages(self, channel: str) -> list[Message]:
        return [message for message in self.messages.get(channel, []) if not message.deleted]

    def replies(self, parent: Message) -> list[Message]:
        return [m for m in self.live_messages(parent.channel) if m.thread_ts == parent.ts and m is not parent]

    def edit(self, message: Message, text: str, blocks: Blocks) -> None:
        """Keeps what it said before: the page and the tests read the history."""
        message.history.append(Revision(self.now(), message.text, message.blocks))
        message.text = text
        message.blocks = blocks
        message.edited_at = f"{int(self.now())}.000000"

    def tell(self, ephemeral: Ephemeral) -> Ephemeral:
        self.ephemerals.append(ephemeral)
        return ephemeral
