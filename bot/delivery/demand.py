"""A digest when somebody asks: compared with what the channel's own digests have seen, and nothing is remembered."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta

from msgspec.structs import replace

from bot.census import Progress
from bot.delivery.looking import Census, look
from bot.delivery.recording import TREND
from bot.digest import routing
from bot.digest.comparison import Comparison, Unreached, compare
from bot.lease import Clock
from bot.model import WINDOW, ClusterDigest, Digest, Due, Inventory, ItemKind, Tally, TrendPoint, due
from bot.store import Store
from config.digests import Digest as Schedule


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
        parts = []
        for one in found:
            seen = one if kinds is None or isinstance(one, Unreached) else only(one, kinds)
            trend = schedule is not None and kinds is None and _is_whole(schedule, channel, namespaces)
            parts.append(await self._part(seen, schedule, channel, kinds, trend=trend))
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

    async def _part(
        self,
        one: Inventory | Unreached,
        schedule: Schedule | None,
        channel: str,
        kinds: frozenset[ItemKind] | None,
        *,
        trend: bool,
    ) -> ClusterDigest:
        if isinstance(one, Unreached):
            window = timedelta(days=schedule.window_days) if schedule else WINDOW
            return ClusterDigest(
                cluster=one.cluster, taken_at=one.at, window=window, unreachable=one.why, mend=one.mend
            )
        comparison = await self._compared(one, schedule, kinds)
        past: tuple[TrendPoint, ...] = ()
        if trend and schedule and self._store:
            history = await self._store.digests.history(schedule.name, channel, limit=TREND)
            past = history.get(one.cluster, ())
        complete = all(part.by_choice for part in one.unscanned)
        now = TrendPoint(at=one.taken_at, totals=comparison.digest.totals, complete=complete)
        return replace(comparison.digest, trend=(*past, now))

    async def _compared(
        self, one: Inventory, schedule: Schedule | None, kinds: frozenset[ItemKind] | None
    ) -> Comparison:
        if schedule is None or self._store is None or not routing.covered(schedule.clusters, [one.cluster]):
            return compare(one, {}, last=None)
        figures = await self._store.digests.figures([schedule.name])
        last = next((each.at for each in figures if each.cluster == one.cluster), None)
        sightings = await self._store.seen.sightings(schedule.name, one.cluster)
        if kinds is not None:  # what was not looked for is not gone
            sightings = {key: seen for key, seen in sightings.items() if key.partition("/")[0] in kinds}
        return compare(one, sightings, last=last, watched=schedule.namespaces)


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
