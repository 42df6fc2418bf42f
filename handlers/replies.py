"""One message at once, edited into the answer; the rest of it in the thread. Whatever happens in between is told."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from bot.blocks import notices
from bot.blocks.limits import Message
from bot.blocks.report import Answer
from bot.slack.posts import Post, PostRefusedError, PostUncertainError
from handlers.places import Place

log = structlog.get_logger(__name__)

Work = Callable[[Callable[[Message], None]], Awaitable[Answer]]
"""It is given what shows how far it is, and never raises but CancelledError."""

_NOT_A_MEMBER = {"not_in_channel", "channel_not_found"}


class Replies:
    """`name` is the bot's own, for the invitation."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def reply(self, place: Place, first: Message, work: Work, *, stopped: Message) -> tuple[str, ...]:
        """The ts of the answer's message and of those in its thread; none where Slack did not take it.

        `first` is shown until `work` is done, and `stopped` where the bot was stopped before.
        """
        post = place.post(first)
        worked = asyncio.ensure_future(work(post.show))
        found: Answer | None = None
        try:
            found = await _unless_refused(worked, post)
            post.show(found.message)
            await post.settled()
            replies = await place.follow(post, found.thread)
        except PostRefusedError as refused:
            log.info("Slack refused a message", code=refused.code, channel=place.ask.channel)
            await place.whisper(self._refused(refused.code, place))
        except PostUncertainError as error:
            log.warning("Slack did not confirm a message", error=str(error), channel=place.ask.channel)
            await place.whisper((await worked).message)
        except asyncio.CancelledError:
            if found is None:
                post.show(stopped)
            raise
        else:
            return (post.ts, *replies)
        finally:
            worked.cancel()
            await asyncio.gather(worked, return_exceptions=True)
        return ()

    def _refused(self, code: str, place: Place) -> Message:
        if code in _NOT_A_MEMBER:
            return notices.invite(self._name, direct=place.ask.is_direct)
        return notices.refused_by_slack(code)


async def _unless_refused(worked: asyncio.Future[Answer], post: Post) -> Answer:
    """The answer, or at once the error that keeps it from being posted."""
    posted = asyncio.ensure_future(post.posted())
    try:
        both: tuple[asyncio.Future[Any], ...] = (worked, posted)
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if posted.done():
            posted.result()
        return await worked
    finally:
        posted.cancel()
        await asyncio.gather(posted, return_exceptions=True)
