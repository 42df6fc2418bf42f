"""A workload's rollout: what it would do, how far it is, and what keeps it up.

The counts are judged as `kubectl rollout status` does (`staging/src/k8s.io/kubectl/pkg/polymorphichelpers/
rollout_status.go`).
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from bot import objects
from bot.kube import read
from bot.kube.connection import Connection
from bot.kube.facets.workload import Selector
from bot.kube.gaps import shortened
from bot.kube.permissions import GET_OWNER, LIST_EVENTS, LIST_PODS
from bot.objects import REQUEST, RESTARTED_AT, KubeStruct

STRATEGY_DEFAULT = "RollingUpdate"
_OWN = (RESTARTED_AT, REQUEST)
_STARTING = {"", "ContainerCreating", "PodInitializing"}
_GAVE_UP = "ProgressDeadlineExceeded"


class RollingUpdate(KubeStruct, frozen=True, kw_only=True):
    """Numbers or percentages of the wanted pods."""

    max_unavailable: int | str | None = None
    max_surge: int | str | None = None
    partition: int | None = None


class Strategy(KubeStruct, frozen=True, kw_only=True):
    type: str = STRATEGY_DEFAULT
    rolling_update: RollingUpdate | None = None


class _TemplateMeta(KubeStruct, frozen=True, kw_only=True):
    annotations: objects.Annotations = objects.Annotations()


class _TemplateSpec(KubeStruct, frozen=True, kw_only=True):
    service_account_name: str = "default"


class Template(KubeStruct, frozen=True, kw_only=True):
    metadata: _TemplateMeta = _TemplateMeta()
    spec: _TemplateSpec = _TemplateSpec()


class _Meta(objects.Meta, frozen=True, kw_only=True):
    resource_version: str = ""
    generation: int = 0


class _Spec(KubeStruct, frozen=True, kw_only=True):
    """Each kind fills other fields. The template is kept as it came: a token may stand in it, so it is not shown."""

    template: msgspec.Raw
    replicas: int = 1
    paused: bool = False
    selector: Selector | None = None
    strategy: Strategy = Strategy()
    update_strategy: Strategy | None = None

    def __repr__(self) -> str:
        return "_Spec(hidden)"


class Condition(KubeStruct, frozen=True, kw_only=True):
    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""


class _Status(KubeStruct, frozen=True, kw_only=True):
    observed_generation: int = 0
    replicas: int = 0
    updated_replicas: int = 0
    available_replicas: int = 0
    current_revision: str = ""
    update_revision: str = ""
    desired_number_scheduled: int = 0
    updated_number_scheduled: int = 0
    number_available: int = 0
    conditions: tuple[Condition, ...] | None = None


class Workload(KubeStruct, frozen=True, kw_only=True):
    """A Deployment, StatefulSet or DaemonSet as it is now."""

    metadata: _Meta
    spec: _Spec
    status: _Status = _Status()
    kind: str = ""

    @property
    def strategy(self) -> Strategy:
        return self.spec.update_strategy or self.spec.strategy

    @property
    def wanted(self) -> int:
        return self.status.desired_number_scheduled if self.kind == "DaemonSet" else self.spec.replicas

    @property
    def template(self) -> Template:
        return msgspec.json.decode(self.spec.template, type=Template)

    @property
    def fingerprint(self) -> str:
        """Of the pod template, but for what a restart itself writes into it."""
        template = msgspec.json.decode(self.spec.template)
        annotations = (template.get("metadata") or {}).get("annotations") or {}
        kept = {name: value for name, value in annotations.items() if name not in _OWN}
        template["metadata"] = {**(template.get("metadata") or {}), "annotations": kept}
        return hashlib.sha256(msgspec.json.encode(template, order="deterministic")).hexdigest()

    def condition(self, kind: str, status: str) -> Condition | None:
        found = self.status.conditions or ()
        return next((each for each in found if (each.type, each.status) == (kind, status)), None)


class Rollout(Struct, frozen=True, kw_only=True):
    """How far a rollout is. `due` are the pods to be replaced, `updated` those that are of the new template.

    `old` ones have not gone yet. `seen`: the controller has taken notice of the newest template.
    """

    due: int
    updated: int
    old: int
    available: int
    wanted: int
    seen: bool

    @property
    def is_underway(self) -> bool:
        """Whether pods are still to be replaced; whether they work does not matter."""
        return not self.seen or self.updated < self.due or self.old > 0

    @property
    def is_complete(self) -> bool:
        return not self.is_underway and self.available >= self.wanted


async def get(connection: Connection, kind: str, *, namespace: str, name: str) -> Workload:
    """Raises UnreadableError."""
    found = await read.get(connection, GET_OWNER[kind], Workload, namespace=namespace, name=name)
    return msgspec.structs.replace(found, kind=kind)


def rollout(workload: Workload) -> Rollout:
    status, wanted = workload.status, workload.wanted
    seen = status.observed_generation >= workload.metadata.generation
    if workload.kind == "DaemonSet":
        updated, available, old, due = status.updated_number_scheduled, status.number_available, 0, wanted
    elif workload.kind == "StatefulSet":
        updated, available, old = status.updated_replicas, status.available_replicas, 0
        due = max(0, wanted - _partition(workload))
        if seen and status.current_revision == status.update_revision:
            due = min(due, updated)  # nothing is rolled out: it is being scaled, or waits for a pod to work
    else:
        updated, available, due = status.updated_replicas, status.available_replicas, wanted
        old = status.replicas - updated
    return Rollout(due=due, updated=updated, old=max(0, old), available=available, wanted=wanted, seen=seen)


def _partition(workload: Workload) -> int:
    rolling = workload.strategy.rolling_update
    return rolling.partition or 0 if rolling else 0


def gave_up(workload: Workload) -> str:
    """What a Deployment's controller says of a rollout that it does not believe in any more, "" while it does."""
    found = workload.condition("Progressing", "False")
    return shortened(found.message) if found and found.reason == _GAVE_UP else ""


class _PodStatus(KubeStruct, frozen=True, kw_only=True):
    conditions: tuple[Condition, ...] | None = None
    container_statuses: tuple[objects.ContainerStatus, ...] = ()
    init_container_statuses: tuple[objects.ContainerStatus, ...] = ()


class Pod(KubeStruct, frozen=True, kw_only=True):
    """Of a pod what tells how it does."""

    metadata: objects.Meta
    status: _PodStatus = _PodStatus()

    @property
    def is_ready(self) -> bool:
        return any((each.type, each.status) == ("Ready", "True") for each in self.status.conditions or ())

    @property
    def trouble(self) -> str:
        """Why it is not ready, in the kubelet's or the scheduler's words; "" while it is only starting."""
        status = self.status
        for container in (*status.init_container_statuses, *status.container_statuses):
            waiting = container.state.waiting
            if waiting and waiting.reason not in _STARTING:
                return _told(waiting.reason, waiting.message)
        for each in status.conditions or ():
            if (each.type, each.status) == ("PodScheduled", "False"):
                return _told(each.reason, each.message)
        return ""


async def pods(connection: Connection, selector: Selector | None, namespace: str) -> tuple[Pod, ...]:
    """Those that are not on their way out, at most a page of them. Raises UnreadableError."""
    if selector is None:
        return ()
    query = {"labelSelector": str(selector)}
    found = await read.get_some(connection, LIST_PODS, Pod, namespace=namespace, query=query)
    return tuple(each for each in found if each.metadata.deletion_timestamp is None)


async def new_pods(connection: Connection, workload: Workload, request: str) -> tuple[Pod, ...]:
    """The pods that this request has made: the template's annotation is theirs too."""
    found = await pods(connection, workload.spec.selector, workload.metadata.namespace)
    return tuple(each for each in found if each.metadata.annotations.request == request)


async def trouble(connection: Connection, workload: Workload, made: Sequence[Pod], since: datetime | None) -> str:
    """What keeps the rollout up: a pod that does not start, or one that cannot be made; "" where nothing is known."""
    told = [(each.metadata.name, each.trouble) for each in made if not each.is_ready and each.trouble]
    if told:
        name, why = min(told)
        more = f" and {len(told) - 1} more" if len(told) > 1 else ""
        return f"pod {name}{more}: {why}"
    if len(made) >= workload.wanted:
        return ""
    if failure := workload.condition("ReplicaFailure", "True"):
        return _told(failure.reason, failure.message)
    return "" if workload.kind == "Deployment" else await _not_made(connection, workload, since)


async def _not_made(connection: Connection, workload: Workload, since: datetime | None) -> str:
    """The newest event that says why a pod was not made."""
    query = {"fieldSelector": f"involvedObject.uid={workload.metadata.uid},reason=FailedCreate"}
    namespace = workload.metadata.namespace
    events = await read.get_some(connection, LIST_EVENTS, objects.Event, namespace=namespace, query=query)
    told = sorted((at, event.message) for event in events if (at := event.at) and (since is None or at >= since))
    return _told("FailedCreate", told[-1][1]) if told else ""


def _told(reason: str, message: str) -> str:
    return shortened(f"{reason}: {message}" if message else reason)
