"""What a digest is made of: each cluster looked at, or the reason why not; silence would look like health."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

import structlog

from bot.census import Progress
from bot.digest.comparison import Unreached
from bot.errors import DoctorError
from bot.model import Inventory

log = structlog.get_logger(__name__)

_PATIENCE = timedelta(minutes=30)
_AT_ONCE = 2  # each holds a page of objects and the items it found


class Census(Protocol):
    """One pass over the cluster of that name. Raises DoctorError where nothing at all could be read."""

    async def __call__(
        self,
        cluster: str,
        *,
        namespaces: tuple[str, ...],
        window: timedelta,
        progress: Callable[[Progress], None] | None = None,
    ) -> Inventory: ...


async def look(
    census: Census,
    clusters: Sequence[str],
    *,
    namespaces: tuple[str, ...],
    window: timedelta,
    at: datetime,
    progress: Callable[[str, Progress], None] | None = None,
) -> tuple[Inventory | Unreached, ...]:
    """The clusters in the same order. `progress` is told how far each of them is."""
    few = asyncio.Semaphore(_AT_ONCE)

    async def one(cluster: str) -> Inventory | Unreached:
        told = partial(progress, cluster) if progress else None
        async with few:
            return await _tried(cluster, census(cluster, namespaces=namespaces, window=window, progress=told), at)

    return tuple(await asyncio.gather(*map(one, clusters)))


async def _tried(cluster: str, census: Awaitable[Inventory], at: datetime) -> Inventory | Unreached:
    """The inventory, or why there is none: whatever it was, whoever waits for the digest is told."""
    try:
        async with asyncio.timeout(_PATIENCE.total_seconds()):
            return await census
    except DoctorError as error:
        return Unreached(cluster=cluster, at=at, why=str(error), mend=error.next_step)
    except TimeoutError:
        minutes = int(_PATIENCE.total_seconds()) // 60
        why = f"The census did not end within {minutes} minutes."
        return Unreached(cluster=cluster, at=at, why=why, mend="Narrow the digest's namespaces.")
    except Exception:
        number = secrets.token_hex(4)
        log.exception("a census broke", incident=number, cluster=cluster)
        why = f"token-doctor itself failed; its log says why (incident {number})."
        return Unreached(cluster=cluster, at=at, why=why)
