"""Everything about a target, read at once."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from bot.kube.client import Cluster
from bot.kube.facets import (
    authentication,
    clocks,
    components,
    control_plane,
    controllers,
    embedded,
    grants,
    identity,
    issuer,
    logs,
    metrics,
    pod,
    secrets,
    tokens,
    workload,
)
from bot.kube.facets.graph import Asking, Spec, Tasks, read_all
from bot.model import Facet, ObjectRef, Routes, SeenToken, Snapshot

FACETS: tuple[Spec[Any], ...] = (
    workload.manifest,
    workload.workload,
    workload.dependents,
    workload.selected_pods,
    workload.pods,
    pod.pod,
    pod.namespace,
    pod.owners,
    pod.node,
    clocks.node_lease,
    clocks.identity_leases,
    pod.events,
    components.control_plane_pods,
    logs.logs,
    logs.api_server_logs,
    identity.account_name,
    identity.service_account,
    identity.peers,
    grants.role_bindings,
    grants.roles,
    grants.cluster_role_bindings,
    grants.cluster_roles,
    grants.grants,
    secrets.secret,
    secrets.namespace_token_secrets,
    secrets.token_secrets,
    secrets.account_secrets,
    secrets.referenced_secrets,
    secrets.secrets,
    secrets.secret_accounts,
    secrets.secret_users,
    secrets.token_tracking,
    identity.access,
    control_plane.version,
    issuer.published_issuer,
    issuer.discovery,
    issuer.issuer_publication,
    issuer.other_issuers,
    control_plane.api_servers,
    control_plane.endpoint_discoveries,
    controllers.controllers,
    controllers.leader,
    controllers.namespace_defaults,
    controllers.controller_probe,
    authentication.authentication,
    authentication.authentication_files,
    metrics.token_counts,
    tokens.spec_tokens,
    tokens.secret_tokens,
    tokens.exec_tokens,
    embedded.embedded,
    tokens.probe,
)


async def gather(  # what is asked, how far, and with which clock
    cluster: Cluster,
    ref: ObjectRef,
    *,
    routes: Routes,
    deadline_seconds: float,
    log_lines: int,
    others: Sequence[Cluster],
    now: Callable[[], datetime],
) -> Snapshot:
    """The Snapshot, by the deadline: what was not read by then, or failed, is a Gap in it.

    Raises ClusterUnreachableError only where the bot's own credentials are refused.
    """
    ends = asyncio.get_running_loop().time() + deadline_seconds
    asking = Asking(
        cluster=cluster, ref=ref, routes=routes, log_lines=log_lines, others=tuple(others), now=now, ends=ends
    )
    return await read_snapshot(asking, now())


async def read_snapshot(asking: Asking, taken_at: datetime, begun: Tasks | None = None) -> Snapshot:
    """What is asked for, as it is read from here on; `begun` is being read already, for others too."""
    wanted = wanted_for(asking.ref.kind)
    await read_all(wanted, asking, begun)
    if begun:
        await asyncio.wait(begun.values())
    read = {spec.name: asking.facet(spec) for spec in wanted if not spec.shared}
    return Snapshot(
        target=asking.ref,
        taken_at=taken_at,
        endpoints=_endpoints(asking),
        dates=asking.cluster.dates(since=taken_at),
        routes=asking.routes,
        **read,
    )


def wanted_for(kind: str) -> list[Spec[Any]]:
    """The facets that are read for a kind of target."""
    return [spec for spec in FACETS if kind in spec.of]


def _endpoints(asking: Asking) -> tuple[str, ...]:
    """The configured address, and each API server that was asked at its own."""
    seen: list[Facet[tuple[SeenToken, ...]]] = [
        asking.facet(spec) for spec in (tokens.spec_tokens, tokens.secret_tokens, tokens.exec_tokens, tokens.probe)
    ]
    asked = {
        review.endpoint for facet in seen if facet.gap is None for token in facet.read() for review in token.reviews
    }
    return (asking.cluster.server, *sorted(asked - {asking.cluster.server}))
