"""Lists of any length, a page at a time, through what happens to an API server meanwhile.

A list is in the order of its objects' keys, and a place in it (the `continue` of its pages) is the last key before it.
So a page that is asked for again, by a server that was restarted or at a newer version of the list, begins after the
last object that was read: whoever counts counts no object twice, and each that was there all the time once
(`pkg/storage/etcd3/store.go`, `pkg/storage/etcd3/errors.go` of k8s.io/apiserver).
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar

from msgspec import Raw, Struct
from msgspec.json import Decoder
from msgspec.structs import replace

from bot.errors import ClusterUnreachableError
from bot.kube import read
from bot.kube.connection import Call, Connection
from bot.kube.gaps import DeniedError, ExpiredError, SlowError, TooLargeError, UnavailableError, UnreadableError
from bot.kube.permissions import Operation
from bot.objects import ListMeta

T = TypeVar("T")

MOST_BYTES = 8 * 1024 * 1024
_AIM_BYTES = 1024 * 1024
_PAGE, _FIRST = 2000, 100
"""Objects of a page at most, and of the first: it tells how large they are.

For each page the API server goes through all that come after it, so that few large pages are less work for it.
"""


class StartAgainError(UnavailableError):
    """410 with no place to go on from: the rest can be had with a new list only, and what was read counts no more."""


class Patience(Struct, frozen=True, kw_only=True):
    """For how long a page is asked for again: a try after each of the `waits`, in seconds.

    A server that asks for more is waited for as long as it says, up to `longest` seconds.
    """

    waits: tuple[float, ...] = (0.5, 1, 2, 4, 8, 15, 15, 15)
    longest: float = 30


async def stream(  # the parts of a request, and how it is cut into pages
    connection: Connection,
    operation: Operation,
    item: type[T],
    *,
    namespace: str = "",
    query: read.Query | None = None,
    accept: str = "application/json",
    page: int = _PAGE,
    patience: Patience | None = None,
) -> AsyncGenerator[tuple[T, ...], None]:
    """The objects of a list, of the whole cluster where no namespace is named, each once.

    A page has at most `page` of them, and fewer where they are large: it aims at 1 MiB. While one is used the next is
    on its way, so that two are in memory at most. `item` may be msgspec.Raw: the objects' bytes as they came.

    A page that does not come is asked for again, patiently. Raises UnreadableError when that was in vain, and
    StartAgainError.
    """
    wanted: type[read.Items[T]] = read.Items[item]  # type: ignore[valid-type]  # a type made at run time, from `item`
    reader = _Reader(
        connection=connection,
        operation=operation if namespace else replace(operation, namespaced=False),
        namespace=namespace,
        query=tuple((query or {}).items()),
        accept=accept,
        most=page,
        limit=min(page, _FIRST),
        patience=patience or Patience(),
    )
    async with aclosing(read.pages(reader.page)) as pages:
        async for each in pages:
            items = read.decoded(each.taken(), wanted).items
            if items:
                yield items
            del items  # before the next page is waited for


class _Head(Struct, frozen=True):
    metadata: ListMeta


_ITEMS, _HEAD = b'"items":', Decoder(_Head)


@dataclass
class _Unread:
    """A page of which only the beginning was looked at: the next is asked for before this one is decoded."""

    metadata: ListMeta
    body: bytearray

    def taken(self) -> bytearray:
        """The body, which is kept here no longer."""
        body, self.body = self.body, bytearray()
        return body


@dataclass(kw_only=True)
class _Reader:
    """`most` is how many objects a page has at most, `limit` how many the next is asked to have."""

    connection: Connection
    operation: Operation
    namespace: str
    query: tuple[tuple[str, str], ...]
    accept: str
    most: int
    limit: int
    patience: Patience

    async def page(self, place: str) -> _Unread:
        """The page that begins there, at its second or tenth try."""
        waits = iter(self.patience.waits)
        while True:
            try:
                return await self._ask(place)
            except ExpiredError as error:
                place = _later_place(place, error, waits)
            except TooLargeError:
                if self.limit == 1:
                    raise
                self.limit = max(1, self.limit // 4)
            except (UnreadableError, ClusterUnreachableError) as error:
                wait = self._wait(error, next(waits, None), begun=bool(place))
                if wait is None:
                    raise
                await asyncio.sleep(wait)

    async def _ask(self, place: str) -> _Unread:
        following = (("continue", place),) if place else ()
        call = Call(
            method=self.operation.method,
            path=self.operation.path(namespace=self.namespace),
            query=(*self.query, ("limit", str(self.limit)), *following),
            accept=self.accept,
        )
        body = await read.body_of(self.connection, call, self.operation, self.namespace, MOST_BYTES)
        page = _Unread(_metadata(body), body)
        # What has something behind it is full; what has nothing is the last.
        self.limit = max(1, min(self.most, _AIM_BYTES * self.limit // len(body)))
        return page

    def _wait(
        self, error: UnreadableError | ClusterUnreachableError, planned: float | None, *, begun: bool
    ) -> float | None:
        """The seconds before the next try; None where it would be in vain."""
        if isinstance(error, SlowError):
            self.most = self.limit = max(1, self.limit // 2)
        if isinstance(error, DeniedError | ClusterUnreachableError):
            # Whoever could read the pages before will again: a server that has only just started does not know the
            # cluster's roles and service accounts yet.
            asked = 0.0 if begun else None
        else:
            asked = error.again_after
        if planned is None or asked is None or asked > self.patience.longest:
            return None
        return max(planned, asked)


def _metadata(body: bytearray) -> ListMeta:
    """A list's own. API servers write it before the items, which then need not be looked at. Raises BadAnswerError."""
    try:
        return _HEAD.decode(body[: body.index(_ITEMS)] + _ITEMS + b"[]}").metadata
    except ValueError:
        return read.decoded(body, read.Items[Raw]).metadata


def _later_place(place: str, error: ExpiredError, waits: Iterator[float]) -> str:
    """Where the list goes on as it is now. Raises StartAgainError where it does not."""
    if not place:
        raise error  # not even its first page can be had
    if not error.place or next(waits, None) is None:
        raise StartAgainError(str(error)) from None
    return error.place
