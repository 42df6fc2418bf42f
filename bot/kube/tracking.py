"""Since when the API servers record the use of legacy tokens."""

from datetime import date

from msgspec import Struct

from bot.kube import read
from bot.kube.connection import Connection
from bot.kube.gaps import AbsentError
from bot.kube.permissions import CONTROL_PLANE, GET_TOKEN_TRACKING
from bot.model import TokenTracking


async def since(connection: Connection) -> TokenTracking | None:
    """None where they do not. Raises UnreadableError."""
    try:
        found = await read.get(connection, GET_TOKEN_TRACKING, _Tracking, namespace=CONTROL_PLANE)
        return TokenTracking(since=date.fromisoformat(found.data.since))
    except (AbsentError, ValueError):
        return None


class _Since(Struct, frozen=True):
    since: str = ""


class _Tracking(Struct, frozen=True):
    data: _Since = _Since()
