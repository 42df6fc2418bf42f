"""probe-token: does a fresh token work? One is minted, reviewed and dropped, by which nothing in the cluster changes.

There is no dry run: a TokenRequest with `dryRun=All` answers with a token that is good (seen on 1.36). And nothing
stays that could carry the request's id, so the token is minted where its verdict is told: while following.
"""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from functools import partial

from bot import objects
from bot.actions import held_secrets
from bot.actions.action import Action, CannotActError, Parameters, PlanChangedError, Progress, fingerprint, here
from bot.actions.failures import explained, permitted
from bot.actions.following import watch
from bot.durations import utc
from bot.kube import read
from bot.kube.client import Cluster
from bot.kube.gaps import AbsentError, ConflictError, RefusedError
from bot.kube.minting import LIFE_SECONDS, BoundPod, mint
from bot.kube.permissions import GET_POD, MINT_TOKEN, REVIEW_TOKEN
from bot.kube.review import review
from bot.model import ActionKind, ObjectRef, Plan, Risk, Rule
from bot.objects import KubeStruct

_KIND = ActionKind.PROBE_TOKEN
_PATIENCE = timedelta(minutes=1)
_ACCOUNT = "account"


class _PodSpec(KubeStruct, frozen=True, kw_only=True):
    service_account_name: str = "default"


class _PodStatus(KubeStruct, frozen=True, kw_only=True):
    phase: str = ""


class _Pod(KubeStruct, frozen=True, kw_only=True):
    metadata: objects.Meta
    spec: _PodSpec = _PodSpec()
    status: _PodStatus = _PodStatus()


async def _plan(cluster: Cluster, ref: ObjectRef, _: Parameters) -> Plan:
    await permitted(cluster, ref, (MINT_TOKEN, REVIEW_TOKEN))
    with explained(ref):
        found, account = await _observed(cluster, ref)
    bound = f"bound to pod {found.name}" if found.kind == "Pod" else "bound to nothing"
    return Plan(
        kind=_KIND,
        ref=found,
        summary=f"Try a fresh token of service account {ref.namespace}/{account.name}",
        difference=(
            f"  A token of service account {account.name} is minted, {bound}, for {LIFE_SECONDS // 60} minutes,",
            "  reviewed at every API server that can be reached, and dropped. Nothing in the cluster changes.",
        ),
        fingerprint=fingerprint(_KIND, found.uid, account.uid),
        risk=Risk.LOW,
        parameters={_ACCOUNT: account.name},
        notes=("It says whether the account, the signing keys and the clocks are in order.",),
    )


async def _observed(cluster: Cluster, ref: ObjectRef) -> tuple[ObjectRef, ObjectRef]:
    """The object that the token is for, and the account that it is of; both with their uids."""
    if ref.kind == "ServiceAccount":
        account = await held_secrets.account(cluster, ref)
        return account, account
    if ref.kind != "Pod":
        raise CannotActError(f"{here(ref)} is neither a pod nor a service account.")
    pod = await read.get(cluster.main, GET_POD, _Pod, namespace=ref.namespace, name=ref.name)
    if ref.uid and pod.metadata.uid != ref.uid:
        raise PlanChangedError(f"{here(ref)} is another pod of the same name by now.")
    if pod.metadata.deletion_timestamp:
        raise CannotActError(f"{here(ref)} is being deleted since {utc(pod.metadata.deletion_timestamp)}.")
    name = pod.spec.service_account_name
    target = ObjectRef(
        cluster=ref.cluster, api_version="v1", kind="Pod", namespace=ref.namespace, name=ref.name, uid=pod.metadata.uid
    )
    try:
        account = await held_secrets.account(cluster, _account_ref(target, name))
    except AbsentError:
        raise CannotActError(
            f"{here(ref)} runs as service account {name}, which does not exist: no token can be minted.",
            next_step="Create the service account first.",
        ) from None
    return target, account


async def _apply(cluster: Cluster, plan: Plan, _: str) -> None:
    """Nothing is to be done but to look whether it is still the same pod and the same account."""
    with explained(plan.ref):
        found, account = await _observed(cluster, plan.ref)
    if fingerprint(_KIND, found.uid, account.uid) != plan.fingerprint:
        raise PlanChangedError(f"Service account {account.name} was deleted and created again since.")


async def _is_done(_cluster: Cluster, _plan: Plan, _request: str) -> bool:
    """Never: a probe leaves nothing, and may be made again."""
    return False


def _follow(cluster: Cluster, plan: Plan, _: str, until: datetime) -> AsyncIterator[Progress]:
    return watch(cluster.now, until, partial(_look, cluster, plan))


async def _look(cluster: Cluster, plan: Plan) -> Progress:
    name = plan.parameters[_ACCOUNT]
    pod = BoundPod(plan.ref.name, plan.ref.uid) if plan.ref.kind == "Pod" else None
    try:
        raw = await mint(cluster.main, namespace=plan.ref.namespace, account=name, pod=pod)
    except (AbsentError, ConflictError, RefusedError) as error:
        return Progress(text="No token could be minted.", ended=True, failed=f"The API server says: {error}")
    answers = await review(cluster, raw)
    progress = held_secrets.verdict(answers, f"A fresh token of service account {plan.ref.namespace}/{name}")
    if progress.ended:
        text = f"{progress.text} What is refused is an older one, or another one."
        return Progress(text=text, ended=True)
    # That it is refused is the answer, and no failure of the probe.
    return Progress(text=f"{progress.text} {progress.stuck}", ended=True)


def _account_ref(of: ObjectRef, name: str) -> ObjectRef:
    return ObjectRef(cluster=of.cluster, api_version="v1", kind="ServiceAccount", namespace=of.namespace, name=name)


def _needs(plan: Plan) -> tuple[Rule, ...]:
    return (MINT_TOKEN.rule(plan.ref.namespace),)


PROBE_TOKEN = Action(
    kind=_KIND,
    title="Try a fresh token",
    of=frozenset({"Pod", "ServiceAccount"}),
    risk=Risk.LOW,
    patience=_PATIENCE,
    plan=_plan,
    apply=_apply,
    is_done=_is_done,
    follow=_follow,
    needs=_needs,
)
