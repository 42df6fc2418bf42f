"""One pass over a cluster's lists, all at the same namespace: what is read of one is counted, and then forgotten.

Lists come in the order of namespaces. The one that lags behind is read on, so that a namespace is complete as soon as
every list has come past it, and no more than a few are held at a time.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from itertools import chain
from typing import Any

from msgspec import Struct

from bot.census.aspects import Aspect
from bot.census.embedded import credentials as credentials_in
from bot.census.facts import Facts
from bot.census.legacy import token_secrets
from bot.census.outlook import outlooks
from bot.census.projected import workloads
from bot.census.room import Room
from bot.census.scope import Scope, place_of
from bot.census.sources import Batch
from bot.census.standing import Read
from bot.census.tally import Seen, Tallying
from bot.census.unread import Trouble
from bot.embedded import SecretData, credentials
from bot.model import Scanned

_END = "\uffff"
_LARGE = 64 * 1024
"""In characters: what is longer is parsed beside the loop, not on it."""
_TURN_SECONDS = 0.01
"""After so long others have their turn."""

Batches = AsyncGenerator[Batch[Any], None]


class UnsortedError(Exception):
    """A list came back to a namespace that was counted already."""


class Progress(Struct, frozen=True, kw_only=True):
    """How far a census is: `passed` of the namespaces, of `total` where these could be listed."""

    scanned: Scanned
    passed: int
    total: int | None


async def _next(source: Batches) -> Batch[Any] | None:
    """None at the end."""
    return await anext(source, None)


async def _ended(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Before their sources are closed, which can be done only while nobody reads them."""
    waited_for = tuple(tasks)
    for task in waited_for:
        task.cancel()
    await asyncio.gather(*waited_for, return_exceptions=True)


class Pass:
    """What is read and counted. With `hold` namespaces are counted only at the end: lists may come in any order."""

    def __init__(  # what is read, how it is counted, and the clock
        self,
        facts: Facts,
        scope: Scope,
        *,
        most: int,
        hold: bool,
        monotonic: Callable[[], float],
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self._facts = facts
        self._scope = scope
        self._hold = hold
        self._monotonic = monotonic
        self._progress = progress
        self._outlooks = outlooks(facts)
        self._rooms: dict[str, Room] = {}
        self._upto = ""
        self._turn = monotonic()
        self._aspects: frozenset[Aspect] = frozenset()
        self._counts: dict[Aspect, int] = {}
        self._passed = 0
        self.tally = Tallying(most)
        self.troubles: dict[Aspect, Trouble] = {}

    @property
    def scanned(self) -> Scanned:
        """What was read so far."""
        names = self._scope.names
        return Scanned(
            namespaces=self._passed if names is None else sum(map(self._is_read, names)),
            token_secrets=self._counts.get(Aspect.TOKEN_SECRETS, 0),
            service_accounts=self._counts.get(Aspect.ACCOUNTS, 0),
            pods=self._counts.get(Aspect.PODS, 0),
            secrets=self._counts.get(Aspect.DATA, 0) if Aspect.DATA in self._aspects else None,
        )

    @property
    def held(self) -> int:
        """How many namespaces are in memory now."""
        return len(self._rooms)

    async def read(self, sources: Mapping[Aspect, Batches]) -> None:
        """Raises UnsortedError and StartAgainError: then nothing that was counted holds."""
        self._aspects = frozenset(sources)
        fronts = dict.fromkeys(sources, "")
        async with AsyncExitStack() as stack:
            for source in sources.values():
                await stack.enter_async_context(aclosing(source))
            begun = {aspect: asyncio.create_task(_next(source)) for aspect, source in sources.items()}
            stack.push_async_callback(_ended, begun.values())
            while fronts:
                aspect = min(fronts, key=lambda each: (fronts[each], list(Aspect).index(each)))
                first = begun.pop(aspect, None)
                batch = await (first or _next(sources[aspect]))
                del first
                if batch is None:
                    del fronts[aspect]
                else:
                    fronts[aspect] = batch.upto
                    await self._take(aspect, batch)
                    del batch  # with its objects, before the next page is waited for
                await self._count_before(min(fronts.values(), default=_END))

    async def _take(self, aspect: Aspect, batch: Batch[Any]) -> None:
        if batch.error is not None:
            trouble = self.troubles.setdefault(aspect, Trouble())
            if batch.namespace:
                trouble.namespaces[batch.namespace] = batch.error
            else:
                trouble.rest, trouble.error = batch.upto, batch.error
            return
        items = batch.items
        if not self._scope.is_everything:
            items = tuple(item for item in items if self._scope.wants(item.metadata.namespace))
        self._counts[aspect] = self._counts.get(aspect, 0) + len(items)
        if aspect is Aspect.DATA:
            await self._search(items)
        else:
            self._fold(aspect, items)

    def _fold(self, aspect: Aspect, items: Iterable[Any]) -> None:
        for item in items:
            room = self._room(item.metadata.namespace)
            if aspect is Aspect.PODS:
                room.add_pod(item, self._facts)
            elif aspect is Aspect.ACCOUNTS:
                room.add_account(item)
            else:
                room.add_token_secret(item)

    async def _search(self, secrets: Sequence[SecretData]) -> None:
        """Looks into each Secret's data, which is dropped with the page."""
        for secret in secrets:
            room = self._room(secret.metadata.namespace)
            is_large = sum(map(len, (secret.data or {}).values())) > _LARGE
            found = await asyncio.to_thread(credentials, secret) if is_large else credentials(secret)
            if found:
                room.add_credentials(secret, found)
            await self._breathe()

    def _room(self, namespace: str) -> Room:
        room = self._rooms.get(namespace)
        if room is None:
            if place_of(namespace) < self._upto:
                raise UnsortedError(namespace)
            room = self._rooms[namespace] = Room(namespace)
        return room

    async def _count_before(self, front: str) -> None:
        """Counts the namespaces that every list has come past."""
        if self._hold and front != _END:
            return
        self._upto = max(self._upto, front)
        for name in sorted(self._rooms, key=place_of):
            if place_of(name) >= front:
                break
            for seen in self._seen_in(self._rooms[name]):
                self.tally.add(name, seen)
                await self._breathe()
            del self._rooms[name]
            self._passed += 1
        if self._progress:
            self._progress(self._told(front))
        await self._breathe()

    def _seen_in(self, room: Room) -> Iterable[Seen]:
        read = Read(accounts=self._knows(Aspect.ACCOUNTS, room.name), pods=self._knows(Aspect.PODS, room.name))
        return chain(
            token_secrets(room, self._facts, self._outlooks, read),
            credentials_in(room, self._facts, read),
            workloads(room, self._facts),
        )

    def _knows(self, aspect: Aspect, namespace: str) -> bool:
        """Whether all of it was read there."""
        trouble = self.troubles.get(aspect)
        return aspect in self._aspects and not (trouble and trouble.covers(namespace))

    def _is_read(self, namespace: str) -> bool:
        return any(self._knows(aspect, namespace) for aspect in self._aspects)

    def _told(self, front: str) -> Progress:
        names = self._scope.names
        passed = self._passed if names is None else sum(place_of(name) < front for name in names)
        return Progress(scanned=self.scanned, passed=passed, total=None if names is None else len(names))

    async def _breathe(self) -> None:
        """Lets others have their turn, where it was long."""
        now = self._monotonic()
        if now - self._turn > _TURN_SECONDS:
            await asyncio.sleep(0)
            self._turn = self._monotonic()
