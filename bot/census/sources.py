"""Lists as a census reads them: of the whole cluster, or of one namespace after another, in the same order."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any, Generic, NamedTuple, TypeVar

from bot.census.scope import Scope, place_of
from bot.kube.gaps import DeniedError, UnreadableError
from bot.kube.stream import StartAgainError

T = TypeVar("T")

_AHEAD = 4
"""So many namespaces' lists are on their way at a time, where each is asked for by itself."""


class Batch(NamedTuple, Generic[T]):
    """A piece of a list: of the namespaces before `upto` nothing more comes.

    With an `error` it is of one namespace that could not be read; where none is named, of all from `upto` on.
    """

    upto: str
    items: tuple[T, ...] = ()
    error: UnreadableError | None = None
    namespace: str = ""


Listing = Callable[[str], AsyncGenerator[tuple[Any, ...], None]]
"""Begins the list of a namespace, of all of them for ""."""


async def batches(listing: Listing, scope: Scope, *, last_try: bool = False) -> AsyncGenerator[Batch[Any], None]:
    """A whole list within the scope. Raises StartAgainError where it has to be read anew, but not at the last try."""
    denied: DeniedError | None = None
    if scope.is_wide:
        upto = ""
        try:
            async with aclosing(listing("")) as pages:
                async for items in pages:
                    upto = place_of(items[-1].metadata.namespace)
                    yield Batch(upto, items)
                    del items  # before the next page is waited for
        except UnreadableError as error:
            if isinstance(error, StartAgainError) and not last_try:
                raise
            if upto or not isinstance(error, DeniedError) or scope.names is None:
                yield Batch(upto, error=error)
                return
            denied = error
    if not scope.is_wide or denied is not None:
        async with aclosing(_one_by_one(listing, scope.names or (), last_try=last_try)) as found:
            async for batch in found:
                yield batch


async def _one_by_one(listing: Listing, names: tuple[str, ...], *, last_try: bool) -> AsyncGenerator[Batch[Any], None]:
    """The first pages of the next few namespaces are on their way while one is used."""
    begun: deque[_Begun] = deque()
    waiting = deque(names)
    try:
        while waiting or begun:
            while waiting and len(begun) < _AHEAD:
                begun.append(_Begun(waiting.popleft(), listing))
            current = begun[0]
            async for batch in current.batches(last_try=last_try):
                yield batch
            begun.popleft()
    finally:
        for each in begun:
            await each.close()


class _Begun:
    """The list of a namespace whose first page is on its way."""

    def __init__(self, namespace: str, listing: Listing) -> None:
        self._namespace = namespace
        self._pages = listing(namespace)
        self._first = asyncio.create_task(self._page())

    async def batches(self, *, last_try: bool) -> AsyncIterator[Batch[Any]]:
        place = place_of(self._namespace)
        try:
            items = await self._first
            while items:
                yield Batch(place, items)
                items = await self._page()
        except UnreadableError as error:
            if isinstance(error, StartAgainError) and not last_try:
                raise
            yield Batch(place, error=error, namespace=self._namespace)

    async def _page(self) -> tuple[Any, ...]:
        """() at the end."""
        try:
            return await anext(self._pages)
        except StopAsyncIteration:
            return ()

    async def close(self) -> None:
        self._first.cancel()
        await asyncio.gather(self._first, return_exceptions=True)
        await self._pages.aclose()
