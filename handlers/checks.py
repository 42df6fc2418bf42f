"""A check: its message from "checking …" to the answer, or to why there is none."""

import secrets
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog

from bot.blocks import notices
from bot.blocks.limits import Message
from bot.blocks.report import Answer, answer
from bot.errors import DoctorError
from bot.model import Offer, Report, Target
from handlers.middleware import ChannelRule, rule_of
from handlers.places import Place
from handlers.replies import Replies
from handlers.work import Turns

log = structlog.get_logger(__name__)

Examine = Callable[[Target], Awaitable[Report]]
Offers = Callable[[Report], Sequence[Offer]]


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
        self._replies = Replies(name)

    async def run(self, target: Target, place: Place) -> None:
        """One message at once, edited into the answer; the rest of it in the thread."""
        asker = place.ask.user

        async def work(_: Callable[[Message], None]) -> Answer:
            return await self._answer(target, place)

        stopped = notices.stopped(target, asker)
        await self._replies.reply(place, notices.checking(target, asker), work, stopped=stopped)

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
