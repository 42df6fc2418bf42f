"""What people do on the page, one function each: the page names it and gives its arguments as JSON."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from demo.slack import arguments as args
from demo.slack.acts import Acts
from demo.slack.delivery import Delivery
from demo.slack.errors import JsonObject, SlackError
from demo.slack.page.panel import Panel
from demo.slack.page.reading import Reading
from demo.slack.workspace import Channel, Ephemeral, Message, View, Workspace

SLACK = ""  # the author of what Slack itself says


@dataclass(frozen=True, slots=True)
class Doing:
    """`user` is who does it; `arguments` came from the page."""

    acts: Acts
    reading: Reading
    panel: Panel | None
    user: str
    arguments: JsonObject

    @property
    def workspace(self) -> Workspace:
        return self.acts.workspace

    def given(self, name: str) -> str:
        return args.required(self.arguments, name)

    def channel(self) -> Channel:
        """One that the person is in. Raises SlackError `not_in_channel`, `is_archived`."""
        channel = self.workspace.channel(self.given("channel"))
        if self.user not in channel.members:
            raise SlackError("not_in_channel")
        if channel.is_archived:
            raise SlackError("is_archived")
        return channel

    def view(self) -> View:
        view = self.workspace.views.get(self.given("view"))
        if view is None or not view.open or view.user != self.user:
            raise SlackError("view_not_found")
        return view

    def ephemeral(self) -> Ephemeral:
        wanted = (self.given("channel"), self.given("ts"), self.user)
        for told in self.workspace.ephemerals:
            if (told.channel, told.ts, told.user) == wanted and not told.deleted:
                return told
        raise SlackError("message_not_found")

    def told_by_slack(self, text: str, thread: str = "") -> None:
        channel = self.given("channel")
        ts = self.workspace.new_ts(channel)
        self.workspace.tell(Ephemeral(channel, self.user, ts, text, [], "slack", thread))


async def say(doing: Doing) -> JsonObject:
    """A message, which the bot hears of where it is named."""
    thread = args.text(doing.arguments, "thread")
    await doing.acts.write(doing.channel().id, doing.user, doing.given("text"), thread)
    return {}


async def command(doing: Doing) -> JsonObject:
    """`/token …`, or Slack's own /invite; Slack takes none of them in a thread."""
    channel, name = doing.channel(), doing.given("command")
    text, thread = args.text(doing.arguments, "text"), args.text(doing.arguments, "thread")
    if name == "/invite":
        _invite(doing, channel, text)
    elif name not in {each.name for each in doing.workspace.app.commands}:
        doing.told_by_slack(f"{name} is not a valid command. There are /token and /invite here.", thread)
    elif thread:
        doing.told_by_slack(f"{name} is not supported in threads. Sorry! Mention the app instead.", thread)
    else:
        return _fared(await doing.acts.command(name, text, user=doing.user, channel=channel.id))
    return {}


def _invite(doing: Doing, channel: Channel, text: str) -> None:
    named = text.strip().removeprefix("<@").removesuffix(">").removeprefix("@").lower()
    for user in doing.workspace.users.values():
        if named in (user.id.lower(), user.name.lower()) and not user.deleted:
            if user.id not in channel.members:
                channel.members.append(user.id)
            doing.told_by_slack(f"<@{user.id}> is in this channel.")
            return
    doing.told_by_slack("There is nobody of this name. For the bot: /invite @token-doctor")


async def click(doing: Doing) -> JsonObject:
    target = _target(doing)
    value = doing.arguments.get("value")
    delivery = await doing.acts.click(target, doing.given("action"), user=doing.user, value=value)
    return _fared(delivery)


def _target(doing: Doing) -> Message | Ephemeral | View:
    kind = doing.given("kind")
    if kind == "view":
        return doing.view()
    if kind == "home":
        home = doing.workspace.homes.get(doing.user)
        if home is None:
            raise SlackError("view_not_found")
        return home
    if kind == "ephemeral":
        return doing.ephemeral()
    return doing.workspace.message(doing.given("channel"), doing.given("ts"))


async def submit(doing: Doing) -> JsonObject:
    values = doing.arguments.get("values")
    if not isinstance(values, dict):
        raise SlackError("invalid_arguments")
    return _fared(await doing.acts.submit(doing.view(), values, user=doing.user))


async def close(doing: Doing) -> JsonObject:
    await doing.acts.close_view(doing.view(), user=doing.user)
    return {}


async def shortcut(doing: Doing) -> JsonObject:
    message = doing.workspace.message(doing.channel().id, doing.given("ts"))
    return _fared(await doing.acts.shortcut(message, doing.given("callback"), user=doing.user))


async def home(doing: Doing) -> JsonObject:
    delivery = await doing.acts.open_home(doing.user)
    return _fared(delivery) if delivery else {}


async def join(doing: Doing) -> JsonObject:
    """Public channels are open to the workspace's own people."""
    channel = doing.workspace.channel(doing.given("channel"))
    away = doing.workspace.user(doing.user).team_id != doing.workspace.team.id
    if channel.is_private or channel.im_user or away:
        raise SlackError("method_not_supported_for_channel_type")
    if doing.user not in channel.members:
        channel.members.append(doing.user)
    return {}


async def read(doing: Doing) -> JsonObject:
    doing.reading.mark(doing.user, doing.given("channel"), args.text(doing.arguments, "thread"))
    return {}


async def dismiss(doing: Doing) -> JsonObject:
    doing.ephemeral().deleted = True
    return {}


async def pull(doing: Doing) -> JsonObject:
    """A lever of the cluster's panel."""
    if doing.panel is None:
        raise SlackError("no_cluster")
    await doing.panel.act(doing.given("lever"))
    return {}


def _fared(delivery: Delivery) -> JsonObject:
    return {} if delivery.acked else {"failure": delivery.failure}


DOINGS: dict[str, Callable[[Doing], Awaitable[JsonObject]]] = {
    each.__name__: each for each in (say, command, click, submit, close, shortcut, home, join, read, dismiss, pull)
}
