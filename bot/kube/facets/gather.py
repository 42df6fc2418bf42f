"""Everything about a target, read at once."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from bot.kube.client import Cluster
from bot.kube.facets import control_plane, identity, logs, pod, tokens
from bot.kube.facets.graph import Asking, Spec, read_all
from bot.model import Facet, ObjectRef, Routes, SeenToken, Snapshot

FACETS: tuple[Spec[Any], ...] = (
    pod.pod,
    pod.namespace,
    pod.owners,
    pod.node,
    pod.events,
    logs.logs,
    logs.api_server_logs,
    identity.account_name,
    identity.service_account,
    identity.namespace_token_secrets,
    identity.token_secrets,
    identity.referenced_secrets,
    identity.peers,
    identity.access,
    control_plane.version,
    control_plane.discovery,
    control_plane.other_issuers,
    control_plane.api_servers,
    tokens.spec_tokens,
    tokens.secret_tokens,
    tokens.exec_tokens,
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
    asking = Asking(cluster=cluster, ref=ref, routes=routes, log_lines=log_lines, others=tuple(others), now=now)
    taken_at = now()
    wanted = [spec for spec in FACETS if ref.kind in spec.of]
    await read_all(wanted, asking, asyncio.get_running_loop().time() + deadline_seconds)
    read = {spec.name: asking.facet(spec) for spec in wanted if not spec.shared}
    return Snapshot(target=ref, taken_at=taken_at, endpoints=_endpoints(asking), routes=routes, **read)


def _endpoints(asking: Asking) -> tuple[str, ...]:
    """The configured address, and each API server that was asked at its own."""
    seen: list[Facet[tuple[SeenToken, ...]]] = [
        asking.facet(spec) for spec in (tokens.spec_tokens, tokens.secret_tokens, tokens.exec_tokens, tokens.probe)
    ]
    asked = {
        review.endpoint for facet in seen if facet.gap is None for token in facet.read() for review in token.reviews
    }
    return (asking.cluster.server, *sorted(asked - {asking.cluster.server}))
