"""The workloads of a namespace, each with its pods: by who controls whom, from one list of each kind."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from msgspec.structs import replace

from bot import objects
from bot.kube import read
from bot.kube.facets.graph import Asking, attempt
from bot.kube.facets.workload import Listed, Manifest, controller_of, newest, summary
from bot.kube.permissions import LIST_OWNED, LIST_PODS, Operation
from bot.kube.together import all_of, both
from bot.model import Facet, Gap, ObjectRef, Workload

T = TypeVar("T")

_KINDS = ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob")


@dataclass
class Found:
    """A workload, or a pod that nobody controls. `dependents` are its ReplicaSets or Jobs, the newest first."""

    ref: ObjectRef
    manifest: Manifest | None = None
    pods: list[objects.Pod] = field(default_factory=list)
    dependents: tuple[objects.Named, ...] = ()

    @property
    def workload(self) -> Workload | None:
        return summary(self.manifest) if self.manifest else None


async def list_workloads(asking: Asking) -> tuple[list[Found], tuple[Gap, ...]]:
    """Each once, by name; a kind that could not be listed is a Gap, and is known by its pods only."""
    (pods, sets), lists = await both(
        both(
            _list(asking, "pods", LIST_PODS, objects.Pod),
            _list(asking, "replicasets", LIST_OWNED["ReplicaSet"], objects.Named, accept=read.METADATA_LIST),
        ),
        all_of(_list(asking, f"{kind.lower()}s", LIST_OWNED[kind], Manifest) for kind in _KINDS),
    )
    made = {each.metadata.uid: replace(each, kind="ReplicaSet") for each in _items(sets)}
    found: dict[str, Found] = {}
    for kind, listed in zip(_KINDS, lists, strict=True):
        for each in _items(listed):
            found[each.metadata.uid] = Found(_ref(asking, kind, each.metadata), each)
            if kind == "Job":
                made[each.metadata.uid] = objects.Named(kind="Job", metadata=each.metadata)
    for pod in _items(pods):
        _place(asking, pod, made, found)
    for uid, one in found.items():
        own = [child for child in made.values() if controller_of(child.metadata) == uid]
        one.dependents = tuple(sorted(own, key=newest, reverse=True))
        if one.ref.kind == "CronJob":
            one.pods = _of_last_job(one)
    gaps = tuple(gap for gap in (pods.gap, sets.gap, *(listed.gap for listed in lists)) if gap)
    return [one for uid, one in found.items() if _counts(one, made.get(uid))], gaps


def _counts(found: Found, as_dependent: objects.Named | None) -> bool:
    """Not a CronJob's Job, which is told with it, nor one that has ended and whose pods are gone."""
    if found.ref.kind != "Job":
        return True
    by_itself = as_dependent is None or not controller_of(as_dependent.metadata)
    return by_itself and bool(found.pods or not (found.workload and found.workload.ended))


def _place(asking: Asking, pod: objects.Pod, made: Mapping[str, objects.Named], found: dict[str, Found]) -> None:
    """Puts the pod to the workload at the top of its chain of controllers."""
    top, kind, api_version = pod.metadata, "Pod", "v1"
    while (owner := next((ref for ref in top.owner_references if ref.controller), None)) is not None:
        kind, api_version = owner.kind, owner.api_version
        between = made.get(owner.uid)
        if between is None:
            top = objects.Meta(name=owner.name, namespace=asking.ref.namespace, uid=owner.uid)
            break
        top = between.metadata
    if top.uid not in found:
        found[top.uid] = Found(replace(_ref(asking, kind, top), api_version=api_version))
    found[top.uid].pods.append(pod)


def _of_last_job(found: Found) -> list[objects.Pod]:
    for job in found.dependents:
        own = [pod for pod in found.pods if controller_of(pod.metadata) == job.metadata.uid]
        if own:
            return own
    return found.pods


def _ref(asking: Asking, kind: str, meta: objects.Meta) -> ObjectRef:
    operation = LIST_OWNED.get(kind)
    return ObjectRef(
        cluster=asking.ref.cluster,
        api_version=f"{operation.group}/v1" if operation else "v1",
        kind=kind,
        namespace=asking.ref.namespace,
        name=meta.name,
        uid=meta.uid,
    )


def _items(listed: Facet[Listed[T]]) -> tuple[T, ...]:
    return listed.value.items if listed.value else ()


async def _list(
    asking: Asking, name: str, operation: Operation, item: type[T], *, accept: str = "application/json"
) -> Facet[Listed[T]]:
    async def listed() -> Listed[T]:
        return Listed(await read.get_some(asking.api, operation, item, namespace=asking.ref.namespace, accept=accept))

    return await attempt(name, listed(), ends=asking.ends)
