"""Who asked what and where, and the ways to answer there."""

from dataclasses import dataclass

from bot.blocks.limits import Message
from bot.slack.door import Slack
from bot.slack.posts import Post


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A slash command (with a `response_url`), a mention (with a `thread_ts` to answer in), or a shortcut (with both).

    `id` is the same when Slack sends the same thing again. A trigger opens a modal, within three seconds. The text is
    untrusted and may hold a token: it is kept out of the repr.
    """

    id: str
    user: str
    channel: str
    response_url: str = ""
    thread_ts: str = ""
    trigger_id: str = ""

    @property
    def is_mention(self) -> bool:
        return not self.response_url

    @property
    def is_direct(self) -> bool:
        return self.channel.startswith("D")


class Place:
    """Where an answer goes: a mention is answered in its thread, a command in the channel or to the asker."""

    def __init__(self, slack: Slack, ask: Ask) -> None:
        self._slack = slack
        self.ask = ask

    def post(self, message: Message) -> Post:
        """The message that everybody sees."""
        return self._slack.post(self.ask.channel, message, self.ask.thread_ts)

    async def follow(self, parent: Post, messages: tuple[Message, ...]) -> tuple[str, ...]:
        """Replies below it, in order; in a mention's thread that is where the parent stands itself. Their ts."""
        thread_ts = self.ask.thread_ts or parent.ts
        replies = [self._slack.post(self.ask.channel, message, thread_ts) for message in messages]
        return tuple([await reply.settled() for reply in replies])

    async def say(self, message: Message) -> None:
        """An answer that is no check's: only for the asker of a command, for everybody in a mention's thread."""
        if self.ask.is_mention:
            await self.post(message).settled()
        else:
            await self.whisper(message)

    async def whisper(self, message: Message) -> None:
        """Only the asker sees it. Raises PostRefusedError or PostUncertainError."""
        if self.ask.response_url:
            await self._slack.respond(self.ask.response_url, message)
        else:
            await self._slack.whisper(self.ask.channel, self.ask.user, message, self.ask.thread_ts)
