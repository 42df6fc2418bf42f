"""The facts that hold in the whole cluster, read once before its lists."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from bot.census.facts import Facts
from bot.diagnosis.case import Case
from bot.diagnosis.lifetimes import ceiling, extension
from bot.errors import ClusterUnreachableError
from bot.kube import tracking
from bot.kube.client import Cluster
from bot.kube.facets.authentication import authentication
from bot.kube.facets.components import control_plane_pods
from bot.kube.facets.control_plane import version
from bot.kube.facets.graph import Asking, attempt, read_all
from bot.kube.facets.issuer import discovery, published_issuer
from bot.kube.permissions import CONTROL_PLANE
from bot.kube.together import both
from bot.model import Facet, Gap, GapKind, ItemKind, ObjectRef, Routes, Snapshot, TokenTracking, Unscanned

_NO_ANSWER = frozenset({GapKind.TIMED_OUT, GapKind.UNAVAILABLE})


async def facts_of(cluster: Cluster, now: datetime, window: timedelta) -> tuple[Facts, tuple[Unscanned, ...]]:
    """The facts, and what of them could not be read. Raises ClusterUnreachableError where nobody answers."""
    ref = ObjectRef(
        cluster=cluster.name, api_version="v1", kind="Namespace", namespace=CONTROL_PLANE, name=CONTROL_PLANE
    )
    asking = Asking(cluster=cluster, ref=ref, routes=Routes(), log_lines=0, others=(), now=cluster.now)
    facets = (version, control_plane_pods, authentication, published_issuer, discovery)
    _, tracked = await both(read_all(facets, asking), attempt("token_tracking", tracking.since(cluster.main)))
    if (gap := asking.facet(version).gap) and gap.kind in _NO_ANSWER:
        step = gap.mend or f"Check that {cluster.server} can be reached from here."
        raise ClusterUnreachableError(f"Cluster {cluster.name} cannot be read: {gap.reason}.", next_step=step)
    snapshot = Snapshot(
        target=ref,
        taken_at=now,
        endpoints=(cluster.server,),
        version=asking.facet(version),
        authentication=asking.facet(authentication),
        discovery=asking.facet(discovery),
    )
    return _facts(Case(snapshot), cluster.name, now, window, tracked), tuple(_unread(Case(snapshot), tracked))


def _facts(case: Case, cluster: str, now: datetime, window: timedelta, tracked: Facet[TokenTracking | None]) -> Facts:
    found = ceiling(case)
    servers = case.snapshot.authentication.value or ()
    return Facts(
        cluster=cluster,
        now=now,
        window=window,
        version=case.version,
        tracking=tracked.value,
        tracked=tracked.gap is None,
        extension=extension(case),
        ceiling=found[0] if found else None,
        audiences=frozenset(audience for server in servers for audience in server.audiences),
    )


def _unread(case: Case, tracked: Facet[TokenTracking | None]) -> Iterator[Unscanned]:
    if tracked.gap:
        yield _missing("since when uses of legacy tokens are recorded", tracked.gap)
    gap = case.snapshot.authentication.gap
    if gap and ceiling(case) is None:
        kinds = (ItemKind.CAPPED_LIFETIME, ItemKind.EXTENDED_CLIFF)
        yield _missing("which token lifetimes the API server cuts or extends", gap, kinds)


def _missing(what: str, gap: Gap, kinds: tuple[ItemKind, ...] = ()) -> Unscanned:
    return Unscanned(what=what, kinds=kinds, reason=gap.reason, mend=gap.mend, by_choice=not gap.kind.spoils)
