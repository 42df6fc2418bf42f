"""A workload: what its controller is told, what it has made of it, and the pods that came of that."""

from datetime import UTC, datetime
from typing import Generic, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from bot import objects
from bot.kube import read
from bot.kube.cleaning import cleaned
from bot.kube.facets.environment import tokens_in
from bot.kube.facets.graph import SERVICE_ACCOUNT, WORKLOADS, Asking, facet
from bot.kube.gaps import AbsentError, UnavailableError
from bot.kube.permissions import GET_OWNER, LIST_OWNED, LIST_PODS
from bot.model import Workload

T = TypeVar("T")

_NEVER = datetime.min.replace(tzinfo=UTC)
_MOST_JOBS = 3
_OPERATORS = {"In": "in", "NotIn": "notin"}


class _Expression(objects.KubeStruct, frozen=True, kw_only=True):
    key: str
    operator: str
    values: tuple[str, ...] | None = None

    def __str__(self) -> str:
        if self.operator in _OPERATORS:
            return f"{self.key} {_OPERATORS[self.operator]} ({','.join(self.values or ())})"
        return self.key if self.operator == "Exists" else f"!{self.key}"


class Selector(objects.KubeStruct, frozen=True, kw_only=True):
    """Which pods are a workload's."""

    match_labels: dict[str, str] | None = None
    match_expressions: tuple[_Expression, ...] | None = None

    def __str__(self) -> str:
        """As the query `labelSelector` takes it."""
        equal = [f"{key}={value}" for key, value in (self.match_labels or {}).items()]
        return ",".join([*equal, *map(str, self.match_expressions or ())])


class _Template(objects.KubeStruct, frozen=True, kw_only=True):
    spec: objects.PodSpec = objects.PodSpec()


class _JobSpec(objects.KubeStruct, frozen=True, kw_only=True):
    template: _Template = _Template()


class _JobTemplate(objects.KubeStruct, frozen=True, kw_only=True):
    spec: _JobSpec = _JobSpec()


class _Spec(objects.KubeStruct, frozen=True, kw_only=True):
    replicas: int | None = None
    selector: Selector | None = None
    suspend: bool = False
    template: _Template | None = None
    job_template: _JobTemplate | None = None


class _Condition(objects.KubeStruct, frozen=True, kw_only=True):
    type: str
    status: str = ""
    reason: str = ""
    message: str = ""


class _Status(objects.KubeStruct, frozen=True, kw_only=True):
    desired_number_scheduled: int | None = None
    conditions: tuple[_Condition, ...] | None = None


class Manifest(objects.KubeStruct, frozen=True, kw_only=True):
    """Any workload: each kind fills other fields."""

    metadata: objects.Meta
    spec: _Spec = _Spec()
    status: _Status = _Status()

    @property
    def selector(self) -> str:
        return str(self.spec.selector or "")

    @property
    def template(self) -> objects.PodSpec:
        job = self.spec.job_template
        return (job.spec.template if job else self.spec.template or _Template()).spec


class Listed(Struct, Generic[T], frozen=True):
    """Objects as they were read: tokens may stand in their environment, so they are never shown."""

    items: tuple[T, ...] = ()

    def __repr__(self) -> str:
        return f"Listed({len(self.items)} hidden)"


@facet(of=WORKLOADS, shared=True)
async def manifest(asking: Asking) -> Manifest:
    """The workload itself, every text redacted; tokens in its template's environment are kept aside."""
    kind = asking.ref.kind
    try:
        found = await read.get(
            asking.api, GET_OWNER[kind], Manifest, namespace=asking.ref.namespace, name=asking.ref.name
        )
    except AbsentError:
        raise UnavailableError(f"the {kind.lower()} is gone: it was deleted since it was looked up") from None
    return taken(asking, found)


def taken(asking: Asking, found: Manifest) -> Manifest:
    """A manifest as it is kept."""
    asking.environment_tokens += tokens_in(found.template)
    return cleaned(found)


@facet(of=WORKLOADS, needs=(manifest,))
async def workload(asking: Asking) -> Workload:
    """How many pods it is to have, and whether it is suspended or has ended."""
    return summary(asking.value(manifest))


def summary(found: Manifest) -> Workload:
    ended = [each for each in found.status.conditions or () if each.status == "True" and each.type in _ENDS]
    return Workload(
        wanted=found.spec.replicas if found.spec.replicas is not None else found.status.desired_number_scheduled,
        suspended=found.spec.suspend,
        ended=ended[0].type if ended else "",
        failure=f"{ended[0].reason}: {ended[0].message}" if ended and ended[0].type == "Failed" else "",
    )


_ENDS = {"Complete", "Failed"}


@facet(of=WORKLOADS, needs=(manifest,), shared=True)
async def dependents(asking: Asking) -> tuple[objects.Named, ...]:
    """A Deployment's ReplicaSets or a CronJob's Jobs, the newest first; other kinds make their pods themselves."""
    between = {"Deployment": "ReplicaSet", "CronJob": "Job"}.get(asking.ref.kind)
    if between is None:
        return ()
    selector = asking.value(manifest).selector
    found = await read.get_all(
        asking.api,
        LIST_OWNED[between],
        objects.Named,
        namespace=asking.ref.namespace,
        query={"labelSelector": selector} if selector else {},
        accept=read.METADATA_LIST,
    )
    own = [replace(each, kind=between) for each in found if controller_of(each.metadata) == asking.ref.uid]
    return tuple(sorted(own, key=newest, reverse=True))


def newest(found: objects.Named) -> tuple[int, datetime]:
    """A rollback takes an old ReplicaSet up again, under a new revision."""
    revision = found.metadata.annotations.revision
    return int(revision) if revision.isdecimal() else 0, found.metadata.creation_timestamp or _NEVER


@facet(of=WORKLOADS, needs=(manifest,), shared=True)
async def selected_pods(asking: Asking) -> Listed[objects.Pod]:
    """The pods that its selector fits, whoever made them; a CronJob has no selector."""
    selector = asking.value(manifest).selector
    return await _pods(asking, {"labelSelector": selector}) if selector else Listed()


@facet(of=WORKLOADS | SERVICE_ACCOUNT, needs=(selected_pods, dependents), shared=True)
async def pods(asking: Asking) -> Listed[objects.Pod]:
    """The pods that it made (by uid), or that run as the service account; at most a page of them."""
    if asking.ref.kind in SERVICE_ACCOUNT:
        return await _pods(asking, {"fieldSelector": f"spec.serviceAccountName={asking.ref.name}"})
    if asking.ref.kind == "CronJob":
        return await _of_last_job(asking, asking.value(dependents))
    makers = {asking.ref.uid}
    if asking.ref.kind == "Deployment":
        makers = {each.metadata.uid for each in asking.value(dependents)}
    found = asking.value(selected_pods).items
    return Listed(tuple(each for each in found if controller_of(each.metadata) in makers))


async def _of_last_job(asking: Asking, jobs: tuple[objects.Named, ...]) -> Listed[objects.Pod]:
    """The pods of the newest Job that has any; those of finished Jobs may be gone."""
    newest = jobs[:_MOST_JOBS]
    if not newest:
        return Listed()
    names = ",".join(job.metadata.name for job in newest)
    found = (await _pods(asking, {"labelSelector": f"job-name in ({names})"})).items
    for job in newest:
        if own := tuple(each for each in found if controller_of(each.metadata) == job.metadata.uid):
            return Listed(own)
    return Listed()


async def _pods(asking: Asking, query: dict[str, str]) -> Listed[objects.Pod]:
    found = await read.get_some(
        asking.api, LIST_PODS, objects.Pod, namespace=asking.ref.namespace, query=query, most=read.PAGE
    )
    return Listed(found)


def controller_of(meta: objects.Meta) -> str:
    """The uid of the controller, "" where there is none."""
    return next((owner.uid for owner in meta.owner_references if owner.controller), "")
