"""The objects around a target that an action could be done to. Pure."""

from collections.abc import Iterable, Iterator

from bot.diagnosis.case import Case
from bot.diagnosis.unused import USUAL_DAYS, in_use
from bot.model import Involved, ObjectRef, SecretSummary

_RESTARTABLE = {"Deployment", "StatefulSet", "DaemonSet"}


def involved(case: Case) -> Involved:
    """What was not read is left out: an action is offered on objects that are known to be there."""
    secrets = [held for held in case.snapshot.secrets.value or () if held.is_token]
    target = case.snapshot.target
    return Involved(
        workload=_workload(case),
        pod=target if target.kind == "Pod" else None,
        maker=_maker(case),
        account=_account(case),
        secrets=_refs(case, secrets),
        marked=_refs(case, (held for held in secrets if held.metadata.labels.legacy_token_invalid_since)),
        unused=_refs(case, _unused(case, secrets)),
        gone=tuple(sorted(set(_gone(case)))),
        token_in_spec=bool(case.snapshot.spec_tokens.value) and not case.variables,
    )


def _workload(case: Case) -> ObjectRef | None:
    """The target, or what owns the pod: not the pod itself, which would come back as its template has it."""
    target = case.snapshot.target
    if target.kind in _RESTARTABLE:
        return target
    for owner in case.snapshot.owners.value or ():
        if owner.kind in _RESTARTABLE and owner.metadata.uid:
            return _ref(case, owner.kind, owner.metadata.name, owner.metadata.uid, api_version="apps/v1")
    return None


def _maker(case: Case) -> str:
    pod = case.snapshot.pod.value
    return next((owner.kind for owner in pod.metadata.owner_references if owner.controller), "") if pod else ""


def _account(case: Case) -> ObjectRef | None:
    if case.snapshot.target.kind == "ServiceAccount":
        return case.snapshot.target
    account = case.snapshot.service_account.value
    if account is None or account.metadata.deletion_timestamp:
        return None
    return _ref(case, "ServiceAccount", account.metadata.name, account.metadata.uid)


def _unused(case: Case, secrets: Iterable[SecretSummary]) -> Iterator[SecretSummary]:
    """Asked about by themselves or by their account: the Secrets of a pod's answer are those that it uses."""
    users = case.snapshot.secret_users.value
    if users is None:
        return
    used = {user.secret for user in users}
    tracked = case.snapshot.token_tracking.value
    for held in secrets:
        if held.metadata.name not in used and not in_use(held.metadata, tracked, case.now, USUAL_DAYS):
            yield held


def _gone(case: Case) -> Iterator[str]:
    """Secrets that the pod refers to, or that a refused token was in."""
    if case.snapshot.referenced_secrets.gap is None:
        yield from case.missing_secrets()
    for rejection in case.rejected_for("token-secret-deleted"):
        claims = rejection.token.claims if rejection.token else None
        if claims and claims.secret and claims.namespace == case.snapshot.target.namespace:
            yield claims.secret


def _refs(case: Case, secrets: Iterable[SecretSummary]) -> tuple[ObjectRef, ...]:
    return tuple(_ref(case, "Secret", held.metadata.name, held.metadata.uid) for held in secrets)


def _ref(case: Case, kind: str, name: str, uid: str, *, api_version: str = "v1") -> ObjectRef:
    target = case.snapshot.target
    return ObjectRef(
        cluster=target.cluster, api_version=api_version, kind=kind, namespace=target.namespace, name=name, uid=uid
    )
