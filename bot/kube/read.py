"""One request to an API server: the status checked, the size bounded, the answer typed."""

import re
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, Generic, Protocol, TypeVar, cast

import aiohttp
import msgspec
from msgspec import structs

from bot.errors import ClusterUnreachableError
from bot.kube.connection import Call, Connection
from bot.kube.gaps import (
    AbsentError,
    BadAnswerError,
    ConflictError,
    DeniedError,
    RefusedError,
    UnavailableError,
    UnreadableError,
    shortened,
)
from bot.kube.permissions import Operation
from bot.messages import forbidden
from bot.objects import KubeStruct, ListMeta

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Query = Mapping[str, str]

METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
PAGE = 500
_MOST_BYTES = 32 * 1024 * 1024
_MOST_ERROR_BYTES = 64 * 1024
_LONGEST_LINE = 64 * 1024
_NOBODY = "system:anonymous"


class Items(KubeStruct, Generic[T], frozen=True, kw_only=True):
    """A list, of any type. Go writes an empty one as null."""

    metadata: ListMeta = ListMeta()
    items: tuple[T, ...] | None = ()


class Page(Protocol[T_co]):
    """A piece of a list."""

    @property
    def metadata(self) -> ListMeta: ...

    @property
    def items(self) -> tuple[T_co, ...] | None: ...


class _StatusCause(KubeStruct, frozen=True, kw_only=True):
    reason: str = ""
    message: str = ""
    field: str = ""


class _StatusDetails(KubeStruct, frozen=True, kw_only=True):
    causes: tuple[_StatusCause, ...] = ()


class _Status(KubeStruct, frozen=True, kw_only=True):
    kind: str = ""
    message: str = ""
    reason: str = ""
    details: _StatusDetails | None = None

    def cause(self, *, reason: str = "", field: str = "") -> _StatusCause | None:
        """The first of its causes with that reason, or of that field; None without one."""
        causes = self.details.causes if self.details else ()
        return next((one for one in causes if reason in {"", one.reason} and field in {"", one.field}), None)


class _ExpiredError(UnreadableError):
    """410: the place in a list is too old to continue from."""


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
    return _decoded(await _body(connection, call, operation, namespace), wanted)


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
    return _decoded(await _body(connection, call, operation, namespace), wanted)


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
    try:
        return await _pages(connection, operation, page, namespace, query or {}, accept, most)
    except _ExpiredError:
        return await _pages(connection, operation, page, namespace, query or {}, accept, most)


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


async def _pages(  # noqa: PLR0917  # the parts of a request, from the one function above
    connection: Connection,
    operation: Operation,
    wanted: type[Page[T]],
    namespace: str,
    query: Query,
    accept: str,
    most: int,
) -> tuple[T, ...]:
    found: list[T] = []
    place: dict[str, str] = {}
    while True:
        page = await get(
            connection,
            operation,
            wanted,
            namespace=namespace,
            query={**query, "limit": str(PAGE), **place},
            accept=accept,
        )
        found += page.items or ()
        if len(found) > most:
            raise UnavailableError(f"there are more than {most} {operation.resource}, too many to read for one answer")
        if not page.metadata.continue_token:
            return tuple(found)
        place = {"continue": page.metadata.continue_token}


async def _body(connection: Connection, call: Call, operation: Operation, namespace: str) -> bytes:
    async with _answer(connection, call, operation, namespace) as response:
        return await _bounded(response, _MOST_BYTES)


@asynccontextmanager
async def _answer(
    connection: Connection, call: Call, operation: Operation, namespace: str
) -> AsyncIterator[aiohttp.ClientResponse]:
    async with connection.open(call) as response:
        if not response.ok:
            raise await failure(response, operation, namespace)
        yield response


async def failure(response: aiohttp.ClientResponse, operation: Operation, namespace: str) -> UnreadableError:
    """What an answer other than 2xx means. Raises ClusterUnreachableError where the bot has sent no credentials."""
    status = await _status(response)
    words = shortened(status.message) or f"HTTP status {response.status}"
    match response.status:
        case 403 if status.kind == "Status":
            return _denied(status.message, operation, namespace) or RefusedError(words)
        case 422 if status.cause(field="metadata.uid"):
            # Of a patch that names the uid: the object of that name is another one (`ValidateObjectMetaUpdate`).
            return ConflictError("there is another object of that name by now")
        case 400 | 422:
            return RefusedError(words)
        case 404:
            return AbsentError(words)
        case 409:
            return ConflictError(words)
        case 410:
            return _ExpiredError(words)
        case 429:
            return _overloaded(status, words)
        case 500:
            return BadAnswerError(f"the API server answered 500: {words}")
        case code:
            return UnavailableError(f"the API server answered {code}: {words}")


def _denied(message: str, operation: Operation, namespace: str) -> DeniedError | None:
    """None where the 403 is not about rights."""
    if not _is_about_rights(message):
        return None
    # The server's own words name the rule best: one request may need several.
    refused = forbidden(message)
    if refused is not None and refused.user == _NOBODY:
        raise ClusterUnreachableError(
            "The API server takes token-doctor for nobody (system:anonymous): no credentials were sent.",
            next_step="Give the kubeconfig's user a token, a client certificate or an exec plugin.",
        )
    rule = refused.rule if refused else operation.rule(namespace)
    return DeniedError(structs.replace(rule, name=operation.name))


def _overloaded(status: _Status, words: str) -> UnreadableError:
    """Of an eviction it may also be a PodDisruptionBudget that says no."""
    if budget := status.cause(reason="DisruptionBudget"):
        return RefusedError(shortened(budget.message) or words)
    return UnavailableError(f"the API server is overloaded and asks to wait: {words}")


def _is_about_rights(message: str) -> bool:
    """Not an admission plugin's refusal, which has another reason. A second check of rights gives none at all."""
    if " denied request: " in message or " denied the request" in message:
        return False  # an admission policy's or webhook's own words, which may say “cannot” too
    return not message or " cannot " in message or message.rstrip().endswith("is forbidden:")


async def _status(response: aiohttp.ClientResponse) -> _Status:
    try:
        status: _Status = _decoder(_Status).decode(await _bounded(response, _MOST_ERROR_BYTES))
    except (msgspec.DecodeError, UnavailableError):
        # A proxy's page, not the API server's: the number is all there is to say.
        return _Status()
    return status


async def _bounded(response: aiohttp.ClientResponse, most: int) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > most:
            raise UnavailableError(f"the answer is larger than {most // 1024} KiB")
    return bytes(body)


def _decoded(body: bytes, wanted: type[T]) -> T:
    try:
        decoded: T = _decoder(cast("Any", wanted)).decode(body)
    except msgspec.DecodeError as error:
        raise BadAnswerError(f"the API server's answer cannot be understood: {shortened(str(error))}") from None
    return decoded
