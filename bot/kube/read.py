"""One request to an API server: the status checked, the size bounded, the answer typed."""

import asyncio
import re
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Mapping
from contextlib import aclosing, asynccontextmanager
from functools import cache
from typing import Any, Generic, Protocol, TypeVar, cast

import aiohttp
import msgspec

from bot.kube.answers import bounded, failure
from bot.kube.connection import Call, Connection
from bot.kube.gaps import BadAnswerError, ExpiredError, UnavailableError, shortened
from bot.kube.permissions import Operation
from bot.objects import KubeStruct, ListMeta

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
P = TypeVar("P", bound="Piece")
Query = Mapping[str, str]

METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
PAGE = 500
_MOST_BYTES = 32 * 1024 * 1024
_LONGEST_LINE = 64 * 1024


class Items(KubeStruct, Generic[T], frozen=True, kw_only=True):
    """A list, of any type. Go writes an empty one as null."""

    metadata: ListMeta = ListMeta()
    items: tuple[T, ...] | None = ()


class Piece(Protocol):
    """A part of a list, which says where the rest begins."""

    @property
    def metadata(self) -> ListMeta: ...


class Page(Piece, Protocol[T_co]):
    """A part of a list, with its items."""

    @property
    def items(self) -> tuple[T_co, ...] | None: ...


@cache
def _decoder(wanted: Any) -> msgspec.json.Decoder[Any]:  # noqa: ANN401  # any type: made once for each
    return msgspec.json.Decoder(wanted)


async def get(  # the parts of a request, all but three with defaults
    connection: Connection,
    operation: Operation,
    wanted: type[T],
    *,
    namespace: str = "",
    name: str = "",
    query: Query | None = None,
    accept: str = "application/json",
) -> T:
    """One object. Raises UnreadableError."""
    call = Call(
        method=operation.method,
        path=operation.path(namespace=namespace, name=name),
        query=tuple((query or {}).items()),
        accept=accept,
    )
    return decoded(await body_of(connection, call, operation, namespace), wanted)


async def metadata(
    connection: Connection, operation: Operation, wanted: type[T], *, namespace: str = "", name: str
) -> T:
    """An object's metadata alone: what else is in it stays on the server."""
    return await get(connection, operation, wanted, namespace=namespace, name=name, accept=METADATA)


async def create(  # the parts of a request
    connection: Connection,
    operation: Operation,
    wanted: type[T],
    body: Mapping[str, object],
    *,
    namespace: str = "",
    name: str = "",
    query: Query | None = None,
    accept: str = "application/json",
    content_type: str = "application/json",
) -> T:
    """The answer to a review, a token request, or whatever else is sent with a body."""
    call = Call(
        method=operation.method,
        path=operation.path(namespace=namespace, name=name),
        query=tuple((query or {}).items()),
        accept=accept,
        content_type=content_type,
        body=body,
    )
    return decoded(await body_of(connection, call, operation, namespace), wanted)


async def get_all(  # the parts of a request
    connection: Connection,
    operation: Operation,
    item: type[T],
    *,
    namespace: str = "",
    query: Query | None = None,
    accept: str = "application/json",
    most: int = 10_000,
) -> tuple[T, ...]:
    """Every object of a list, page by page. More than `most` is an UnavailableError: half a list is no list."""
    wanted: type[Items[T]] = Items[item]  # type: ignore[valid-type]  # a type made at run time, from `item`
    return await get_pages(connection, operation, wanted, namespace=namespace, query=query, accept=accept, most=most)


async def get_pages(  # the parts of a request
    connection: Connection,
    operation: Operation,
    page: type[Page[T]],
    *,
    namespace: str = "",
    query: Query | None = None,
    accept: str = "application/json",
    most: int = 10_000,
) -> tuple[T, ...]:
    """The same, of a list whose pages have a form of their own."""

    async def fetch(place: str) -> Page[T]:
        following = {"continue": place} if place else {}
        asked = {**(query or {}), "limit": str(PAGE), **following}
        return await get(connection, operation, page, namespace=namespace, query=asked, accept=accept)

    async def whole() -> tuple[T, ...]:
        found: list[T] = []
        async with aclosing(pages(fetch)) as read:
            async for each in read:
                found += each.items or ()
                if len(found) > most:
                    many = f"there are more than {most} {operation.resource}"
                    raise UnavailableError(f"{many}, too many to read for one answer")
        return tuple(found)

    try:
        return await whole()
    except ExpiredError:
        return await whole()


async def pages(fetch: Callable[[str], Coroutine[Any, Any, P]]) -> AsyncGenerator[P, None]:
    """A list, page by page; `fetch` is told where a page begins, "" for the first.

    The next page is on its way while the former is used: two are in memory at most.
    """
    ahead = asyncio.create_task(fetch(""))
    try:
        while True:
            page = await ahead
            if place := page.metadata.continue_token:
                ahead = asyncio.create_task(fetch(place))
                await asyncio.sleep(0)  # the request is sent before the page is used, which may take its time
            yield page
            if not place:
                return
    finally:
        ahead.cancel()
        await asyncio.gather(ahead, return_exceptions=True)


async def get_some(  # the parts of a request
    connection: Connection,
    operation: Operation,
    item: type[T],
    *,
    namespace: str = "",
    query: Query | None = None,
    accept: str = "application/json",
    most: int = PAGE,
) -> tuple[T, ...]:
    """The first objects of a list, at most a page of them."""
    wanted: type[Items[T]] = Items[item]  # type: ignore[valid-type]  # a type made at run time, from `item`
    page = await get(
        connection, operation, wanted, namespace=namespace, query={**(query or {}), "limit": str(most)}, accept=accept
    )
    return page.items or ()


async def tail(
    connection: Connection, operation: Operation, *, namespace: str, name: str, query: Query, most: int
) -> tuple[bytes, bool]:
    """The last `most` bytes of a text, and whether anything before them was dropped.

    The API server's own `limitBytes` would keep the first bytes and lose the newest lines.
    """
    call = Call(
        method=operation.method,
        path=operation.path(namespace=namespace, name=name),
        query=tuple(query.items()),
        accept="*/*",
    )
    kept: deque[bytes] = deque()
    size, dropped = 0, False
    async with _answer(connection, call, operation, namespace) as response:
        async for chunk in response.content.iter_any():
            kept.append(chunk)
            size += len(chunk)
            while size - len(kept[0]) >= most:
                size -= len(kept.popleft())
                dropped = True
    text = b"".join(kept)
    return text[-most:], dropped or len(text) > most


async def matches(connection: Connection, operation: Operation, wanted: re.Pattern[bytes]) -> list[re.Match[bytes]]:
    """The lines of a text that are wanted, whole. It is read piece by piece: no more than a line of it is kept."""
    call = Call(method=operation.method, path=operation.path(), accept="text/plain")
    found: list[re.Match[bytes]] = []
    rest = b""
    async with _answer(connection, call, operation, "") as response:
        async for chunk in response.content.iter_any():
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > _LONGEST_LINE:
                raise UnavailableError(f"a line of the answer is longer than {_LONGEST_LINE // 1024} KiB")
            found += [match for line in lines if (match := wanted.fullmatch(line))]
    return [*found, *filter(None, [wanted.fullmatch(rest)])]


async def body_of(
    connection: Connection, call: Call, operation: Operation, namespace: str, most: int | None = None
) -> bytearray:
    """The answer's bytes: not more than `most`, 32 MiB where nothing is said. Raises UnreadableError."""
    async with _answer(connection, call, operation, namespace) as response:
        return await bounded(response, _MOST_BYTES if most is None else most)


@asynccontextmanager
async def _answer(
    connection: Connection, call: Call, operation: Operation, namespace: str
) -> AsyncIterator[aiohttp.ClientResponse]:
    async with connection.open(call) as response:
        if not response.ok:
            raise await failure(response, operation, namespace)
        yield response


def decoded(body: bytearray, wanted: type[T]) -> T:
    """Raises BadAnswerError."""
    try:
        value: T = _decoder(cast("Any", wanted)).decode(body)
    except msgspec.DecodeError as error:
        raise BadAnswerError(f"the API server's answer cannot be understood: {shortened(str(error))}") from None
    return value
