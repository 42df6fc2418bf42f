"""`/token digest` and `/token legacy`: what expires and what never does, now, wherever it may be asked about."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog
from msgspec.structs import replace

from bot.blocks import census as blocks
from bot.blocks import digest as digests
from bot.blocks import notices
from bot.blocks.limits import Message
from bot.blocks.report import Answer
from bot.census import Progress
from bot.errors import DoctorError, StoreUnavailableError
from bot.model import Digest, ItemKind
from bot.store import Store
from handlers.middleware import ChannelRule, rule_of
from handlers.places import Place
from handlers.replies import Replies
from handlers.words import Census
from handlers.work import Turns

log = structlog.get_logger(__name__)

LEGACY = frozenset({ItemKind.LEGACY_SECRET, ItemKind.MANUAL_SECRET, ItemKind.UNFILLED_SECRET, ItemKind.ORPHANED_SECRET})
EVERY_SECONDS = 3.0
"""So often a message says how far it is: Slack takes fewer than one edit a second of the whole workspace."""

_AT_ONCE = 2
_STOPPED = ("The bot was stopped before there was an answer.", "Ask again in a minute.")


class Demand(Protocol):
    """What there is now, compared with what the channel's digests have seen. Raises DoctorError."""

    async def digest(
        self,
        *,
        clusters: Sequence[str],
        namespaces: tuple[str, ...],
        channel: str,
        kinds: frozenset[ItemKind] | None,
        progress: Callable[[str, Progress], None],
    ) -> Digest: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """`kinds` is None for all; `what` says it in words."""

    clusters: tuple[str, ...]
    namespaces: tuple[str, ...]
    kinds: frozenset[ItemKind] | None
    channel: str
    asker: str
    what: str


class Censuses:
    """`name` is the bot's own; `clusters` are those that are configured. `acts` where there is a policy.

    With a store, what the digests have seen is known, and what is found can be snoozed from here too.
    """

    def __init__(
        self,
        demand: Demand,
        rules: Mapping[str, ChannelRule],
        name: str,
        *,
        clusters: Callable[[], Sequence[str]],
        store: Store | None,
        acts: bool,
        monotonic: Callable[[], float],
    ) -> None:
        self._demand = demand
        self._rules = rules
        self._replies = Replies(name)
        self._clusters = clusters
        self._store = store
        self._acts = acts
        self._monotonic = monotonic
        self._turns = Turns(_AT_ONCE)

    async def run(self, command: Census, place: Place) -> None:
        """One message at once, which says how far it is every few seconds, and becomes the answer."""
        rule = rule_of(self._rules, place.ask.channel)
        if command.namespace and not rule.covers(command.namespace):
            await place.whisper(notices.said(*notices.not_here_words(command.namespace, rule.namespaces)))
            return
        clusters = _chosen(command.cluster or rule.cluster, self._clusters())
        if not clusters:
            step = f"The clusters are {', '.join(self._clusters())}."
            await place.whisper(notices.said(f"No cluster “{command.cluster or rule.cluster}” is configured.", step))
            return
        namespaces = (command.namespace,) if command.namespace else rule.namespaces
        asked = _Asked(
            clusters=clusters,
            namespaces=namespaces,
            kinds=LEGACY if command.legacy else None,
            channel=place.ask.channel,
            asker=place.ask.user,
            what=_what(namespaces, command.cluster, legacy=command.legacy),
        )
        await self._replied(asked, place)

    async def _replied(self, asked: _Asked, place: Place) -> None:
        digest: Digest | None = None

        async def work(show: Callable[[Message], None]) -> Answer:
            nonlocal digest
            answer, digest = await self._answer(asked, show)
            return answer

        stopped = blocks.failed(asked.what, asked.asker, *_STOPPED)
        posted = await self._replies.reply(place, blocks.reading(asked.what, asked.asker), work, stopped=stopped)
        if digest:
            await self._posted(digest, posted)

    async def _answer(self, asked: _Asked, show: Callable[[Message], None]) -> tuple[Answer, Digest | None]:
        far = _Far(asked, show, self._monotonic)
        try:
            async with self._turns.turn(asked.asker):
                digest = await self._demand.digest(
                    clusters=asked.clusters,
                    namespaces=asked.namespaces,
                    channel=asked.channel,
                    kinds=asked.kinds,
                    progress=far.told,
                )
        except DoctorError as error:
            log.info("no census", namespaces=asked.namespaces, reason=str(error))
            return Answer(blocks.failed(asked.what, asked.asker, str(error), error.next_step)), None
        except Exception:
            number = secrets.token_hex(4)
            log.exception("a census broke", incident=number)
            return Answer(blocks.failed(asked.what, asked.asker, *notices.broken_words(number))), None
        digest = replace(digest, asker=asked.asker, about=asked.what)
        await self._keep(digest)
        first, *thread = digests.messages(digest, acts=self._acts)
        return Answer(first, tuple(thread)), digest

    async def _keep(self, digest: Digest) -> None:
        """What its buttons ask for, which it has with a schedule only. Without it they work, and it is not edited."""
        if self._store is None or not digest.schedule:
            return
        try:
            await self._store.digests.keep(digest)
        except StoreUnavailableError as error:
            log.warning("a digest could not be kept", error=str(error))

    async def _posted(self, digest: Digest, posted: Sequence[str]) -> None:
        if self._store is None or not digest.schedule:
            return
        try:
            for page, ts in enumerate(posted):
                await self._store.digests.posted(digest.id, page, ts)
        except StoreUnavailableError as error:
            log.warning("where a digest stands could not be kept", error=str(error))


class _Far:
    """Says every few seconds how far each cluster is."""

    def __init__(self, asked: _Asked, show: Callable[[Message], None], monotonic: Callable[[], float]) -> None:
        self._asked = asked
        self._show = show
        self._monotonic = monotonic
        self._far: dict[str, str] = {}
        self._at = monotonic()

    def told(self, cluster: str, progress: Progress) -> None:
        self._far[cluster] = blocks.far(progress.scanned, progress.passed, progress.total)
        if self._monotonic() - self._at >= EVERY_SECONDS:
            self._at = self._monotonic()
            self._show(blocks.reading(self._asked.what, self._asked.asker, self._far))


def _chosen(wanted: str, clusters: Sequence[str]) -> tuple[str, ...]:
    """The one that is meant, whatever its case; all of them where none is named."""
    return tuple(name for name in clusters if not wanted or name.lower() == wanted.lower())


def _what(namespaces: Sequence[str], cluster: str, *, legacy: bool) -> str:
    """`the token Secrets of namespace shop, cluster prod`."""
    if "*" in namespaces:
        where = "all namespaces"
    else:
        plain = len(namespaces) == 1 and not set("*?") & set(namespaces[0])
        where = f"namespace{'' if plain else 's'} {', '.join(namespaces)}"
    of = f"the token Secrets of {where}" if legacy else where
    return f"{of}, cluster {cluster}" if cluster else of
