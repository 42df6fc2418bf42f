"""A target that is answered by several pods: what they share is read once, the rest side by side."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot import objects
from bot.kube.choice import choose, is_troubled, revision, still_there
from bot.kube.client import Cluster
from bot.kube.facets import workload as facets
from bot.kube.facets.gather import read_snapshot, wanted_for
from bot.kube.facets.graph import (
    NAMESPACE,
    POD,
    SERVICE_ACCOUNT,
    WORKLOADS,
    Asking,
    Tasks,
    begin,
    depends_on,
    one_error,
    read_all,
)
from bot.kube.facets.pod import pod, taken
from bot.kube.listing import Found, list_workloads
from bot.kube.read import PAGE
from bot.kube.together import all_of
from bot.model import Facet, ObjectRef, Routes, Snapshot, Survey, Workload

MOST_PODS = 10
MOST_WORKLOADS = 20
_OF_EACH = 2
"""Of each of a namespace's workloads: one in trouble and one that is not, where there are such."""


async def survey(  # what is asked, how far, and with which clock
    cluster: Cluster,
    ref: ObjectRef,
    *,
    routes: Routes,
    deadline_seconds: float,
    log_lines: int,
    others: Sequence[Cluster],
    now: Callable[[], datetime],
) -> Survey:
    """All that is read of the target, by the deadline: what was not, or failed, is a Gap where it belongs.

    Raises ClusterUnreachableError only where the bot's own credentials are refused.
    """
    ends = asyncio.get_running_loop().time() + deadline_seconds
    asking = Asking(
        cluster=cluster, ref=ref, routes=routes, log_lines=log_lines, others=tuple(others), now=now, ends=ends
    )
    taken_at = now()
    if ref.kind not in WORKLOADS | SERVICE_ACCOUNT | NAMESPACE:
        return Survey(target=ref, taken_at=taken_at, own=await read_snapshot(asking, taken_at), total=1)
    work = _of_namespace if ref.kind in NAMESPACE else _of_account if ref.kind in SERVICE_ACCOUNT else _of_workload
    async with one_error(), asyncio.TaskGroup() as group:
        shared = [spec for kind in POD for spec in wanted_for(kind) if not depends_on(spec, pod)]
        return await work(_Party(asking, taken_at, begin(shared, asking, group)))


@dataclass(frozen=True)
class _Party:
    """One survey: what it asks for all of its objects in common, and the tasks that read it."""

    common: Asking
    taken_at: datetime
    begun: Tasks

    def about(self, ref: ObjectRef) -> Asking:
        return self.common.about(ref, common=self.common)

    async def own(self, asking: Asking) -> Snapshot:
        """Of the target itself, or one of its workloads, of which some facets may be read already."""
        return await read_snapshot(asking, self.taken_at, self.begun)

    async def pod(self, found: objects.Pod) -> Snapshot:
        """Of a pod that was listed, and need not be got again."""
        meta, target = found.metadata, self.common.ref
        ref = ObjectRef(
            cluster=target.cluster,
            api_version="v1",
            kind="Pod",
            namespace=target.namespace,
            name=meta.name,
            uid=meta.uid,
        )
        asking = self.about(ref)
        asking.facets[pod.name] = Facet(value=taken(asking, found))
        return await self.own(asking)


async def _of_workload(party: _Party) -> Survey:
    asking = party.about(party.common.ref)
    steps = (facets.manifest, facets.workload, facets.dependents, facets.selected_pods, facets.pods)
    await read_all(steps, asking)
    workload, listed = asking.facet(facets.workload).value, asking.facet(facets.pods)
    pods = listed.value.items if listed.value else ()
    alive = still_there(pods, ended=workload.ended if workload else "")
    # Where pods are missing, the template and the events of what makes them say why.
    lacking = not alive or _lacks_pods(workload, alive, asking.facet(facets.dependents).value or ())
    own, chosen = await _read(party, asking if lacking else None, choose(alive, MOST_PODS))
    return Survey(
        target=party.common.ref,
        taken_at=party.taken_at,
        own=own,
        pods=chosen,
        workload=workload,
        total=len(alive),
        more=len(pods) >= PAGE,
        ended=len(pods) - len(alive),
        gaps=(listed.gap,) if listed.gap else (),
    )


async def _of_account(party: _Party) -> Survey:
    asking = party.about(party.common.ref)
    # The list of pods first: its pods' many requests then run beside the account's own.
    await read_all((facets.pods,), asking)
    listed = asking.facet(facets.pods)
    pods = listed.value.items if listed.value else ()
    alive = still_there(pods)
    own, chosen = await _read(party, asking, choose(alive, MOST_PODS))
    return Survey(
        target=party.common.ref,
        taken_at=party.taken_at,
        own=own,
        pods=chosen,
        total=len(alive),
        more=len(pods) >= PAGE,
        ended=len(pods) - len(alive),
        gaps=(listed.gap,) if listed.gap else (),
    )


async def _of_namespace(party: _Party) -> Survey:
    found, gaps = await list_workloads(party.common)
    ordered = sorted(found, key=_sickest_first)
    workloads = await all_of(_representatives(party, each) for each in ordered[:MOST_WORKLOADS])
    return Survey(
        target=party.common.ref,
        taken_at=party.taken_at,
        workloads=workloads,
        total=len(found),
        more=sum(len(each.pods) for each in found) >= PAGE,
        gaps=gaps,
    )


async def _representatives(party: _Party, found: Found) -> Survey:
    """One of a namespace's workloads: a pod or two, and its template where it lacks pods."""
    ended = found.workload.ended if found.workload else ""
    alive = still_there(found.pods, ended=ended)
    chosen = choose(alive, _OF_EACH)
    if not any(map(is_troubled, chosen)) and len({revision(each) for each in chosen}) == 1:
        chosen = chosen[:1]
    asking = party.about(found.ref)
    if found.manifest:
        asking.facets[facets.manifest.name] = Facet(value=facets.taken(asking, found.manifest))
        asking.facets[facets.dependents.name] = Facet(value=found.dependents)
        asking.facets[facets.pods.name] = asking.facets[facets.selected_pods.name] = Facet(value=facets.Listed())
    lacking = found.manifest and (not alive or _lacks_pods(found.workload, alive, found.dependents))
    own, pods = await _read(party, asking if lacking else None, chosen)
    return Survey(
        target=found.ref,
        taken_at=party.taken_at,
        own=own,
        pods=pods,
        workload=found.workload,
        total=len(alive),
        ended=len(found.pods) - len(alive),
    )


async def _read(
    party: _Party, own: Asking | None, pods: Sequence[objects.Pod]
) -> tuple[Snapshot | None, tuple[Snapshot, ...]]:
    works: list[Coroutine[Any, Any, Snapshot]] = [party.own(own)] if own else []
    read = await all_of([*works, *map(party.pod, pods)])
    return (read[0], read[1:]) if own else (None, read)


def _lacks_pods(workload: Workload | None, alive: Sequence[objects.Pod], dependents: Sequence[objects.Named]) -> bool:
    """Fewer than are wanted, or none of the newest revision: something may keep new ones from being made."""
    if workload is None or workload.suspended or not workload.wanted:
        return False
    newest = dependents[0].metadata.name if dependents and dependents[0].kind == "ReplicaSet" else ""
    return len(alive) < workload.wanted or bool(newest and newest not in map(revision, alive))


def _sickest_first(found: Found) -> tuple[bool, str, str]:
    wanted = found.workload.wanted if found.workload else None
    troubled = any(map(is_troubled, found.pods)) or len(found.pods) < (wanted or 0)
    return not troubled, found.ref.name, found.ref.kind
