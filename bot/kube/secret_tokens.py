"""The token in a token Secret. Of a Secret's data only that key is decoded."""

from msgspec import Struct

from bot import objects
from bot.kube import read
from bot.kube.connection import Connection
from bot.kube.permissions import GET_SECRET
from bot.objects import KubeStruct
from bot.tokens import RawToken


class Filled(Struct, frozen=True, kw_only=True):
    """A Secret with its token, which is hidden; None where it holds none."""

    metadata: objects.Meta
    raw: RawToken | None


class _Data(Struct, frozen=True):
    token: bytes = b""

    def __repr__(self) -> str:
        return "_Data(hidden)"


class _Secret(KubeStruct, frozen=True, kw_only=True):
    metadata: objects.Meta
    data: _Data | None = None


async def filled(connection: Connection, *, namespace: str, name: str) -> Filled:
    """Raises UnreadableError."""
    found = await read.get(connection, GET_SECRET, _Secret, namespace=namespace, name=name)
    token = found.data.token if found.data else b""
    return Filled(metadata=found.metadata, raw=RawToken(token.decode("utf-8", "replace")) if token else None)
