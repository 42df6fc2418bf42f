"""TokenRequest: a fresh token of a service account, for whoever wants to see whether one works. It is in no Secret."""

from msgspec import Struct

from bot.kube import read
from bot.kube.connection import Connection
from bot.kube.permissions import MINT_TOKEN
from bot.tokens import RawToken

LIFE_SECONDS = 600
"""The shortest that a TokenRequest may ask for."""


class BoundPod(Struct, frozen=True):
    """The pod that a token ends with."""

    name: str
    uid: str


class _Minted(Struct, frozen=True):
    token: str = ""

    def __repr__(self) -> str:
        return "_Minted(hidden)"


class _TokenRequest(Struct, frozen=True):
    status: _Minted = _Minted()


async def mint(connection: Connection, *, namespace: str, account: str, pod: BoundPod | None = None) -> RawToken:
    """A token for the API server's own audiences. Raises UnreadableError."""
    spec: dict[str, object] = {"audiences": [], "expirationSeconds": LIFE_SECONDS}
    if pod:
        spec["boundObjectRef"] = {"apiVersion": "v1", "kind": "Pod", "name": pod.name, "uid": pod.uid}
    minted = await read.create(connection, MINT_TOKEN, _TokenRequest, {"spec": spec}, namespace=namespace, name=account)
    return RawToken(minted.status.token)
