"""Explains a token's claims, one line each, in plain words."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from bot.durations import relative, span, utc
from bot.model import Binding, Claims, ClaimsKind, Noun
from bot.redact import redact

# Leeway of the API server's checks of exp and nbf (pkg/serviceaccount/claims.go: jwt.DefaultLeeway).
_LEEWAY = timedelta(seconds=60)
# What --service-account-signing-key-file and the external signer can produce.
_SERVICE_ACCOUNT_ALGORITHMS = frozenset({"RS256", "ES256", "ES384", "ES512"})
_SUBJECT_PREFIX = "system:serviceaccount:"


class ClaimLine(Noun, frozen=True, kw_only=True):
    """A claim's name, its value for a person, and what that means; `bad` where it explains a refusal."""

    claim: str
    value: str
    meaning: str
    bad: bool = False


def explain(claims: Claims, now: datetime) -> tuple[ClaimLine, ...]:
    """What each claim says. Nothing of it was verified. `now` is aware; values are redacted."""
    lines = (
        _kind(claims),
        *_subject(claims),
        *_who_and_for_whom(claims),
        *_times(claims, now),
        *_bindings(claims),
        *_signature(claims),
    )
    return tuple(
        ClaimLine(claim=line.claim, value=redact(line.value), meaning=redact(line.meaning), bad=line.bad)
        for line in lines
    )


def _kind(claims: Claims) -> ClaimLine:
    match claims.kind:
        case ClaimsKind.BOUND:
            value, meaning = ("bound token", "issued by the TokenRequest API; ends with the object it is bound to")
        case ClaimsKind.LEGACY:
            value, meaning = (
                "legacy token",
                "from a token Secret; never expires, ends with that Secret or its account, or when marked invalid",
            )
        case _:
            value, meaning = (
                "foreign token",
                "has no service account claims: only a configured OIDC issuer or webhook accepts it",
            )
    return ClaimLine(claim="kind", value=value, meaning=meaning)


def _subject(claims: Claims) -> Iterator[ClaimLine]:
    account = f"{claims.namespace}/{claims.service_account}"
    if not claims.subject:
        missing = claims.kind is not ClaimsKind.FOREIGN
        meaning = "no subject: the API server refuses it" if missing else "no subject"
        yield ClaimLine(claim="sub", value="none", meaning=meaning, bad=missing)
    elif not claims.subject.startswith(_SUBJECT_PREFIX):
        yield ClaimLine(
            claim="sub",
            value=claims.subject,
            meaning="not a service account",
            bad=claims.kind is not ClaimsKind.FOREIGN,
        )
    else:
        namespace, _, name = claims.subject.removeprefix(_SUBJECT_PREFIX).partition(":")
        agrees = claims.kind is ClaimsKind.FOREIGN or f"{namespace}/{name}" == account
        meaning = f"service account {name} in namespace {namespace}"
        if not agrees:
            meaning += f", but its other claims say {account}: the API server refuses it"
        yield ClaimLine(claim="sub", value=claims.subject, meaning=meaning, bad=not agrees)
    if claims.service_account_uid:
        yield ClaimLine(
            claim="account uid",
            value=claims.service_account_uid,
            meaning="must be the uid of the service account as it is now: a re-created one has another",
        )


def _who_and_for_whom(claims: Claims) -> Iterator[ClaimLine]:
    match claims.kind:
        case ClaimsKind.LEGACY:
            issuer = "the same in every cluster's token Secrets, so it does not say which cluster"
        case ClaimsKind.BOUND:
            issuer = "must be an issuer of the API server (--service-account-issuer)"
        case _:
            issuer = "must be configured at the API server, or it answers 401"
    if claims.issuer:
        yield ClaimLine(claim="iss", value=claims.issuer, meaning=issuer)
    else:
        yield ClaimLine(claim="iss", value="none", meaning="no issuer: no authenticator takes it", bad=True)
    if claims.audiences:
        yield ClaimLine(
            claim="aud",
            value=", ".join(claims.audiences),
            meaning="whom it is meant for: the API server refuses it unless one of these is its own",
        )
    elif claims.kind is ClaimsKind.LEGACY:
        yield ClaimLine(claim="aud", value="none", meaning="legacy tokens have none: meant for the API server")
    else:
        yield ClaimLine(claim="aud", value="none", meaning="no audience: meant for nobody in particular")


def _times(claims: Claims, now: datetime) -> Iterator[ClaimLine]:
    if claims.issued_at:
        ahead = claims.issued_at > now + _LEEWAY
        meaning = f"issued {relative(claims.issued_at, now)}"
        if ahead:
            meaning += ", so a clock is wrong: the API server refuses it until then"
        yield ClaimLine(claim="iat", value=utc(claims.issued_at), meaning=meaning, bad=ahead)
    if claims.not_before:
        yield _not_before(claims.not_before, now)
    yield _expiry(claims, now)
    if claims.warn_after:
        yield _warning(claims, claims.warn_after, now)


def _warning(claims: Claims, when: datetime, now: datetime) -> ClaimLine:
    """Only some tokens have it: `--service-account-extend-token-expiration`, 3607 s, bound to a pod."""
    meaning = "extended token"
    if claims.issued_at and claims.expires_at:
        valid, warned = span(claims.expires_at - claims.issued_at), span(when - claims.issued_at)
        meaning += f": valid for {valid}, warned about after {warned}"
    verb = "passed" if when < now else "comes"
    return ClaimLine(
        claim="warnafter", value=utc(when), meaning=f"{meaning}; the warning time {verb} {relative(when, now)}"
    )


def _not_before(when: datetime, now: datetime) -> ClaimLine:
    early = when > now + _LEEWAY
    meaning = f"became valid {relative(when, now)}"
    if when > now:
        meaning = f"valid {relative(when, now)}"
        meaning += ": the API server refuses it until then" if early else ", within the 60 s of leeway"
    return ClaimLine(claim="nbf", value=utc(when), meaning=meaning, bad=early)


def _expiry(claims: Claims, now: datetime) -> ClaimLine:
    when = claims.expires_at
    if when is None:
        legacy = claims.kind is ClaimsKind.LEGACY
        return ClaimLine(
            claim="exp",
            value="none",
            meaning="never expires" if legacy else "no expiry: the TokenRequest API never issues such a token",
        )
    refused = now > when + _LEEWAY
    meaning = f"expires {relative(when, now)}"
    if now >= when:
        meaning = f"expired {relative(when, now)}"
        meaning += "" if refused else ", still accepted within the 60 s of leeway"
    if claims.issued_at and when > claims.issued_at:
        meaning += f" (lifetime {span(when - claims.issued_at)})"
    return ClaimLine(claim="exp", value=utc(when), meaning=meaning, bad=refused)


def _bindings(claims: Claims) -> Iterator[ClaimLine]:
    if claims.secret:
        yield ClaimLine(
            claim="secret",
            value=claims.secret,
            meaning="the Secret it lives in: deleting it, or filling it with another token, ends this one",
        )
    for binding in (claims.pod, claims.bound_secret):
        if binding:
            yield ClaimLine(claim=binding.kind.lower(), value=_named(binding), meaning=_bound_to(binding))
    if claims.node:
        verified = claims.pod is None
        meaning = "where the pod runs; is not verified by the API server"
        yield ClaimLine(
            claim="node", value=_named(claims.node), meaning=_bound_to(claims.node) if verified else meaning
        )
    bound = claims.pod or claims.bound_secret or claims.node
    if claims.kind is ClaimsKind.BOUND and not bound:
        yield ClaimLine(claim="bound to", value="nothing", meaning="ends with its expiry or its service account")


def _named(binding: Binding) -> str:
    return f"{binding.name} (uid {binding.uid})" if binding.uid else binding.name


def _bound_to(binding: Binding) -> str:
    return f"bound to this {binding.kind}: refused once it is deleted, or re-created with another uid"


def _signature(claims: Claims) -> Iterator[ClaimLine]:
    if claims.token_id:
        yield ClaimLine(claim="jti", value=claims.token_id, meaning="its id, as in audit events (credential-id)")
    if claims.key_id:
        meaning = "the key it says it was signed with: look for it in the API server's /openid/v1/jwks"
        yield ClaimLine(claim="kid", value=claims.key_id, meaning=meaning)
    else:
        yield ClaimLine(claim="kid", value="none", meaning="no key id: the API server tries each of its keys")
    algorithm = claims.algorithm
    if algorithm.lower() == "none":
        yield ClaimLine(claim="alg", value=algorithm, meaning="unsigned: proves nothing", bad=True)
    elif algorithm in _SERVICE_ACCOUNT_ALGORITHMS:
        yield ClaimLine(claim="alg", value=algorithm, meaning="as Kubernetes signs; the signature was not checked here")
    else:
        yield ClaimLine(
            claim="alg",
            value=algorithm,
            meaning="not a service-account algorithm",
            bad=claims.kind is not ClaimsKind.FOREIGN,
        )
