"""Reads one file in a container, by `cat` over a websocket (v4.channel.k8s.io)."""

import aiohttp
import msgspec
from msgspec import Struct

from bot.kube.answers import failure
from bot.kube.connection import Call, Connection
from bot.kube.gaps import UnavailableError, UnreadableError, shortened
from bot.kube.permissions import CREATE_EXEC, OPEN_EXEC

MOST_BYTES = 16 * 1024
_PROTOCOL = "v4.channel.k8s.io"
_STDOUT, _STDERR, _STATUS = 1, 2, 3
_NO_COMMAND = ("executable file not found", "no such file or directory: unknown", "not found in $PATH")


class FileContent(Struct, frozen=True, kw_only=True):
    """The file, or why there is none, in words. Never shown: it may be a token."""

    content: bytes = b""
    problem: str = ""

    def __repr__(self) -> str:
        return "FileContent(hidden)"


class _Cause(Struct, frozen=True):
    reason: str = ""
    message: str = ""


class _Details(Struct, frozen=True):
    causes: tuple[_Cause, ...] = ()


class _Status(Struct, frozen=True):
    """What the error channel says when the command has ended."""

    status: str = ""
    message: str = ""
    reason: str = ""
    details: _Details | None = None


async def cat(connection: Connection, *, namespace: str, pod: str, container: str, path: str) -> FileContent:
    """The file's content, at most 16 KiB. Raises UnreadableError where the exec itself cannot be had."""
    call = Call(
        method="GET",
        path=OPEN_EXEC.path(namespace=namespace, name=pod),
        query=(("container", container), ("command", "cat"), ("command", path), ("stdout", "true"), ("stderr", "true")),
        accept="*/*",
    )
    try:
        async with connection.websocket(call, _PROTOCOL) as websocket:
            return await _content(websocket, path)
    except aiohttp.WSServerHandshakeError as error:
        raise await _refusal(connection, call, namespace, error.status) from None


async def _content(websocket: aiohttp.ClientWebSocketResponse, path: str) -> FileContent:
    output, complaint = bytearray(), bytearray()
    async for message in websocket:
        if message.type is not aiohttp.WSMsgType.BINARY or not message.data:
            continue
        channel, data = message.data[0], message.data[1:]
        if channel == _STATUS:
            return _ended(data, bytes(output), bytes(complaint), path)
        kept = output if channel == _STDOUT else complaint
        kept += data
        if len(kept) > MOST_BYTES:
            return FileContent(problem=f"{path} is larger than {MOST_BYTES // 1024} KiB, so it is no token")
    raise UnavailableError("the connection broke off before the command in the container had ended")


def _ended(data: bytes, output: bytes, complaint: bytes, path: str) -> FileContent:
    try:
        status = msgspec.json.decode(data, type=_Status)
    except msgspec.DecodeError:
        raise UnavailableError("the kubelet's answer about the command's end cannot be understood") from None
    if status.status == "Success":
        return FileContent(content=output)
    words = shortened(complaint.decode("utf-8", "replace"))
    if any(sign in status.message for sign in _NO_COMMAND):
        return FileContent(problem=f"the image has no `cat`, so {path} cannot be read")
    if "No such file" in words:
        return FileContent(problem=f"there is no file {path} in the container")
    if "Permission denied" in words:
        return FileContent(problem=f"the container's user may not read {path}")
    return FileContent(problem=f"`cat {path}` failed: {words or shortened(status.message) or 'no reason given'}")


async def _refusal(connection: Connection, call: Call, namespace: str, status: int) -> UnreadableError:
    """A refused websocket keeps its reason to itself; the same request without the upgrade is told it.

    A missing `get` is named there; a missing `create`, which 1.35 and newer ask for as well, is not (seen on 1.36.3).
    """
    async with connection.open(call) as response:
        if not response.ok:
            return await failure(response, CREATE_EXEC, namespace)
    return UnavailableError(f"the API server answered {status} to an exec")
