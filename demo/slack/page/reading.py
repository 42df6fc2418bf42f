"""Which messages a person has seen: what is left makes the badges."""

from dataclasses import dataclass, field

from demo.slack.workspace import Channel, Message, Workspace


@dataclass(frozen=True, slots=True)
class Unread:
    """`calls` are those of them that name the person, or answer in a thread of theirs."""

    messages: int = 0
    calls: int = 0


@dataclass(slots=True)
class Reading:
    workspace: Workspace
    _seen: dict[str, set[tuple[str, str]]] = field(default_factory=dict)

    def mark(self, user: str, channel: str, thread: str = "") -> None:
        """The person has the channel before their eyes, or with `thread` (a ts) one of its threads."""
        seen = self._seen.setdefault(user, set())
        for message in self.workspace.live_messages(channel):
            if thread in (message.thread_ts, message.ts) or (not thread and _in_channel(message)):
                seen.add((channel, message.ts))

    def unread(self, user: str, channel: Channel) -> Unread:
        if user not in channel.members:
            return Unread()
        fresh = [m for m in self.workspace.live_messages(channel.id) if self._is_fresh(user, m)]
        calling = [m for m in fresh if channel.im_user or self._calls(user, m)]
        return Unread(sum(1 for m in fresh if _in_channel(m) or m in calling), len(calling))

    def fresh_replies(self, user: str, parent: Message) -> int:
        return sum(1 for reply in self.workspace.replies(parent) if self._is_fresh(user, reply))

    def _is_fresh(self, user: str, message: Message) -> bool:
        return message.user != user and (message.channel, message.ts) not in self._seen.get(user, set())

    def _calls(self, user: str, message: Message) -> bool:
        groups = [group.id for group in self.workspace.user_groups.values() if user in group.users]
        if f"<@{user}>" in message.text or any(f"<!subteam^{group}" in message.text for group in groups):
            return True
        return bool(message.thread_ts) and self._takes_part(user, message)

    def _takes_part(self, user: str, reply: Message) -> bool:
        thread = [m for m in self.workspace.live_messages(reply.channel) if reply.thread_ts in (m.ts, m.thread_ts)]
        return any(m.user == user for m in thread)


def _in_channel(message: Message) -> bool:
    return not message.thread_ts or message.broadcast
