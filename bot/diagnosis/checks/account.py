"""The service account and the object that a token is bound to: gone, new, or going."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from bot.diagnosis import kubelet
from bot.diagnosis.case import Case
from bot.diagnosis.evidence import found, quote
from bot.diagnosis.lifetimes import promised, refreshed
from bot.diagnosis.refused import claims_of, last_refusal, proofs, refused_for
from bot.diagnosis.rejections import Rejection
from bot.durations import relative, span, utc
from bot.model import Certainty, Evidence, Finding, Route, Severity
from bot.objects import ServiceAccount

_LEEWAY = timedelta(seconds=60)
"""How far exp, nbf, iat and a bound object's deletion may be off (`claims.go`)."""


def service_account_missing(case: Case) -> Iterator[Finding]:
    if case.snapshot.service_account.read() is None:
        text = f"GET serviceaccounts/{case.pod.spec.service_account_name}: 404, not found"
        said = case.rejected_for("service-account-missing")
        runs = "Its pods are to run" if case.is_template else "The pod runs"
        yield found(
            "service-account-missing",
            f"{runs} as {case.account_name}, which does not exist.",
            [quote(Route.OBJECT, "API server", text), *_refused_pods(case), *proofs(said)],
        )
        return
    seen = [rejection for rejection in case.rejected_for("service-account-missing") if rejection.token]
    if seen:  # the pod's own account is there: the refused token is somebody else's
        names = sorted({c.service_account for c in claims_of(seen) if c.service_account})
        yield refused_for(
            "service-account-missing", seen, f"The token's service account {', '.join(names)} does not exist."
        )


def _refused_pods(case: Case) -> list[Evidence]:
    """Admission's words to whoever wanted to make a pod (`plugin/pkg/admission/serviceaccount/admission.go`)."""
    words = "error looking up service account"
    events = [event for event in case.snapshot.events.value or () if words in event.message]
    return [quote(Route.EVENT, f"event {event.reason}", event.message, event.at) for event in events[-1:]]


def service_account_recreated(case: Case) -> Iterator[Finding]:
    account = case.snapshot.service_account.read()
    said = case.rejected_for("service-account-recreated")
    born, pod_born = account.metadata.creation_timestamp if account else None, case.pod.metadata.creation_timestamp
    younger = bool(born and pod_born and born > pod_born)
    if not said and not (younger and born):
        return
    evidence = list(proofs(said))
    if younger and born and pod_born:
        text = f"service account created {utc(born)}, pod created {utc(pod_born)}"
        evidence.append(quote(Route.OBJECT, "creation times", text, born))
    if said or case.refusals:
        evidence += last_refusal(case)
        text = f"{case.account_name} is younger than the token" + (
            f": created {relative(born, case.now)}." if born else "."
        )
        if born and (heals := _heals(case, born)) and heals > case.now:
            text += (
                f" The kubelet does not notice that; it fetches a new token in its own time, by {utc(heals)} "
                f"({relative(heals, case.now)}). A client that reads its file again has recovered by then."
            )
        yield found("service-account-recreated", text, evidence)
    elif born and (heals := _heals(case, born)) and heals > case.now and not _refreshed(case, account):
        text = (
            f"{case.account_name} is younger than the pod. Until the kubelet refreshes the token (by {utc(heals)}, "
            f"{relative(heals, case.now)}) the pod's requests may be refused; then it heals by itself."
        )
        yield found("service-account-recreated", text, evidence, severity=Severity.WARNING, at_most=Certainty.LIKELY)


def _refreshed(case: Case, account: ServiceAccount | None) -> bool:
    """Whether the tokens seen in the containers are all the present account's already."""
    uids = {token.claims.service_account_uid for token in case.snapshot.exec_tokens.value or () if token.claims}
    return account is not None and uids == {account.metadata.uid}


def _heals(case: Case, born: datetime) -> datetime | None:
    """When the kubelet will have replaced the tokens of the former account; None where it refreshes none.

    It keeps each until 80 % of its life: the account's uid is no part of its cache's key (`token_manager.go`).
    """
    mounts = {(m.container, m.path): m for m in refreshed(case) if not case.foreign(m.audience)}
    if not mounts:
        return None
    due = {place: born + kubelet.refresh_after(promised(case, mount)) for place, mount in mounts.items()}
    for token in case.snapshot.exec_tokens.value or ():
        if (token.container, token.path) in due and (seen := kubelet.refresh_due(token.claims)):
            due[token.container, token.path] = seen
    return max(due.values()) + kubelet.SLACK


def service_account_terminating(case: Case) -> Iterator[Finding]:
    account = case.snapshot.service_account.read()
    said = case.rejected_for("service-account-terminating")
    leaving = account.metadata.deletion_timestamp if account else None
    if leaving:
        text = f"deletionTimestamp {utc(leaving)}, {relative(leaving, case.now)}"
        yield found(
            "service-account-terminating",
            f"{case.account_name} is being deleted; bound tokens are refused 60 s after its deletion time.",
            [quote(Route.OBJECT, f"service account {case.account_name}", text, leaving), *proofs(said)],
        )
    elif said and account is not None:
        yield refused_for(
            "service-account-terminating", said, "The API server says that the token's service account is leaving."
        )


def bound_object_gone(case: Case) -> Iterator[Finding]:
    said = case.rejected_for("bound-object-gone")
    leaving = case.pod.metadata.deletion_timestamp
    if leaving and leaving + _LEEWAY < case.now:
        text = f"deletionTimestamp {utc(leaving)}, {relative(leaving, case.now)}"
        yield found(
            "bound-object-gone",
            f"The pod should be gone since {span(case.now - leaving)}; 60 s after that time its tokens are refused.",
            [quote(Route.OBJECT, str(case.snapshot.target), text, leaving), *proofs(said)],
        )
    elif said:
        bound = _bound_to(said)
        which = f": it was {bound[0]}" if bound else ""
        yield refused_for("bound-object-gone", said, f"The token is bound to an object that is gone{which}.")


def bound_object_recreated(case: Case) -> Iterator[Finding]:
    said = case.rejected_for("bound-object-recreated")
    if said:
        bound = _bound_to(said)
        which = bound[0] if bound else "an object of the same name"
        yield refused_for(
            "bound-object-recreated", said, f"The token belongs to an older {which}; the present one has a new uid."
        )


def _bound_to(rejected: Sequence[Rejection]) -> list[str]:
    """The objects that the refused tokens are bound to, where the tokens were seen."""
    bindings = (binding for c in claims_of(rejected) for binding in (c.pod, c.bound_secret, c.node) if binding)
    return [f"{binding.kind.lower()} {binding.name}" for binding in bindings]
