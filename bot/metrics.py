"""Figures for Prometheus. What concerns digests comes from the store: every replica says the same."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog
from prometheus_client import CollectorRegistry, GCCollector, Metric, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from bot.digest import routing, slots
from bot.errors import StoreUnavailableError
from bot.model import Noun
from bot.redact import holds_token, redact
from bot.store import Figures, Standing, Store
from config import cron
from config.digests import Digest as Schedule

log = structlog.get_logger(__name__)

_PLACE = ("digest", "cluster")
_NAMESPACE = (*_PLACE, "namespace")


class Known(Noun, frozen=True, kw_only=True):
    """What the store says: how each digest fares, when each was last due, and the last censuses.

    A digest that nobody has begun yet is in none of them. `unread` are digests with a cluster that was never read.
    """

    standings: Mapping[str, Standing] = {}
    due: Mapping[str, datetime] = {}
    figures: Sequence[Figures] = ()
    unread: Sequence[tuple[str, str]] = ()


class Metrics:
    """`clusters` are the names of those that are configured; without a store there are no digests.

    `refused` are the requests for Slack's address that were refused, by why; None where Slack sends none.
    """

    def __init__(
        self,
        store: Store | None,
        schedules: Sequence[Schedule],
        *,
        now: Callable[[], datetime],
        clusters: Callable[[], Sequence[str]],
        refused: Callable[[], Mapping[str, int]] | None = None,
    ) -> None:
        self._store = store
        self._schedules = schedules
        self._now = now
        self._clusters = clusters
        self._refused = refused

    async def text(self) -> str:
        """All of it, in Prometheus's text format. Where the database is away, that is said instead."""
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        GCCollector(registry=registry)
        if self._refused is not None:
            registry.register(_Once([refusals(self._refused())]))
        if self._store is not None:
            try:
                registry.register(_Once([database(up=True), *families(await self._known(self._store))]))
            except StoreUnavailableError as error:
                log.warning("figures without the database", error=str(error))
                registry.register(_Once([database(up=False)]))
        exposed = generate_latest(registry).decode()
        if not holds_token(exposed):
            return exposed
        log.error("a token was about to be shown among the figures and was taken out")
        return redact(exposed)

    async def _known(self, store: Store) -> Known:
        names = [schedule.name for schedule in self._schedules]
        standings = await store.slots.standings(names)
        clusters = self._clusters()
        wanted = [(one.name, cluster) for one in self._schedules for cluster in routing.covered(one.clusters, clusters)]
        figures = {(one.schedule, one.cluster): one for one in await store.digests.figures(names)}
        due: dict[str, datetime] = {}
        for schedule in self._schedules:
            standing = standings.get(schedule.name)
            slot = self._last_due(schedule, standing.begun_at) if standing else None
            if slot is not None:
                due[schedule.name] = slot.at
        return Known(
            standings=standings,
            due=due,
            figures=[figures[place] for place in wanted if place in figures],
            unread=[place for place in wanted if place not in figures and place[0] in standings],
        )

    def _last_due(self, schedule: Schedule, since: datetime) -> slots.Slot | None:
        found = slots.due(cron.parse(schedule.cron), ZoneInfo(schedule.timezone), since, self._now(), most=1)
        return found[-1] if found else None


class _Once(Collector):
    """What was collected for this one exposition."""

    def __init__(self, collected: Iterable[Metric]) -> None:
        self._collected = tuple(collected)

    def collect(self) -> Iterator[Metric]:
        yield from self._collected


def database(*, up: bool) -> Metric:
    return GaugeMetricFamily("token_doctor_database_up", "Whether the database answers.", value=float(up))


def refusals(numbers: Mapping[str, int]) -> Metric:
    refused = CounterMetricFamily(
        "token_doctor_slack_refusals", "Requests for Slack's address that were refused.", labels=["why"]
    )
    for why, number in numbers.items():
        refused.add_metric([why], number)
    return refused


def families(known: Known) -> Iterator[Metric]:
    """The figures of what is known: at most fifty-one namespaces a census, for the store holds no more."""
    yield from _fares(known)
    yield from _censuses(known)
    items = GaugeMetricFamily(
        "token_doctor_items",
        "What the last census found, by kind: legacy-secret and so on.",
        labels=(*_NAMESPACE, "kind"),
    )
    expiring = GaugeMetricFamily(
        "token_doctor_expiring_items", "What the last census found that ends, by how soon.", labels=(*_NAMESPACE, "due")
    )
    for one in known.figures:
        for namespace, tally in one.tallies.items():
            for kind, count in tally.kinds.items():
                items.add_metric([one.schedule, one.cluster, namespace, kind.value], count)
            for bucket, count in tally.due.items():
                expiring.add_metric([one.schedule, one.cluster, namespace, bucket.name.lower()], count)
    yield items
    yield expiring


def _fares(known: Known) -> Iterator[Metric]:
    due = GaugeMetricFamily(
        "token_doctor_digest_due_timestamp_seconds", "When the digest was last due; 0 if never.", labels=["digest"]
    )
    success = GaugeMetricFamily(
        "token_doctor_digest_success_timestamp_seconds",
        "When all its channels last had it; 0 if never.",
        labels=["digest"],
    )
    failures = CounterMetricFamily(
        "token_doctor_digest_failures", "How often a channel did not get the digest.", labels=["digest"]
    )
    for name, standing in sorted(known.standings.items()):
        due.add_metric([name], _seconds(known.due.get(name)))
        success.add_metric([name], _seconds(standing.succeeded_at))
        failures.add_metric([name], standing.failures)
    yield from (due, success, failures)


def _censuses(known: Known) -> Iterator[Metric]:
    at = GaugeMetricFamily(
        "token_doctor_census_timestamp_seconds",
        "When the cluster was last read for the digest; 0 if never.",
        labels=_PLACE,
    )
    complete = GaugeMetricFamily(
        "token_doctor_census_complete", "Whether that time all could be read that was to be.", labels=_PLACE
    )
    for schedule, cluster in known.unread:
        at.add_metric([schedule, cluster], 0.0)
    for one in known.figures:
        at.add_metric([one.schedule, one.cluster], _seconds(one.at))
        complete.add_metric([one.schedule, one.cluster], float(one.complete))
    yield from (at, complete)


def _seconds(at: datetime | None) -> float:
    return at.timestamp() if at else 0.0
