"""Posts a recorded digest page by page: each once, whoever died before.

A page is noted before it is posted and after. Where only the first was done, whoever takes over looks for it by its
metadata; where the bot may not look (it has no scope to read channels by default) the page is posted once more.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Sequence
from typing import NamedTuple

import structlog

from bot.blocks.limits import Message
from bot.delivery.hold import SlotHold
from bot.lease import Clock
from bot.model import Digest
from bot.slack.door import Slack
from bot.slack.marks import PageMark
from bot.slack.posts import GoneError, LaterError, PostRefusedError, PostUncertainError
from bot.store import Kept, Store

log = structlog.get_logger(__name__)

_PATIENCE_SECONDS = 60.0  # for one call; less than the slot's lease
_FIRST_PAUSE_SECONDS = 2.0
_LONGEST_PAUSE_SECONDS = 60.0
_CLOCKS_DIFFER_SECONDS = 60.0

Render = Callable[[Digest], Sequence[Message]]
"""Pure: the channel's message, and the pages of its thread. Whoever takes over renders the same."""


class _Page(NamedTuple):
    digest: Digest
    number: int
    message: Message
    thread_ts: str


class Posting:
    def __init__(
        self, store: Store, slack: Slack, render: Render, clock: Clock, checkpoint: Callable[[str], None]
    ) -> None:
        self._store = store
        self._slack = slack
        self._render = render
        self._clock = clock
        self._checkpoint = checkpoint

    async def post(self, kept: Kept, hold: SlotHold, *, seconds: float) -> str:
        """Why the channel was not told all of it, "" if it was. Slack may be away for so many seconds.

        Raises LostError and StoreUnavailableError.
        """
        if kept.digest is None or not kept.is_told:
            return ""
        until = self._clock.monotonic() + seconds
        pages = dict(kept.pages)
        try:
            for number, message in enumerate(self._rendered(kept.digest)):
                if number not in pages:
                    page = _Page(kept.digest, number, message, pages.get(0, ""))
                    pages[number] = await self._posted(page, hold, until)
        except PostRefusedError as refused:
            log.warning("Slack refused a digest", digest=hold.schedule, channel=kept.channel, code=refused.code)
            return f"Slack refused it in {kept.channel}: {refused.code}"
        return ""

    async def failed(self, schedule: str, channel: str, minute: str, incident: str) -> None:
        """Tells the channel, in one try, that there is no digest this time."""
        sentence = f"The digest {schedule} of {minute} could not be made: token-doctor itself failed"
        message = Message(f"{sentence}; its log says why (incident {incident}).")
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._slack.put(channel, "", "", message, PageMark(incident, 0))
        except (LaterError, PostRefusedError, PostUncertainError, TimeoutError) as error:
            log.warning("nobody was told of a failed digest", digest=schedule, channel=channel, reason=str(error))

    def _rendered(self, digest: Digest) -> Sequence[Message]:
        try:
            return self._render(digest)
        except Exception:
            number = secrets.token_hex(4)
            log.exception("a digest could not be rendered", incident=number, digest=digest.schedule)
            sentence = f"The digest {digest.schedule} was made, but token-doctor failed to render it"
            return (Message(f"{sentence}; its log says why (incident {number})."),)

    async def _posted(self, page: _Page, hold: SlotHold, until: float) -> str:
        """The page's ts. Raises PostRefusedError, also where Slack does not take it for too long."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            await hold.beat()
            tries = await self._store.digests.trying(page.digest.id, page.number)
            self._checkpoint("digest trying")
            try:
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    ts = await self._put(page, again=tries > 1)
            except (LaterError, PostUncertainError, TimeoutError) as error:
                wait = max(error.seconds if isinstance(error, LaterError) else 0.0, pause)
            else:
                self._checkpoint("digest posted")
                return await self._noted(page, ts)
            if self._clock.monotonic() + wait > until:
                raise PostRefusedError("no answer in time")
            log.warning("a digest's page is posted later", digest=hold.schedule, page=page.number, seconds=wait)
            await self._clock.sleep(wait)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def _put(self, page: _Page, *, again: bool) -> str:
        digest, mark = page.digest, PageMark(page.digest.id, page.number)
        if again:
            since = digest.at.timestamp() - _CLOCKS_DIFFER_SECONDS
            ts = await self._slack.find(digest.channel, page.thread_ts, mark, since)
            if ts:
                return ts
        return await self._slack.put(digest.channel, page.thread_ts, "", page.message, mark)

    async def _noted(self, page: _Page, ts: str) -> str:
        """The ts of the page that stands: this one, unless another worker's was first."""
        digest = page.digest
        if await self._store.digests.posted(digest.id, page.number, ts):
            self._checkpoint("digest noted")
            return ts
        log.warning("a page stands there twice, one is removed", channel=digest.channel, digest=digest.schedule)
        with contextlib.suppress(GoneError, LaterError, PostRefusedError):
            await self._slack.remove(digest.channel, ts)
        kept = await self._store.digests.get(digest.id)
        return kept.pages.get(page.number, ts) if kept else ts
