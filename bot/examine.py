"""The use case behind every check: from a Target to a Report. Slack and the terminal both come here."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from difflib import get_close_matches

from msgspec.structs import replace

from bot.diagnosis import diagnose, together
from bot.diagnosis.aftermath import Aftermath, aftermath
from bot.errors import WrongUsageError
from bot.kube.client import Cluster
from bot.kube.resolve import resolve
from bot.kube.survey import survey
from bot.model import Report, Routes, Survey, Target

DEADLINE_SECONDS = 10
LOG_LINES = 2000


async def examine(  # what is asked, how far it may go, and the clocks
    clusters: Mapping[str, Cluster],
    target: Target,
    *,
    routes: Routes,
    now: Callable[[], datetime],
    monotonic: Callable[[], float],
    deadline_seconds: float = DEADLINE_SECONDS,
    log_lines: int = LOG_LINES,
) -> Report:
    """The answer about the target, in its cluster; a target without one means the only cluster there is.

    `monotonic` counts seconds; resolving and gathering each have `deadline_seconds`. Raises WrongUsageError for an
    unknown cluster, TargetNotFoundError, ClusterForbiddenError and ClusterUnreachableError.
    """
    started = monotonic()
    _, report = await _examined(
        clusters, target, routes=routes, now=now, deadline_seconds=deadline_seconds, log_lines=log_lines
    )
    return replace(report, took_ms=round((monotonic() - started) * 1000))


async def look_back(  # the same, and since when
    clusters: Mapping[str, Cluster],
    target: Target,
    *,
    since: datetime,
    cause: str,
    proof: timedelta,
    routes: Routes,
    now: Callable[[], datetime],
    deadline_seconds: float = DEADLINE_SECONDS,
    log_lines: int = LOG_LINES,
) -> Aftermath:
    """Whether what was done to the target at `since`, to mend that cause, has helped. Raises as `examine` does.

    So long as `proof` the logs have to be without a refusal.
    """
    found, report = await _examined(
        clusters, target, routes=routes, now=now, deadline_seconds=deadline_seconds, log_lines=log_lines
    )
    return aftermath(found, report, since=since, cause=cause, proof=proof)


async def _examined(
    clusters: Mapping[str, Cluster],
    target: Target,
    *,
    routes: Routes,
    now: Callable[[], datetime],
    deadline_seconds: float,
    log_lines: int,
) -> tuple[Survey, Report]:
    cluster = _chosen(clusters, target.cluster)
    ref = await resolve(cluster, target, deadline_seconds=deadline_seconds)
    found = await survey(
        cluster,
        ref,
        routes=routes,
        deadline_seconds=deadline_seconds,
        log_lines=log_lines,
        others=tuple(other for other in clusters.values() if other is not cluster),
        now=now,
    )
    return found, await _concluded(cluster, found)


async def _concluded(cluster: Cluster, found: Survey) -> Report:
    """One pod at a time: what is ready meanwhile has its turn between two of them."""
    reports = {}
    for snapshot in found.snapshots():
        async with cluster.reckoning:
            reports[snapshot.target] = diagnose(snapshot)
        await asyncio.sleep(0)
    return together(found, reports)


def _chosen(clusters: Mapping[str, Cluster], name: str) -> Cluster:
    if name in clusters:
        return clusters[name]
    known = ", ".join(sorted(clusters))
    if not name:
        if len(clusters) == 1:
            return next(iter(clusters.values()))
        raise WrongUsageError(
            "More than one cluster is configured, and the target does not say which.",
            next_step=f"Write it as cluster:namespace/name; the clusters are {known}.",
        )
    near = get_close_matches(name, clusters, n=1)
    hint = f"Did you mean {near[0]}? " if near else ""
    raise WrongUsageError(f"No cluster “{name}” is configured.", next_step=f"{hint}The clusters are {known}.")
