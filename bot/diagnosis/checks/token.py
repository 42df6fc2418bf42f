"""What the API server holds against the token: its own words first, then the state of the objects."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from bot.diagnosis import kubelet
from bot.diagnosis.case import Case
from bot.diagnosis.evidence import found, line, quote, token_source
from bot.diagnosis.rejections import Rejection
from bot.durations import relative, span, utc
from bot.messages import BARE
from bot.model import Certainty, Claims, Evidence, Finding, Route, Severity
from bot.objects import ServiceAccount

_LEEWAY = timedelta(seconds=60)
"""How far exp, nbf, iat and a bound object's deletion may be off (`claims.go`)."""


def token_expired(case: Case) -> Iterator[Finding]:
    rejected = case.rejected_for("token-expired")
    if rejected:
        yield _of("token-expired", rejected, _when_expired(case, rejected))
        return
    for token in case.seen_tokens:
        claims = token.claims
        if claims and claims.expires_at and claims.expires_at + _LEEWAY < case.now and not token.reviews:
            text = f"exp is {utc(claims.expires_at)}, {relative(claims.expires_at, case.now)}"
            yield found("token-expired", f"{token.place}: {text}.", [quote(Route.EXEC, token_source(token), text)])


def _when_expired(case: Case, rejected: Sequence[Rejection]) -> str:
    for rejection in rejected:
        claims = rejection.token.claims if rejection.token else None
        if rejection.token and claims and claims.expires_at:
            return f"The token of {rejection.token.place} expired {relative(claims.expires_at, case.now)}."
    return "The API server says that the token it was sent has expired."


def token_not_yet_valid(case: Case) -> Iterator[Finding]:
    rejected = case.rejected_for("token-not-yet-valid")
    if rejected:
        starts = [claims.not_before for claims in _claims_of(rejected) if claims.not_before]
        ahead = f" It becomes valid {relative(starts[0], case.now)}." if starts else ""
        yield _of("token-not-yet-valid", rejected, f"The API server's clock is behind the token's times.{ahead}")


def audience_mismatch(case: Case) -> Iterator[Finding]:
    rejected = case.rejected_for("audience-mismatch")
    if rejected:
        quoted = rejected[0].message.regex.search(rejected[0].evidence.text.replace('\\"', '"'))
        groups = quoted.groupdict() if quoted else {}
        made_for = groups.get("audiences") or ", ".join(c.audiences[0] for c in _claims_of(rejected) if c.audiences)
        yield _of("audience-mismatch", rejected, f"The token was made for {made_for or 'another audience'}.")


def issuer_unknown(case: Case) -> Iterator[Finding]:
    rejected = [rejection for rejection in case.rejections if rejection.message is BARE]
    discovery = case.snapshot.discovery.value
    foreign = [r for r in rejected if (c := _claims(r)) and not (discovery and c.issuer == discovery.issuer)]
    unseen = [rejection for rejection in rejected if rejection.token is None]
    if foreign:
        issuer = next(claims.issuer for claims in _claims_of(foreign))
        own = f"; this one's is {discovery.issuer}" if discovery else ""
        yield _of("issuer-unknown", foreign, f"The token's issuer is {issuer or 'not set'}{own}.")
    elif unseen:
        yield _of(
            "issuer-unknown", unseen, "The API server recognised nothing in what it was sent: not even its issuer."
        )


def token_from_another_cluster(case: Case) -> Iterator[Finding]:
    keys = {key: other.cluster for other in case.snapshot.other_issuers.read() for key in other.discovery.key_ids}
    refused = [rejection for rejection in case.rejections if (c := _claims(rejection)) and c.key_id in keys]
    if refused:
        claims = next(iter(_claims_of(refused)))
        owner = keys[claims.key_id]
        text = f"kid {claims.key_id} is published by cluster {owner}"
        yield found(
            "token-from-another-cluster",
            f"The token was signed by cluster {owner}, and sent to {case.snapshot.target.cluster or 'this one'}.",
            [*_evidence(refused), quote(Route.OBJECT, f"/openid/v1/jwks of cluster {owner}", text)],
        )


def signing_key_unknown(case: Case) -> Iterator[Finding]:
    named = [r for r in case.rejections if r.message.cause == "signing-key-unknown" or _unpublished_key(case, r)]
    if named:
        keys = sorted({claims.key_id for claims in _claims_of(named) if claims.key_id})
        which = f" {keys[0]}" if keys else ""
        yield _of("signing-key-unknown", named, f"The API server publishes no key with the token's kid{which}.")


def signature_invalid(case: Case) -> Iterator[Finding]:
    crypto = [r for r in case.rejected_for("signature-invalid") if not _unpublished_key(case, r)]
    if not crypto:
        return
    if case.snapshot.discovery.gap is None and any(map(_claims, crypto)):
        yield _of(
            "signature-invalid", crypto, "The API server has the key that the token names: the signature is wrong."
        )
    else:
        text = "The signature does not fit; up to 1.30 that is also said of a token whose key is unknown."
        yield _of("signature-invalid", crypto, text, at_most=Certainty.LIKELY)


def _unpublished_key(case: Case, rejection: Rejection) -> bool:
    """Up to 1.30 an unknown kid is told as a cryptographic error, so the published keys decide."""
    discovery, claims = case.snapshot.discovery.value, _claims(rejection)
    is_crypto = rejection.message.cause == "signature-invalid"
    return bool(is_crypto and discovery and claims and claims.key_id not in discovery.key_ids)


def token_malformed(case: Case) -> Iterator[Finding]:
    said = case.rejected_for("token-malformed")
    broken = [token for token in case.seen_tokens if token.malformed]
    if broken:
        evidence = [quote(Route.EXEC, token_source(token), token.problem) for token in broken]
        text = f"What stands in {broken[0].place} is no token."
        yield found("token-malformed", text, [*evidence, *_evidence(said), *_refused_lines(case)])
    elif said:
        yield _of("token-malformed", said, "The API server could read the token's outside, but not its claims.")


def service_account_missing(case: Case) -> Iterator[Finding]:
    if case.snapshot.service_account.read() is None:
        text = f"GET serviceaccounts/{case.pod.spec.service_account_name}: 404, not found"
        said = case.rejected_for("service-account-missing")
        yield found(
            "service-account-missing",
            f"The pod runs as {case.account_name}, which does not exist.",
            [quote(Route.OBJECT, "API server", text), *_evidence(said)],
        )
        return
    seen = [rejection for rejection in case.rejected_for("service-account-missing") if rejection.token]
    if seen:  # the pod's own account is there: the refused token is somebody else's
        names = sorted({c.service_account for c in _claims_of(seen) if c.service_account})
        yield _of("service-account-missing", seen, f"The token's service account {', '.join(names)} does not exist.")


def service_account_recreated(case: Case) -> Iterator[Finding]:
    account = case.snapshot.service_account.read()
    said = case.rejected_for("service-account-recreated")
    born, pod_born = account.metadata.creation_timestamp if account else None, case.pod.metadata.creation_timestamp
    younger = bool(born and pod_born and born > pod_born)
    if not said and not (younger and born):
        return
    evidence = list(_evidence(said))
    if younger and born and pod_born:
        text = f"service account created {utc(born)}, pod created {utc(pod_born)}"
        evidence.append(quote(Route.OBJECT, "creation times", text, born))
    if said or case.refusals:
        evidence += _refused_lines(case)
        text = f"{case.account_name} is younger than the token" + (
            f": created {relative(born, case.now)}." if born else "."
        )
        yield found("service-account-recreated", text, evidence)
    elif born and (heals := born + _longest_until_refresh(case)) > case.now and not _refreshed(case, account):
        text = (
            f"{case.account_name} is younger than the pod. Until the kubelet refreshes the token (by {utc(heals)}, "
            f"{relative(heals, case.now)}) the pod's requests may be refused; then it heals by itself."
        )
        yield found("service-account-recreated", text, evidence, severity=Severity.WARNING, at_most=Certainty.LIKELY)


def _refreshed(case: Case, account: ServiceAccount | None) -> bool:
    """Whether the tokens seen in the containers are all the present account's already."""
    uids = {token.claims.service_account_uid for token in case.snapshot.exec_tokens.value or () if token.claims}
    return account is not None and uids == {account.metadata.uid}


def _longest_until_refresh(case: Case) -> timedelta:
    lifetimes = [mount.expiration_seconds for mount in case.mounts if mount.projected]
    return kubelet.refresh_after(timedelta(seconds=max(lifetimes, default=0))) + kubelet.SLACK


def service_account_terminating(case: Case) -> Iterator[Finding]:
    account = case.snapshot.service_account.read()
    said = case.rejected_for("service-account-terminating")
    leaving = account.metadata.deletion_timestamp if account else None
    if leaving:
        text = f"deletionTimestamp {utc(leaving)}, {relative(leaving, case.now)}"
        yield found(
            "service-account-terminating",
            f"{case.account_name} is being deleted; bound tokens are refused 60 s after its deletion time.",
            [quote(Route.OBJECT, f"service account {case.account_name}", text, leaving), *_evidence(said)],
        )
    elif said and account is not None:
        yield _of(
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
            [quote(Route.OBJECT, str(case.snapshot.target), text, leaving), *_evidence(said)],
        )
    elif said:
        bound = _bound_to(said)
        which = f": it was {bound[0]}" if bound else ""
        yield _of("bound-object-gone", said, f"The token is bound to an object that is gone{which}.")


def bound_object_recreated(case: Case) -> Iterator[Finding]:
    said = case.rejected_for("bound-object-recreated")
    if said:
        bound = _bound_to(said)
        which = bound[0] if bound else "an object of the same name"
        yield _of(
            "bound-object-recreated", said, f"The token belongs to an older {which}; the present one has a new uid."
        )


def _bound_to(rejected: Sequence[Rejection]) -> list[str]:
    """The objects that the refused tokens are bound to, where the tokens were seen."""
    bindings = (binding for c in _claims_of(rejected) for binding in (c.pod, c.bound_secret, c.node) if binding)
    return [f"{binding.kind.lower()} {binding.name}" for binding in bindings]


def token_secret_deleted(case: Case) -> Iterator[Finding]:
    said = case.rejected_for("token-secret-deleted")
    gone = sorted(case.missing_secrets()) if said or case.refusals or _wants_token(case) else []
    if not said and not gone:
        return
    evidence = [quote(Route.OBJECT, "API server", f"GET secrets/{name}: 404, not found") for name in gone]
    names = gone or sorted({c.secret for c in _claims_of(said) if c.secret})
    which = f" {case.snapshot.target.namespace}/{names[0]}" if names else ""
    yield found(
        "token-secret-deleted",
        f"The token's Secret{which} does not exist any more, and with it the token is dead.",
        [*evidence, *_evidence(said), *_refused_lines(case)],
    )


def _wants_token(case: Case) -> bool:
    """Whether a Secret is wanted as a token without doubt: by its key, or where clients look for their token."""
    gone = case.missing_secrets()
    by_key = any(variable.secret in gone and variable.key == "token" for variable in case.variables)
    return by_key or any(mount.secret in gone and "serviceaccount" in mount.path for mount in case.mounts)


def token_secret_replaced(case: Case) -> Iterator[Finding]:
    said = case.rejected_for("token-secret-replaced")
    if said:
        yield _of("token-secret-replaced", said, "The Secret holds another token than the one that was sent.")


def legacy_token_invalidated(case: Case) -> Iterator[Finding]:
    marked = [held for held in case.used_secrets() if held.metadata.labels.legacy_token_invalid_since]
    said = case.rejected_for("legacy-token-invalidated")
    if marked or said:
        evidence = [
            quote(
                Route.OBJECT,
                f"labels of Secret {held.metadata.namespace}/{held.metadata.name}",
                f"kubernetes.io/legacy-token-invalid-since={held.metadata.labels.legacy_token_invalid_since}",
            )
            for held in marked
        ]
        names = ", ".join(held.metadata.name for held in marked)
        which = f" {names}" if names else ""
        yield found(
            "legacy-token-invalidated",
            f"The token of Secret{which} was marked invalid by the legacy token cleaner.",
            [*evidence, *_evidence(said)],
        )


def _of(
    code: str, rejected: Sequence[Rejection], explanation: str, *, at_most: Certainty = Certainty.PROVEN
) -> Finding:
    surest = min((rejection.certainty for rejection in rejected), key=lambda certainty: certainty.rank)
    return found(code, explanation, _evidence(rejected), at_most=max(surest, at_most, key=lambda each: each.rank))


def _evidence(rejected: Sequence[Rejection]) -> list[Evidence]:
    """Every reviewed token, but of a log's many lines the last one: one is proof enough."""
    proofs = [rejection.evidence for rejection in rejected if rejection.token]
    proofs += [rejection.evidence for rejection in rejected if rejection.token is None][-1:]
    claims = [
        quote(Route.EXEC, f"claims of {rejection.token.place}", _in_short(rejection.token.claims))
        for rejection in rejected
        if rejection.token and rejection.token.claims
    ]
    return [*proofs, *claims]


def _in_short(claims: Claims) -> str:
    """The claims that decide, in one line."""
    parts = [
        f"sub {claims.subject}",
        f"aud {', '.join(claims.audiences)}" if claims.audiences else "no aud",
        f"iss {claims.issuer}",
        f"kid {claims.key_id}" if claims.key_id else "no kid",
        f"exp {utc(claims.expires_at)}" if claims.expires_at else "never expires",
    ]
    return " · ".join(parts)


def _refused_lines(case: Case) -> list[Evidence]:
    """The last 401 of the log: proof that it hurts."""
    return [line(signal) for signal in case.refusals[-1:]]


def _claims(rejection: Rejection) -> Claims | None:
    return rejection.token.claims if rejection.token else None


def _claims_of(rejected: Sequence[Rejection]) -> tuple[Claims, ...]:
    return tuple(claims for rejection in rejected if (claims := _claims(rejection)))
