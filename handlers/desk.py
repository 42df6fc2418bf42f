"""From what was typed to the answer: one parser, one use case each."""

import secrets
from collections.abc import Callable
from difflib import get_close_matches

import structlog

from bot.blocks import knowledge, notices
from bot.blocks.limits import Message
from bot.diagnosis import CAUSES, GROUPS, runbook
from bot.messages import MESSAGES, meanings
from bot.slack.door import Slack
from bot.slack.posts import PostRefusedError, PostUncertainError
from handlers import words
from handlers.censuses import Censuses
from handlers.checks import Checks
from handlers.middleware import Doorkeeper, Heard
from handlers.places import Ask, Place
from handlers.requesting import ADD_ONE, NO_POLICY, Requesting
from handlers.work import Work

log = structlog.get_logger(__name__)

Parse = Callable[[str], words.Command]


class Desk:
    """`name` is the bot's own, as people write it after the @. Without `requesting` nothing can be asked for."""

    def __init__(
        self,
        slack: Slack,
        doorkeeper: Doorkeeper,
        heard: Heard,
        work: Work,
        *,
        checks: Checks,
        censuses: Censuses,
        name: str,
        requesting: Requesting | None = None,
    ) -> None:
        self._slack = slack
        self._doorkeeper = doorkeeper
        self._heard = heard
        self._checks = checks
        self._censuses = censuses
        self._work = work
        self._name = name
        self._requesting = requesting

    def take(self, ask: Ask, text: str, parse: Parse) -> None:
        """Called once the command is acknowledged; returns at once. The text may hold a token."""
        self.serve(ask, parse(text))

    def serve(self, ask: Ask, command: words.Command) -> None:
        """The same for a command that is no text. What Slack sends again is not done again."""
        if not self._heard.first_time(ask.id):
            log.info("Slack sent the same thing again", id=ask.id)
            return
        log.info("asked", command=type(command).__name__, user=ask.user, channel=ask.channel, mention=ask.is_mention)
        self._work.start(self._serve(command, Place(self._slack, ask)))

    async def _serve(self, command: words.Command, place: Place) -> None:
        if await self._heard.by_others(place.ask.id):
            log.info("another replica does this", id=place.ask.id)
            return
        try:
            refusal = await self._doorkeeper.refusal(place.ask.user)
            if refusal:
                await place.whisper(notices.said(refusal))
            elif isinstance(command, words.Check):
                await self._checks.run(command.target, place)
            elif isinstance(command, words.Census):
                await self._censuses.run(command, place)
            elif isinstance(command, words.Act | words.Requests | words.Audit):
                await self._request(command, place)
            else:
                await _tell(command, place, self._name)
        except (PostRefusedError, PostUncertainError) as error:
            log.warning("an answer could not be given", user=place.ask.user, error=str(error))
        except Exception:
            number = secrets.token_hex(4)
            log.exception("a command broke", incident=number, command=type(command).__name__)
            await _apologise(place, number)

    async def _request(self, command: words.Act | words.Requests | words.Audit, place: Place) -> None:
        if self._requesting is None:
            await place.whisper(notices.said(NO_POLICY, ADD_ONE))
        else:
            await self._requesting.serve(command, place)


async def _apologise(place: Place, number: str) -> None:
    try:
        await place.whisper(notices.incident(number))
    except (PostRefusedError, PostUncertainError) as error:
        log.warning("an incident could not be told", incident=number, error=str(error))


async def _tell(command: words.Told, place: Place, name: str) -> None:
    match command:
        case words.Errors(text):
            await place.say(_errors(text))
        case words.Explain(code):
            await place.say(_explain(code))
        case words.Help():
            await place.say(knowledge.help_(name))
        case words.TerminalOnly(which, pasted=False):
            await place.say(notices.in_the_terminal(which, pasted=False))
        case words.TerminalOnly(which):
            await place.whisper(notices.in_the_terminal(which, pasted=True))
        case words.Pasted():
            await place.whisper(notices.token_pasted())
        case words.Unclear(sentence, next_step):
            await place.say(notices.said(sentence, next_step))


def _errors(text: str) -> Message:
    if not text:
        return knowledge.catalogue(MESSAGES)
    found = meanings(text)
    return knowledge.entries(found, CAUSES) if found else knowledge.no_entry()


def _explain(code: str) -> Message:
    if not code:
        return knowledge.causes(GROUPS)
    if code in CAUSES:
        return knowledge.cause(CAUSES[code], runbook(code))
    near = get_close_matches(code, CAUSES, n=3, cutoff=0.5)
    step = f"Did you mean {', '.join(f'`{name}`' for name in near)}?" if near else "`/token explain` lists them all."
    return notices.said(f"There is no cause “{code}”.", step)
