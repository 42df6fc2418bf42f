"""reactivate-legacy-token: takes off the label by which the legacy token cleaner has marked a Secret invalid."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from functools import partial

from bot.actions import held_secrets
from bot.actions.action import (
    PLANNED_ID,
    UNTOLD_ID,
    Action,
    CannotActError,
    Parameters,
    Progress,
    fingerprint,
    here,
    unchanged,
)
from bot.actions.failures import explained, permitted, unless_done
from bot.actions.following import watch
from bot.actions.held_secrets import Held
from bot.kube import effects, secret_tokens
from bot.kube.client import Cluster
from bot.kube.gaps import AbsentError
from bot.kube.permissions import PATCH_SECRET, REVIEW_TOKEN
from bot.model import ActionKind, ObjectRef, Plan, Risk, Rule
from bot.objects import INVALID_SINCE, REQUEST

_KIND = ActionKind.REACTIVATE_LEGACY_TOKEN
_PATIENCE = timedelta(minutes=2)


async def _plan(cluster: Cluster, ref: ObjectRef, parameters: Parameters) -> Plan:
    plan, _ = await _examined(cluster, ref, parameters)
    return plan


async def _examined(cluster: Cluster, ref: ObjectRef, parameters: Parameters) -> tuple[Plan, Held]:
    """The plan, and the version of the Secret that it was made from."""
    await permitted(cluster, ref, (REVIEW_TOKEN,))
    with explained(ref):
        secret = await held_secrets.held(cluster, ref)
        if not secret.invalid_since:
            raise CannotActError(f"{here(ref)} is not marked invalid: there is no label to take off.")
        await held_secrets.owner(cluster, secret)
        await _unmark(cluster, secret, PLANNED_ID, dry_run=True)
    plan = Plan(
        kind=_KIND,
        ref=secret.ref,
        summary=f"Make the token of Secret {ref.namespace}/{ref.name} valid again",
        difference=(
            "  metadata.labels:",
            f"-   {INVALID_SINCE}: {secret.invalid_since}",
            "  metadata.annotations:",
            f"+   {REQUEST}: {UNTOLD_ID}",
        ),
        fingerprint=fingerprint(_KIND, secret.ref.uid, secret.invalid_since),
        risk=Risk.MEDIUM,
        parameters=dict(parameters),
        notes=(
            f"Every copy of its token works again, and it never expires; {held_secrets.last_use(secret)}.",
            "The review that follows counts as a use: the cleaner leaves it alone for another period.",
        ),
    )
    return plan, secret


async def _apply(cluster: Cluster, plan: Plan, request: str) -> None:
    """In the very version that was looked at; of two workers one comes too late, and finds it done."""
    if await _is_done(cluster, plan, request):
        return
    async with unless_done(lambda: _is_done(cluster, plan, request)):
        present, secret = await _examined(cluster, plan.ref, plan.parameters)
        unchanged(plan, present)
        with explained(plan.ref):
            await _unmark(cluster, secret, request)


async def _is_done(cluster: Cluster, plan: Plan, request: str) -> bool:
    """Whether it carries the request's id."""
    with explained(plan.ref):
        found = await held_secrets.present(cluster, plan.ref)
    return found is not None and found.annotations.request == request


def _follow(cluster: Cluster, plan: Plan, _: str, until: datetime) -> AsyncIterator[Progress]:
    return watch(cluster.now, until, partial(_look, cluster, plan))


async def _look(cluster: Cluster, plan: Plan) -> Progress:
    """A refusal is not cached by the API servers: one that has heard of the change accepts the token at once."""
    text = "The label is off."
    try:
        found = await secret_tokens.filled(cluster.main, namespace=plan.ref.namespace, name=plan.ref.name)
    except AbsentError:
        return Progress(text=text, ended=True, failed="The Secret was deleted meanwhile.")
    if found.metadata.uid != plan.ref.uid:
        return Progress(text=text, ended=True, failed="The Secret was deleted and created again meanwhile.")
    if found.metadata.labels.legacy_token_invalid_since:
        return Progress(text=text, ended=True, failed="It was marked invalid again meanwhile.")
    if found.raw is None:
        return Progress(text=text, ended=True, failed="The Secret holds no token.")
    return await held_secrets.reviewed(cluster, found.raw, f"{text} The token")


async def _unmark(cluster: Cluster, secret: Held, request: str, *, dry_run: bool = False) -> None:
    await effects.patch(
        cluster.main,
        PATCH_SECRET,
        {"metadata": {"labels": {INVALID_SINCE: None}, "annotations": {REQUEST: request}}},
        namespace=secret.ref.namespace,
        name=secret.ref.name,
        uid=secret.ref.uid,
        resource_version=secret.resource_version,
        dry_run=dry_run,
    )


def _needs(plan: Plan) -> tuple[Rule, ...]:
    return (PATCH_SECRET.rule(plan.ref.namespace),)


REACTIVATE_LEGACY_TOKEN = Action(
    kind=_KIND,
    title="Make a legacy token valid again",
    of=frozenset({"Secret"}),
    risk=Risk.MEDIUM,
    patience=_PATIENCE,
    plan=_plan,
    apply=_apply,
    is_done=_is_done,
    follow=_follow,
    needs=_needs,
)
