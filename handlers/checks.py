"""A check's message from "checking …" to the answer, whatever happens in between."""

import asyncio
import secrets
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import structlog

from bot.blocks import notices
from bot.blocks.limits import Message
from bot.blocks.report import Answer, answer
from bot.errors import DoctorError
from bot.model import Offer, Report, Target
from bot.slack.posts import Post, PostRefusedError, PostUncertainError
from handlers.middleware import ChannelRule, rule_of
from handlers.places import Place
from handlers.work import Turns

log = structlog.get_logger(__name__)

Examine = Callable[[Target], Awaitable[Report]]
Offers = Callable[[Report], Sequence[Offer]]

_NOT_A_MEMBER = {"not_in_channel", "channel_not_found"}


class Checks:
    """`name` is the bot's own, for the invitation. Each cluster has its own turns: a dead one delays no other.

    `offers` are the actions that a report's answer has buttons for.
    """

    def __init__(
        self, examine: Examine, rules: Mapping[str, ChannelRule], name: str, offers: Offers = lambda _: ()
    ) -> None:
        self._examine = examine
        self._offers = offers
        self._turns: defaultdict[str, Turns] = defaultdict(Turns)
        self._rules = rules
        self._name = name

    async def run(self, target: Target, place: Place) -> None:
        """One message at once, edited into the answer; the rest of it in the thread."""
        asker = place.ask.user
        post = place.post(notices.checking(target, asker))
        examined = asyncio.ensure_future(self._answer(target, place))
        found: Answer | None = None
        try:
            found = await _unless_refused(examined, post)
            post.show(found.message)
            await post.settled()
            await place.follow(post, found.thread)
        except PostRefusedError as refused:
            log.info("Slack refused a message", code=refused.code, channel=place.ask.channel)
            await place.whisper(self._refused(refused.code, place))
        except PostUncertainError as error:
            log.warning("Slack did not confirm a message", error=str(error), channel=place.ask.channel)
            await place.whisper((await examined).message)
        except asyncio.CancelledError:
            if found is None:
                post.show(notices.stopped(target, asker))
            raise
        finally:
            examined.cancel()
            await asyncio.gather(examined, return_exceptions=True)

    async def _answer(self, target: Target, place: Place) -> Answer:
        asker = place.ask.user
        rule = rule_of(self._rules, place.ask.channel)
        if not rule.allows(target.namespace):
            return Answer(notices.not_here(target, asker, rule.namespaces))
        target = rule.applied(target)
        try:
            async with self._turns[target.cluster].turn(asker):
                report = await self._examine(target)
            return answer(report, asker, self._offers(report))
        except DoctorError as error:
            log.info("no verdict", target=str(target), reason=str(error))
            return Answer(notices.failed(target, asker, error))
        except Exception:
            number = secrets.token_hex(4)
            log.exception("a check broke", incident=number, target=str(target))
            return Answer(notices.broken(target, asker, number))

    def _refused(self, code: str, place: Place) -> Message:
        if code in _NOT_A_MEMBER:
            return notices.invite(self._name, direct=place.ask.is_direct)
        return notices.refused_by_slack(code)


async def _unless_refused(examined: asyncio.Future[Answer], post: Post) -> Answer:
    """The answer, or at once the error that keeps it from being posted."""
    posted = asyncio.ensure_future(post.posted())
    try:
        both: tuple[asyncio.Future[Any], ...] = (examined, posted)
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if posted.done():
            posted.result()
        return await examined
    finally:
        posted.cancel()
        await asyncio.gather(posted, return_exceptions=True)
