"""restart-workload: new pods, made as `kubectl rollout restart` makes them.

A patch writes two annotations into the pod template: kubectl's restartedAt, and the request's id, which the new pods
carry too. Nothing else is touched, so that an admission policy can allow just that.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial

from bot import objects
from bot.actions import disruption
from bot.actions.action import (
    PLANNED_ID,
    UNTOLD_ID,
    Action,
    CannotActError,
    Parameters,
    PlanChangedError,
    Progress,
    fingerprint,
    here,
)
from bot.actions.disruption import are
from bot.actions.failures import explained, permitted
from bot.actions.following import watch
from bot.kube import effects, read, rollout
from bot.kube.client import Cluster
from bot.kube.gaps import AbsentError, ConflictError, shortened
from bot.kube.permissions import GET_SERVICE_ACCOUNT, LIST_EVENTS, LIST_PODS, PATCH_WORKLOAD
from bot.model import ActionKind, ObjectRef, Plan, Risk, Rule
from bot.objects import REQUEST, RESTARTED_AT

_KIND = ActionKind.RESTART_WORKLOAD
_PATIENCE = timedelta(minutes=15)
_TRIES = 8
_PAUSE_SECONDS = 0.1
_CLOCKS_DIFFER = timedelta(minutes=1)


async def _plan(cluster: Cluster, ref: ObjectRef, parameters: Parameters) -> Plan:
    if ref.kind not in PATCH_WORKLOAD:
        raise CannotActError(f"{here(ref)} is nothing that can be restarted: only what rolls new pods out is.")
    await permitted(cluster, ref, (LIST_PODS, LIST_EVENTS))
    with explained(ref):
        found = await _get(cluster, ref)
        _refuse(ref, found)
        await _refuse_without_account(cluster, ref, found.template.spec.service_account_name)
        await _patch(cluster, ref, found, PLANNED_ID, dry_run=True)
    before = found.template.metadata.annotations.restarted_at
    return Plan(
        kind=_KIND,
        ref=ObjectRef(
            cluster=ref.cluster,
            api_version="apps/v1",
            kind=ref.kind,
            namespace=ref.namespace,
            name=ref.name,
            uid=found.metadata.uid,
        ),
        summary=f"Restart {ref.kind.lower()} {ref.namespace}/{ref.name}: {are(found.wanted)} made anew",
        difference=(
            "  spec.template.metadata.annotations:",
            *([f"-   {RESTARTED_AT}: {shortened(before)}"] if before else []),
            f"+   {RESTARTED_AT}: (the time at which it is done)",
            f"+   {REQUEST}: {UNTOLD_ID}",
        ),
        fingerprint=_fingerprint(found),
        risk=disruption.risk(found),
        parameters=dict(parameters),
        notes=(disruption.sentence(found), *_owned(found)),
    )


async def _apply(cluster: Cluster, plan: Plan, request: str) -> None:
    """Looks and patches that very version: two workers at once, or a lost answer, make one restart."""
    with explained(plan.ref):
        for attempt in range(_TRIES):
            found = await _get(cluster, plan.ref)
            if found.template.metadata.annotations.request == request:
                return
            if _fingerprint(found) != plan.fingerprint:
                raise PlanChangedError(
                    f"The pod template of {plan.ref} was changed since this was approved.",
                    next_step="Ask for the restart anew, where it is still wanted.",
                )
            _refuse(plan.ref, found)
            try:
                await _patch(cluster, plan.ref, found, request)
            except ConflictError:
                # Its status changes all the time, and another worker may have done it.
                if attempt == _TRIES - 1:
                    raise
                await asyncio.sleep(_PAUSE_SECONDS * (attempt + 1))
            else:
                return


async def _is_done(cluster: Cluster, plan: Plan, request: str) -> bool:
    with explained(plan.ref):
        try:
            found = await rollout.get(cluster.main, plan.ref.kind, namespace=plan.ref.namespace, name=plan.ref.name)
        except AbsentError:
            return False
    return found.metadata.uid == plan.ref.uid and found.template.metadata.annotations.request == request


def _follow(cluster: Cluster, plan: Plan, request: str, until: datetime) -> AsyncIterator[Progress]:
    return watch(cluster.now, until, partial(_look, cluster, plan, request))


async def _look(cluster: Cluster, plan: Plan, request: str) -> Progress:
    try:
        found = await rollout.get(cluster.main, plan.ref.kind, namespace=plan.ref.namespace, name=plan.ref.name)
    except AbsentError:
        return _over("It was deleted meanwhile.")
    annotations = found.template.metadata.annotations
    if found.metadata.uid != plan.ref.uid:
        return _over("It was deleted and created again meanwhile.")
    if annotations.request != request:
        return _over("Its pod template was replaced meanwhile: another rollout has taken over.")
    stage = rollout.rollout(found)
    made = await rollout.new_pods(cluster.main, found, request)
    ready = sum(pod.is_ready for pod in made)
    text = f"{min(ready, stage.due)} of {are(stage.due, 'new pod')} ready"
    if stage.is_complete:
        return Progress(text=f"{text}.", ended=True)
    why = await rollout.trouble(cluster.main, found, made, _since(annotations.restarted_at))
    if found.spec.paused:
        why = "it is paused, and goes on only when somebody resumes it (kubectl rollout resume)"
    if given_up := rollout.gave_up(found) if stage.seen else "":
        return Progress(text=text, ended=True, failed=f"Kubernetes has given it up: {why or given_up}.", stuck=why)
    if stage.old and not why and ready >= stage.due:
        text += f", and {are(stage.old, 'old pod')} still to go"
    return Progress(text=f"{text}.", stuck=why)


async def _get(cluster: Cluster, ref: ObjectRef) -> rollout.Workload:
    found = await rollout.get(cluster.main, ref.kind, namespace=ref.namespace, name=ref.name)
    if ref.uid and found.metadata.uid != ref.uid:
        raise PlanChangedError(
            f"{here(ref)} was deleted and created again since.", next_step="Ask for it anew, where it is still wanted."
        )
    return found


def _refuse(ref: ObjectRef, found: rollout.Workload) -> None:
    """Raises CannotActError where a restart would do nothing, or something else than it says."""
    stage, rolling = rollout.rollout(found), found.strategy.rolling_update
    refusal, step = "", ""
    if found.metadata.deletion_timestamp:
        refusal = "is being deleted"
    elif found.spec.paused:
        refusal, step = "is paused: no new pods would be made", "Resume it first: kubectl rollout resume."
    elif found.strategy.type == "OnDelete":
        refusal = "has the update strategy OnDelete: it replaces a pod only when somebody deletes it"
        step = "Delete its pods one by one (action delete-pod)."
    elif found.wanted == 0:
        refusal = "wants no pods: there is nothing to restart"
    elif rolling and rolling.partition and rolling.partition >= found.wanted:
        refusal = f"has the partition {rolling.partition}: no pod would be replaced"
    elif stage.is_underway:
        stuck = rollout.gave_up(found)
        updated = stage.updated if stage.seen else 0
        refusal = f"is rolling out already: {updated} of {are(stage.due)} of the newest template"
        refusal += f" (stuck: {stuck})" if stuck else ""
        step = "Wait for its end, or undo it: kubectl rollout undo."
    if refusal:
        raise CannotActError(f"{here(ref)} {refusal}.", next_step=step)


async def _refuse_without_account(cluster: Cluster, ref: ObjectRef, name: str) -> None:
    """A workload that runs on old tokens must not lose the pods that it cannot make again."""
    try:
        account = await read.metadata(
            cluster.main, GET_SERVICE_ACCOUNT, objects.Named, namespace=ref.namespace, name=name
        )
    except AbsentError:
        raise CannotActError(
            f"{here(ref)} runs as service account {name}, which does not exist: no new pod would be admitted.",
            next_step="Create the service account first.",
        ) from None
    if account.metadata.deletion_timestamp:
        raise CannotActError(
            f"{here(ref)} runs as service account {name}, which is being deleted: new pods' tokens are refused too.",
            next_step="Let the deletion end, and create the service account again first.",
        )


async def _patch(
    cluster: Cluster, ref: ObjectRef, found: rollout.Workload, request: str, *, dry_run: bool = False
) -> None:
    at = cluster.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    await effects.patch(
        cluster.main,
        PATCH_WORKLOAD[ref.kind],
        {"spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: at, REQUEST: request}}}}},
        namespace=ref.namespace,
        name=ref.name,
        uid=found.metadata.uid,
        resource_version=found.metadata.resource_version,
        dry_run=dry_run,
    )


def _fingerprint(found: rollout.Workload) -> str:
    return fingerprint(_KIND, found.metadata.uid, found.fingerprint)


def _owned(found: rollout.Workload) -> list[str]:
    owners = [owner for owner in found.metadata.owner_references if owner.controller]
    return [f"It belongs to {owner.kind} {owner.name}, which may undo the change." for owner in owners]


def _since(restarted_at: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(restarted_at)
    except ValueError:
        return None
    return at - _CLOCKS_DIFFER if at.tzinfo else None


def _over(why: str) -> Progress:
    return Progress(text="There is nothing more to wait for.", ended=True, failed=why)


def _needs(plan: Plan) -> tuple[Rule, ...]:
    return (PATCH_WORKLOAD[plan.ref.kind].rule(plan.ref.namespace),)


RESTART_WORKLOAD = Action(
    kind=_KIND,
    title="Restart a workload",
    of=frozenset(PATCH_WORKLOAD),
    risk=Risk.MEDIUM,
    patience=_PATIENCE,
    plan=_plan,
    apply=_apply,
    is_done=_is_done,
    follow=_follow,
    needs=_needs,
)
