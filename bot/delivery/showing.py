"""Brings a digest that stands in a channel up to the present snoozes: the same messages, edited in their places."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence

import structlog

from bot.blocks.limits import Message
from bot.lease import Clock
from bot.model import Digest, Snooze
from bot.slack.door import Slack
from bot.slack.marks import PageMark
from bot.slack.posts import GoneError, LaterError, PostRefusedError
from bot.store import Kept, Store

log = structlog.get_logger(__name__)

Place = tuple[str, str]
"""A cluster and an item's key."""
Render = Callable[[Digest, Mapping[Place, Snooze]], Sequence[Message]]
PageOf = Callable[[Digest, Place], int]

_TRIES = 6
_LONGEST_PAUSE_SECONDS = 30.0


class Showing:
    """`render` gives the same number of messages whatever is snoozed; `page_of` is which of them tells of an item."""

    def __init__(self, store: Store, slack: Slack, render: Render, page_of: PageOf, clock: Clock) -> None:
        self._store = store
        self._slack = slack
        self._render = render
        self._page_of = page_of
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()

    async def again(self, id_: str, place: Place) -> None:
        """Shows what holds for the item. A digest that is too old, or was deleted, stays as it is.

        Raises StoreUnavailableError.
        """
        async with self._one_at_a_time:
            kept = await self._store.digests.get(id_)
            if kept is None or kept.digest is None:
                log.info("a digest is too old to be shown anew", digest=id_)
                return
            changed: Collection[Place] = {place}
            while changed:
                before = await self._snoozes(kept.digest)
                await self._edit(kept, kept.digest, before, changed)
                # Another replica may have edited it meanwhile, as it knew it: the last one to look has the last word.
                after = await self._snoozes(kept.digest)
                changed = {one for one in {*before, *after} if before.get(one) != after.get(one)}

    async def _snoozes(self, digest: Digest) -> Mapping[Place, Snooze]:
        return await self._store.seen.snoozes(digest.schedule, self._clock.now())

    async def _edit(
        self, kept: Kept, digest: Digest, snoozes: Mapping[Place, Snooze], changed: Collection[Place]
    ) -> None:
        messages = self._render(digest, snoozes)
        for page in sorted({0, *(self._page_of(digest, place) for place in changed)}):
            if page in kept.pages:
                await self._edited(kept, page, messages[page])

    async def _edited(self, kept: Kept, page: int, message: Message) -> None:
        pause = 1.0
        for _ in range(_TRIES):
            try:
                await self._slack.put(kept.channel, "", kept.pages[page], message, PageMark(kept.id, page))
            except LaterError as later:
                await self._clock.sleep(max(later.seconds, pause))
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            except (GoneError, PostRefusedError) as error:
                log.info("a digest's page cannot be edited", digest=kept.id, page=page, reason=str(error))
                return
            else:
                return
        log.warning("a digest's page shows what was before: Slack is away", digest=kept.id, page=page)
