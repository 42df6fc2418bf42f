"""delete-legacy-secret: only one that nobody uses, as far as the API servers have recorded it for long enough."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from functools import partial

from bot.actions import held_secrets
from bot.actions.action import Action, CannotActError, Parameters, Progress, fingerprint, here, unchanged
from bot.actions.failures import explained, unless_done
from bot.actions.following import watch
from bot.actions.held_secrets import Held
from bot.diagnosis.unused import USUAL_DAYS, in_use
from bot.durations import utc
from bot.kube import effects, secret_uses, tracking
from bot.kube.client import Cluster
from bot.kube.permissions import DELETE_SECRET
from bot.model import ActionKind, ObjectRef, Plan, Risk, Rule
from bot.objects import INVALID_SINCE, LAST_USED

UNUSED_DAYS = "unused_days"
"""The parameter: for so many whole days nobody may have used it."""

_MOST_DAYS = 3650
_PATIENCE = timedelta(minutes=2)


async def _plan(cluster: Cluster, ref: ObjectRef, parameters: Parameters) -> Plan:
    plan, _ = await _examined(cluster, ref, parameters)
    return plan


async def _examined(cluster: Cluster, ref: ObjectRef, parameters: Parameters) -> tuple[Plan, Held]:
    """The plan, and the version of the Secret that it was made from."""
    days = _days(parameters.get(UNUSED_DAYS, str(USUAL_DAYS)))
    with explained(ref):
        secret = await held_secrets.held(cluster, ref)
        if users := await secret_uses.users(cluster.main, ref.namespace, ref.name):
            raise CannotActError(
                f"{here(ref)} is in use: {held_secrets.told(users)}.",
                next_step="Take it out there first, and have what it says rolled out.",
            )
        if refusal := in_use(secret.metadata, await tracking.since(cluster.main), cluster.now(), days):
            raise CannotActError(f"{here(ref)} {refusal}.")
        await _remove(cluster, secret, dry_run=True)
    labels = {LAST_USED: secret.last_used, INVALID_SINCE: secret.invalid_since}
    plan = Plan(
        kind=ActionKind.DELETE_LEGACY_SECRET,
        ref=secret.ref,
        summary=f"Delete token Secret {ref.namespace}/{ref.name} of service account {secret.account}",
        difference=(
            f"- Secret {ref.namespace}/{ref.name}",
            f"-   of service account {secret.account}",
            *(f"-   {name}: {value}" for name, value in labels.items() if value),
        ),
        fingerprint=fingerprint(ActionKind.DELETE_LEGACY_SECRET, secret.ref.uid, *labels.values()),
        risk=Risk.HIGH,
        parameters={UNUSED_DAYS: str(days)},
        notes=(
            f"Its token dies at once: {held_secrets.last_use(secret)}; {held_secrets.told(())}.",
            "A Secret of the same name for the same account would bring the very same token back.",
        ),
    )
    return plan, secret


async def _apply(cluster: Cluster, plan: Plan, request: str) -> None:
    """In the very version that was looked at: a use of its token changes a label, and so the version."""
    if await _is_done(cluster, plan, request):
        return
    async with unless_done(lambda: _is_done(cluster, plan, request)):
        present, secret = await _examined(cluster, plan.ref, plan.parameters)
        unchanged(plan, present)
        with explained(plan.ref):
            await _remove(cluster, secret)


async def _is_done(cluster: Cluster, plan: Plan, _: str) -> bool:
    """Whether that very Secret is gone, or going."""
    with explained(plan.ref):
        found = await held_secrets.present(cluster, plan.ref)
    return found is None or found.deletion_timestamp is not None


def _follow(cluster: Cluster, plan: Plan, _: str, until: datetime) -> AsyncIterator[Progress]:
    return watch(cluster.now, until, partial(_look, cluster, plan))


async def _look(cluster: Cluster, plan: Plan) -> Progress:
    found = await held_secrets.present(cluster, plan.ref)
    what = f"Secret {plan.ref.namespace}/{plan.ref.name}"
    if found is None:
        return Progress(text=f"{what} is gone; its token is refused everywhere within 10 seconds.", ended=True)
    if found.deletion_timestamp is None:
        return Progress(text=f"{what} is still there.")
    return Progress(
        text=f"{what} is being deleted, and its token refused.",
        stuck=f"a finalizer holds it since {utc(found.deletion_timestamp)}",
    )


async def _remove(cluster: Cluster, secret: Held, *, dry_run: bool = False) -> None:
    await effects.remove(
        cluster.main,
        DELETE_SECRET,
        namespace=secret.ref.namespace,
        name=secret.ref.name,
        uid=secret.ref.uid,
        resource_version=secret.resource_version,
        dry_run=dry_run,
    )


def _days(text: str) -> int:
    days = int(text) if text.isascii() and text.isdigit() and len(text) < len(str(_MOST_DAYS)) + 1 else 0
    if not 1 <= days <= _MOST_DAYS:
        raise CannotActError(f"The days for which nobody has used it are a number from 1 to {_MOST_DAYS}.")
    return days


def _needs(plan: Plan) -> tuple[Rule, ...]:
    return (DELETE_SECRET.rule(plan.ref.namespace),)


DELETE_LEGACY_SECRET = Action(
    kind=ActionKind.DELETE_LEGACY_SECRET,
    title="Delete an unused token Secret",
    of=frozenset({"Secret"}),
    risk=Risk.HIGH,
    patience=_PATIENCE,
    plan=_plan,
    apply=_apply,
    is_done=_is_done,
    follow=_follow,
    needs=_needs,
    asks_for=(UNUSED_DAYS,),
)
