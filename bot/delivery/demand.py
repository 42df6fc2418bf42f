"""A digest when somebody asks: compared with what the channel's own digests have seen, and nothing is remembered."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec.structs import replace

from bot.census import Progress
from bot.delivery.looking import Census, look
from bot.delivery.recording import TREND
from bot.digest import routing
from bot.digest.comparison import Unreached, compare
from bot.digest.telling import unread, with_trend
from bot.lease import Clock
from bot.model import WINDOW, ClusterDigest, Digest, Due, Inventory, ItemKind, Tally, TrendPoint, due
from bot.store import Store
from config.digests import Digest as Schedule


class _Past(NamedTuple):
    """What the channel's own digests have seen, by cluster: when it was last looked at, and the points of its trend."""

    looked: Mapping[str, datetime]
    trend: Mapping[str, tuple[TrendPoint, ...]]


_NO_PAST = _Past({}, {})


class Demand:
    """Without a store nothing was ever seen: there is nothing to compare with."""

    def __init__(
        self,
        census: Census,
        schedules: Sequence[Schedule],
        *,
        store: Store | None,
        clock: Clock,
        new_id: Callable[[], str],
    ) -> None:
        self._census = census
        self._schedules = schedules
        self._store = store
        self._clock = clock
        self._new_id = new_id

    async def digest(
        self,
        *,
        clusters: Sequence[str],
        namespaces: tuple[str, ...],
        channel: str,
        kinds: frozenset[ItemKind] | None = None,
        progress: Callable[[str, Progress], None] | None = None,
    ) -> Digest:
        """What these namespaces hold now, of these kinds or of all; a cluster that cannot be read is told in it.

        Raises StoreUnavailableError.
        """
        at = self._clock.now()
        schedule = self._schedule(channel, clusters) if self._store else None
        window = timedelta(days=schedule.window_days) if schedule else WINDOW
        found = await look(self._census, clusters, namespaces=namespaces, window=window, at=at, progress=progress)
        whole = schedule is not None and kinds is None and _is_whole(schedule, channel, namespaces)
        past = _NO_PAST
        if schedule and any(isinstance(one, Inventory) for one in found):
            past = await self._past(schedule, channel, trend=whole)
        parts = []
        for one in found:
            if isinstance(one, Unreached):
                parts.append(unread(one, window))
            else:
                parts.append(await self._part(one if kinds is None else only(one, kinds), schedule, past, kinds))
        return Digest(
            id=self._new_id(),
            schedule=schedule.name if schedule else "",
            channel=channel,
            at=at,
            timezone=schedule.timezone if schedule else "UTC",
            clusters=tuple(parts),
        )

    def _schedule(self, channel: str, clusters: Sequence[str]) -> Schedule | None:
        """The first that tells this channel of one of these clusters."""
        for schedule in self._schedules:
            if channel in routing.channels(schedule) and routing.covered(schedule.clusters, clusters):
                return schedule
        return None

    async def _past(self, schedule: Schedule, channel: str, *, trend: bool) -> _Past:
        if self._store is None:
            return _NO_PAST
        digests = self._store.digests
        history = await digests.history(schedule.name, channel, limit=TREND) if trend else {}
        return _Past(await digests.looked_at(schedule.name), history)

    async def _part(
        self, one: Inventory, schedule: Schedule | None, past: _Past, kinds: frozenset[ItemKind] | None
    ) -> ClusterDigest:
        if schedule is None or self._store is None or not routing.covered(schedule.clusters, [one.cluster]):
            return with_trend(compare(one, {}, last=None).digest, past.trend)
        sightings = await self._store.seen.sightings(schedule.name, one.cluster)
        if kinds is not None:  # what was not looked for is not gone
            sightings = {key: seen for key, seen in sightings.items() if key.partition("/")[0] in kinds}
        last = past.looked.get(one.cluster)
        return with_trend(compare(one, sightings, last=last, watched=schedule.namespaces).digest, past.trend)


def only(inventory: Inventory, kinds: frozenset[ItemKind]) -> Inventory:
    """What is of these kinds, counted exactly by kind; what ends soon is counted among the items that are held."""
    items = tuple(item for item in inventory.items if item.kind in kinds)
    ends: dict[str, Counter[Due]] = {}
    for item in items:
        if item.ends is not None:
            ends.setdefault(item.namespace, Counter())[due(item.ends, inventory.taken_at, inventory.window)] += 1
    tallies = {
        namespace: Tally(
            kinds={kind: count for kind, count in tally.kinds.items() if kind in kinds},
            due=dict(ends.get(namespace, {})),
        )
        for namespace, tally in inventory.tallies.items()
    }
    return replace(
        inventory,
        items=items,
        tallies=tallies,
        left_out={kind: count for kind, count in inventory.left_out.items() if kind in kinds},
        unscanned=tuple(one for one in inventory.unscanned if not one.kinds or kinds & set(one.kinds)),
    )


def _is_whole(schedule: Schedule, channel: str, namespaces: tuple[str, ...]) -> bool:
    """Whether it is what the channel's trend counts."""
    return not schedule.routes and channel == schedule.channel and set(namespaces) == set(schedule.namespaces)
