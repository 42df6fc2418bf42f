"""create-token-secret and rotate-token-secret: a new token Secret, filled by the token controller and then reviewed.

A token Secret of the same name for the same account holds the same token, byte for byte: so a rotation is a new name,
and a name of the bot's own making has the minute in it. The request's id is among the annotations, and so is the
account's uid: the token controller deletes a Secret whose account is another one by then.
"""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial

from msgspec.structs import replace

from bot import objects
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
from bot.kube import effects, read, secret_tokens, secret_uses
from bot.kube.client import Cluster
from bot.kube.gaps import AbsentError, ConflictError
from bot.kube.permissions import CREATE_SECRET, GET_SECRET, REVIEW_TOKEN
from bot.model import SECRET_NAME, TOKEN_TYPE, ActionKind, ObjectRef, Plan, Risk, Rule
from bot.objects import REQUEST

_PATIENCE = timedelta(minutes=2)
_MOST_NAME = 253
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_MADE_UP = re.compile(r"-token-\d{8}-\d{4}(-\d)?$")
_MOST_ALIKE = 9
_ACCOUNT_NAME = "kubernetes.io/service-account.name"
_ACCOUNT_UID = "kubernetes.io/service-account.uid"


async def _plan_create(cluster: Cluster, ref: ObjectRef, parameters: Parameters) -> Plan:
    if ref.kind != "ServiceAccount":
        raise CannotActError(f"{here(ref)} is no service account.")
    await permitted(cluster, ref, (GET_SECRET, REVIEW_TOKEN))
    with explained(ref):
        account = await held_secrets.account(cluster, ref)
        name = await _free(cluster, account, parameters.get(SECRET_NAME, ""))
    revived = f"If there was a Secret {name} of this account before, it holds the same token: old copies work again."
    return Plan(
        kind=ActionKind.CREATE_TOKEN_SECRET,
        ref=account,
        summary=f"Create token Secret {ref.namespace}/{name} for service account {ref.name}",
        difference=_difference(account, name),
        fingerprint=fingerprint(ActionKind.CREATE_TOKEN_SECRET, account.uid, name),
        risk=Risk.MEDIUM,
        parameters={SECRET_NAME: name},
        notes=(
            "Its token never expires: a copy stays good until the Secret or its account is deleted.",
            "Inside the cluster a projected token is better: it is refreshed by itself.",
            *(() if _MADE_UP.search(name) else (revived,)),
            how_to_read(ref.namespace, name),
        ),
    )


async def _plan_rotate(cluster: Cluster, ref: ObjectRef, parameters: Parameters) -> Plan:
    await permitted(cluster, ref, (GET_SECRET, REVIEW_TOKEN))
    if parameters.get(SECRET_NAME) == ref.name:
        raise CannotActError(f"Under the same name, {ref.name}, the new Secret would hold the very same token.")
    with explained(ref):
        old = await held_secrets.held(cluster, ref)
        account = await held_secrets.owner(cluster, old)
        name = await _free(cluster, account, parameters.get(SECRET_NAME, ""))
        users = await secret_uses.users(cluster.main, ref.namespace, ref.name)
    return Plan(
        kind=ActionKind.ROTATE_TOKEN_SECRET,
        ref=old.ref,
        summary=f"Create token Secret {ref.namespace}/{name}, which is to take the place of {ref.name}",
        difference=(f"  Secret {ref.namespace}/{ref.name} (stays as it is)", *_difference(account, name)),
        fingerprint=fingerprint(ActionKind.ROTATE_TOKEN_SECRET, old.ref.uid, account.uid, name),
        risk=Risk.MEDIUM,
        parameters={SECRET_NAME: name},
        notes=(
            f"The old token goes on working. Deleting Secret {ref.name} is a request of its own: delete-legacy-secret.",
            f"{ref.name}: {held_secrets.last_use(old)}; {held_secrets.told(users)}.",
            how_to_read(ref.namespace, name),
        ),
    )


def how_to_read(namespace: str, name: str) -> str:
    """The command: the token itself is never shown."""
    return f"Read it with: kubectl -n {namespace} get secret {name} -o go-template='{{{{.data.token | base64decode}}}}'"


async def _apply(cluster: Cluster, plan: Plan, request: str) -> None:
    """There is one Secret of a name only: made a second time, the API server says that it is there."""
    if await _is_done(cluster, plan, request):
        return
    planned = _plan_rotate if plan.kind is ActionKind.ROTATE_TOKEN_SECRET else _plan_create
    async with unless_done(lambda: _is_done(cluster, plan, request)):
        unchanged(plan, await planned(cluster, plan.ref, plan.parameters))
        with explained(plan.ref):
            account = plan.ref
            if plan.kind is ActionKind.ROTATE_TOKEN_SECRET:
                account = await held_secrets.owner(cluster, await held_secrets.held(cluster, plan.ref))
            await _create(cluster, account, plan.parameters[SECRET_NAME], request)


async def _is_done(cluster: Cluster, plan: Plan, request: str) -> bool:
    """Whether the new Secret is there, with the request's id."""
    namespace, name = plan.ref.namespace, plan.parameters[SECRET_NAME]
    with explained(plan.ref):
        try:
            found = await read.metadata(cluster.main, GET_SECRET, objects.Named, namespace=namespace, name=name)
        except AbsentError:
            return False
    return found.metadata.annotations.request == request


def _follow(cluster: Cluster, plan: Plan, request: str, until: datetime) -> AsyncIterator[Progress]:
    return watch(cluster.now, until, partial(_look, cluster, plan, request))


async def _look(cluster: Cluster, plan: Plan, request: str) -> Progress:
    namespace, name = plan.ref.namespace, plan.parameters[SECRET_NAME]
    try:
        found = await secret_tokens.filled(cluster.main, namespace=namespace, name=name)
    except AbsentError:
        why = "It is gone: the token controller deletes a Secret whose service account is missing, or another one."
        return Progress(text=f"Secret {namespace}/{name} was made.", ended=True, failed=why)
    if found.metadata.annotations.request != request:
        return Progress(text=f"Secret {namespace}/{name} was made.", ended=True, failed="It is another one by now.")
    if found.raw is None:
        stuck = "the token controller has not put a token into it: does the kube-controller-manager run?"
        return Progress(text=f"Secret {namespace}/{name} is made, and not filled yet.", stuck=stuck)
    progress = await held_secrets.reviewed(cluster, found.raw, f"Secret {namespace}/{name} is filled, and its token")
    if not progress.ended:
        return progress
    after = f" Once nobody uses {plan.ref.name} any more, have it deleted (delete-legacy-secret)."
    more = after if plan.kind is ActionKind.ROTATE_TOKEN_SECRET else ""
    return Progress(text=f"{progress.text} {how_to_read(namespace, name)}.{more}", ended=True)


async def _free(cluster: Cluster, account: ObjectRef, wanted: str) -> str:
    """The name, once the API server has said that it would take a Secret of that name."""
    if wanted:
        if not _NAME.fullmatch(wanted) or len(wanted) > _MOST_NAME:
            raise CannotActError("That is no name for a Secret: it has small letters, digits, dots and hyphens only.")
        if not await _is_free(cluster, account, wanted):
            raise CannotActError(f"There is a Secret {account.namespace}/{wanted} already.")
        return wanted
    stem = f"-token-{cluster.now().astimezone(UTC):%Y%m%d-%H%M}"
    stem = f"{account.name[: _MOST_NAME - len(stem) - 2].rstrip('.-')}{stem}"
    for name in (stem, *(f"{stem}-{number}" for number in range(2, _MOST_ALIKE + 1))):
        if await _is_free(cluster, account, name):
            return name
    raise CannotActError(f"There are {_MOST_ALIKE} Secrets called {stem} already.", next_step="Wait a minute.")


async def _is_free(cluster: Cluster, account: ObjectRef, name: str) -> bool:
    try:
        await _create(cluster, account, name, PLANNED_ID, dry_run=True)
    except ConflictError:
        return False
    return True


async def _create(cluster: Cluster, account: ObjectRef, name: str, request: str, *, dry_run: bool = False) -> None:
    annotations = {_ACCOUNT_NAME: account.name, _ACCOUNT_UID: account.uid, REQUEST: request}
    manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": TOKEN_TYPE,
        "metadata": {"name": name, "annotations": annotations},
    }
    await effects.create(cluster.main, CREATE_SECRET, manifest, namespace=account.namespace, dry_run=dry_run)


def _difference(account: ObjectRef, name: str) -> tuple[str, ...]:
    return (
        f"+ Secret {account.namespace}/{name}",
        f"+   type: {TOKEN_TYPE}",
        "+   metadata.annotations:",
        f"+     {_ACCOUNT_NAME}: {account.name}",
        f"+     {_ACCOUNT_UID}: {account.uid}",
        f"+     {REQUEST}: {UNTOLD_ID}",
    )


def _needs(plan: Plan) -> tuple[Rule, ...]:
    return (CREATE_SECRET.rule(plan.ref.namespace),)


CREATE_TOKEN_SECRET = Action(
    kind=ActionKind.CREATE_TOKEN_SECRET,
    title="Create a token Secret",
    of=frozenset({"ServiceAccount"}),
    risk=Risk.MEDIUM,
    patience=_PATIENCE,
    plan=_plan_create,
    apply=_apply,
    is_done=_is_done,
    follow=_follow,
    needs=_needs,
    asks_for=(SECRET_NAME,),
)
ROTATE_TOKEN_SECRET = replace(
    CREATE_TOKEN_SECRET,
    kind=ActionKind.ROTATE_TOKEN_SECRET,
    title="Create the successor of a token Secret",
    of=frozenset({"Secret"}),
    plan=_plan_rotate,
)
