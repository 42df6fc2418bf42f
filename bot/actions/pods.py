"""delete-pod: by eviction, which asks the PodDisruptionBudgets first; a plain deletion would pass them by."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial

from msgspec import Struct

from bot import objects
from bot.actions.action import Action, CannotActError, Parameters, PlanChangedError, Progress, fingerprint, here
from bot.actions.disruption import counted
from bot.actions.failures import explained, permitted, unless_done
from bot.actions.following import watch
from bot.durations import utc
from bot.kube import effects, read, rollout
from bot.kube.client import Cluster
from bot.kube.facets.workload import Selector
from bot.kube.gaps import AbsentError
from bot.kube.permissions import EVICT_POD, GET_OWNER, GET_POD, LIST_PODS
from bot.model import POD_MAKERS, ActionKind, ObjectRef, Plan, Risk, Rule
from bot.objects import KubeStruct

_KIND = ActionKind.DELETE_POD
_PATIENCE = timedelta(minutes=10)
_CONTROLLER = "controller"
_NEVER = datetime.min.replace(tzinfo=UTC)
_GRACE_SECONDS = 30


class _PodSpec(KubeStruct, frozen=True, kw_only=True):
    node_name: str = ""
    termination_grace_period_seconds: int = _GRACE_SECONDS


class _Pod(KubeStruct, frozen=True, kw_only=True):
    metadata: objects.Meta
    spec: _PodSpec = _PodSpec()


class _MakerSpec(KubeStruct, frozen=True, kw_only=True):
    replicas: int = 1
    backoff_limit: int = 6
    selector: Selector | None = None


class _MakerStatus(KubeStruct, frozen=True, kw_only=True):
    desired_number_scheduled: int = 0


class _Maker(KubeStruct, frozen=True, kw_only=True):
    """What makes a pod again: each kind fills other fields."""

    metadata: objects.Meta
    spec: _MakerSpec = _MakerSpec()
    status: _MakerStatus = _MakerStatus()


class _Return(Struct, frozen=True, kw_only=True):
    """Whether and how a pod comes back."""

    sentence: str
    risk: Risk
    only: bool = False


async def _plan(cluster: Cluster, ref: ObjectRef, _: Parameters) -> Plan:
    if ref.kind != "Pod":
        raise CannotActError(f"{here(ref)} is no pod.")
    with explained(ref):
        pod = await _get(cluster, ref)
        owner = _controller(ref, pod)
    await permitted(cluster, ref, (LIST_PODS, *([GET_OWNER[owner.kind]] if owner.kind in POD_MAKERS else [])))
    with explained(ref):
        back = await _return(cluster, ref, pod, owner)
        await _evict(cluster, ref, pod.metadata.uid, dry_run=True)
    alone = ("It is the only one: nobody answers until its successor is ready.",) if back.only else ()
    return Plan(
        kind=_KIND,
        ref=ObjectRef(
            cluster=ref.cluster,
            api_version="v1",
            kind="Pod",
            namespace=ref.namespace,
            name=ref.name,
            uid=pod.metadata.uid,
        ),
        summary=f"Delete pod {ref.namespace}/{ref.name}, of {owner.kind.lower()} {owner.name}",
        difference=(
            f"- pod {ref.namespace}/{ref.name}"
            + (f", created {utc(pod.metadata.creation_timestamp)}" if pod.metadata.creation_timestamp else ""),
            f"    on node {pod.spec.node_name or '(none yet)'}",
        ),
        fingerprint=fingerprint(_KIND, pod.metadata.uid, owner.uid),
        risk=back.risk,
        parameters={_CONTROLLER: f"{owner.kind}/{owner.name}"},
        notes=(
            back.sentence,
            *alone,
            f"It has {counted(pod.spec.termination_grace_period_seconds, 'second')} to end.",
            "No PodDisruptionBudget is broken: where one is against it, nothing is done.",
        ),
    )


async def _apply(cluster: Cluster, plan: Plan, request: str) -> None:
    """The uid makes it safe to repeat: no other pod will ever have it."""
    if await _is_done(cluster, plan, request):
        return
    async with unless_done(lambda: _is_done(cluster, plan, request)):
        with explained(plan.ref):
            await _evict(cluster, plan.ref, plan.ref.uid)


async def _is_done(cluster: Cluster, plan: Plan, _: str) -> bool:
    """Whether that very pod is gone, or going."""
    with explained(plan.ref):
        found = await _present(cluster, plan.ref)
    return found is None or found.metadata.deletion_timestamp is not None


def _follow(cluster: Cluster, plan: Plan, _: str, until: datetime) -> AsyncIterator[Progress]:
    return watch(cluster.now, until, partial(_look, cluster, plan))


async def _look(cluster: Cluster, plan: Plan) -> Progress:
    pod = await _present(cluster, plan.ref)
    if pod:
        leaving = pod.metadata.deletion_timestamp
        stuck = ""
        if leaving and leaving + timedelta(seconds=_GRACE_SECONDS) < cluster.now():
            stuck = f"it was to be gone by {utc(leaving)}: its node is silent, or a finalizer holds it"
        return Progress(text=f"Pod {plan.ref.name} is being stopped.", stuck=stuck)
    kind, _, name = plan.parameters.get(_CONTROLLER, "").partition("/")
    gone = f"Pod {plan.ref.name} is gone"
    if kind not in POD_MAKERS or kind == "Job":
        return Progress(text=f"{gone}.", ended=True)
    try:
        maker = await read.get(cluster.main, GET_OWNER[kind], _Maker, namespace=plan.ref.namespace, name=name)
    except AbsentError:
        return Progress(text=f"{gone}, and so is {kind.lower()} {name}: nothing replaces it.", ended=True)
    return await _successor(cluster, plan, kind, maker, gone)


async def _successor(cluster: Cluster, plan: Plan, kind: str, maker: _Maker, gone: str) -> Progress:
    """How the newest pod of the same controller does."""
    wanted = _wanted(kind, maker)
    if wanted == 0:
        return Progress(text=f"{gone}. {kind} {maker.metadata.name} wants no pods.", ended=True)
    found = await rollout.pods(cluster.main, maker.spec.selector, plan.ref.namespace)
    own = [pod for pod in found if any(one.uid == maker.metadata.uid for one in pod.metadata.owner_references)]
    # Creation is told in whole seconds: of two as new, the one that is not ready may be the successor.
    newest = max(own, key=lambda pod: (pod.metadata.creation_timestamp or _NEVER, not pod.is_ready), default=None)
    if newest is None or len(own) < wanted:
        return Progress(text=f"{gone}; its successor is not there yet.")
    if newest.is_ready:
        return Progress(text=f"{gone}, and its successor is ready.", ended=True)
    return Progress(text=f"{gone}; its successor {newest.metadata.name} is not ready yet.", stuck=newest.trouble)


async def _get(cluster: Cluster, ref: ObjectRef) -> _Pod:
    pod = await read.get(cluster.main, GET_POD, _Pod, namespace=ref.namespace, name=ref.name)
    if ref.uid and pod.metadata.uid != ref.uid:
        raise PlanChangedError(f"{here(ref)} is another pod of the same name by now.")
    if pod.metadata.deletion_timestamp:
        raise CannotActError(f"{here(ref)} is being deleted already, since {utc(pod.metadata.deletion_timestamp)}.")
    return pod


async def _present(cluster: Cluster, ref: ObjectRef) -> _Pod | None:
    """That very pod, None where it is gone."""
    try:
        found = await read.get(cluster.main, GET_POD, _Pod, namespace=ref.namespace, name=ref.name)
    except AbsentError:
        return None
    return found if found.metadata.uid == ref.uid else None


def _controller(ref: ObjectRef, pod: _Pod) -> objects.OwnerReference:
    owner = next((one for one in pod.metadata.owner_references if one.controller), None)
    if owner is None:
        raise CannotActError(
            f"{here(ref)} belongs to nothing that would make it again.",
            next_step="Delete it by hand, where you have its manifest to create it from.",
        )
    if owner.kind == "Node":
        raise CannotActError(
            f"{here(ref)} is a static pod of node {owner.name}: the API server only shows it.",
            next_step="Restart it on the node: move its manifest away and back.",
        )
    return owner


async def _return(cluster: Cluster, ref: ObjectRef, pod: _Pod, owner: objects.OwnerReference) -> _Return:
    of = f"{owner.kind} {owner.name}"
    if owner.kind not in POD_MAKERS:
        return _Return(sentence=f"It belongs to {of}: whether that makes it again is not known.", risk=Risk.HIGH)
    try:
        maker = await read.get(cluster.main, GET_OWNER[owner.kind], _Maker, namespace=ref.namespace, name=owner.name)
    except AbsentError:
        maker = None
    if maker is None or maker.metadata.uid != owner.uid or maker.metadata.deletion_timestamp:
        raise CannotActError(f"{here(ref)} belonged to {of}, which is gone: nothing would make it again.")
    return _promise(of, owner.kind, maker, pod)


def _promise(of: str, kind: str, maker: _Maker, pod: _Pod) -> _Return:
    wanted = _wanted(kind, maker)
    if kind == "Job":
        tries = counted(maker.spec.backoff_limit, "failure")
        sentence = f"{of} counts it as a failed try, and makes another while it has any left (it bears {tries})."
        return _Return(sentence=sentence, risk=Risk.HIGH)
    if wanted == 0:
        return _Return(sentence=f"{of} wants no pods: it does not come back.", risk=Risk.HIGH)
    how = {
        "StatefulSet": "the same one again, with its name and its volumes",
        "DaemonSet": f"another one on node {pod.spec.node_name}",
    }.get(kind, "another one, under another name, maybe on another node")
    only = wanted == 1 and kind != "DaemonSet"
    return _Return(sentence=f"{of} makes {how}.", risk=Risk.HIGH if only else Risk.MEDIUM, only=only)


def _wanted(kind: str, maker: _Maker) -> int:
    return maker.status.desired_number_scheduled if kind == "DaemonSet" else maker.spec.replicas


async def _evict(cluster: Cluster, ref: ObjectRef, uid: str, *, dry_run: bool = False) -> None:
    await effects.evict(cluster.main, namespace=ref.namespace, name=ref.name, uid=uid, dry_run=dry_run)


def _needs(plan: Plan) -> tuple[Rule, ...]:
    return (EVICT_POD.rule(plan.ref.namespace),)


DELETE_POD = Action(
    kind=_KIND,
    title="Delete a pod",
    of=frozenset({"Pod"}),
    risk=Risk.MEDIUM,
    patience=_PATIENCE,
    plan=_plan,
    apply=_apply,
    is_done=_is_done,
    follow=_follow,
    needs=_needs,
)
