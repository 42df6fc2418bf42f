"""What the API server holds against the token's own words."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from msgspec.structs import replace

from bot.diagnosis.authentication import flags, issuers, servers
from bot.diagnosis.case import Case
from bot.diagnosis.evidence import found, quote, token_source
from bot.diagnosis.refused import claims_of, last_refusal, proofs, refused_for
from bot.diagnosis.rejections import Rejection
from bot.durations import relative, utc
from bot.messages import BARE
from bot.model import Certainty, Claims, Finding, Route
from bot.versions import UNKNOWN_KEYS_REFUSED

_LEEWAY = timedelta(seconds=60)
"""How far exp, nbf, iat and a bound object's deletion may be off (`claims.go`)."""


def token_expired(case: Case) -> Iterator[Finding]:
    rejected = case.rejected_for("token-expired")
    if rejected:
        yield refused_for("token-expired", rejected, _when_expired(case, rejected))
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
        starts = [claims.not_before for claims in claims_of(rejected) if claims.not_before]
        ahead = f" It becomes valid {relative(starts[0], case.now)}." if starts else ""
        yield refused_for(
            "token-not-yet-valid", rejected, f"The API server's clock is behind the token's times.{ahead}"
        )


def audience_mismatch(case: Case) -> Iterator[Finding]:
    rejected = case.rejected_for("audience-mismatch")
    if rejected:
        quoted = rejected[0].message.regex.search(rejected[0].evidence.text.replace('\\"', '"'))
        groups = quoted.groupdict() if quoted else {}
        made_for = groups.get("audiences") or ", ".join(c.audiences[0] for c in claims_of(rejected) if c.audiences)
        text = f"The token was made for {made_for or 'another audience'}."
        yield _with_flags(
            case, refused_for("audience-mismatch", rejected, text), "api-audiences", "service-account-issuer"
        )


def _with_flags(case: Case, finding: Finding, *names: str) -> Finding:
    """With the flags that say what the API server accepts, where they are visible."""
    if not (found_servers := servers(case)):
        return finding
    return replace(finding, evidence=(*finding.evidence, flags(found_servers[0], *names)))


def issuer_unknown(case: Case) -> Iterator[Finding]:
    rejected = [rejection for rejection in case.rejections if rejection.message is BARE]
    discovery = case.snapshot.discovery.value
    foreign = [r for r in rejected if (c := r.claims) and not (discovery and c.issuer == discovery.issuer)]
    unseen = [rejection for rejection in rejected if rejection.token is None]
    if foreign:
        claims = next(iter(claims_of(foreign)))
        own = ", ".join(issuers(case)) or (discovery.issuer if discovery else "")
        text = f"The token's issuer is {claims.issuer or 'not set'}" + (f"; accepted here: {own}." if own else ".")
        yield _with_flags(
            case, refused_for("issuer-unknown", foreign, text + _changed(case, claims)), "service-account-issuer"
        )
    elif unseen:
        text = "The API server recognised nothing in what it was sent: not even its issuer."
        yield _with_flags(case, refused_for("issuer-unknown", unseen, text), "service-account-issuer")


def _changed(case: Case, claims: Claims) -> str:
    """Only this cluster knows its service account's uid, so its issuer must have been another one."""
    account = case.snapshot.service_account.value
    if not account or not account.metadata.uid or claims.service_account_uid != account.metadata.uid:
        return ""
    return (
        f" It names {case.account_name} by its uid, so this cluster made it: the issuer was changed since, and the "
        "former one is not accepted beside the new one."
    )


def token_from_another_cluster(case: Case) -> Iterator[Finding]:
    keys = {key: other.cluster for other in case.snapshot.other_issuers.read() for key in other.discovery.key_ids}
    refused = [rejection for rejection in case.rejections if (c := rejection.claims) and c.key_id in keys]
    if refused:
        claims = next(iter(claims_of(refused)))
        owner = keys[claims.key_id]
        text = f"kid {claims.key_id} is published by cluster {owner}"
        yield found(
            "token-from-another-cluster",
            f"The token was signed by cluster {owner}, and sent to {case.snapshot.target.cluster or 'this one'}.",
            [*proofs(refused), quote(Route.OBJECT, f"/openid/v1/jwks of cluster {owner}", text)],
        )


def signing_key_unknown(case: Case) -> Iterator[Finding]:
    named = [r for r in case.rejections if r.message.cause == "signing-key-unknown" or _unpublished_key(case, r)]
    if named:
        keys = sorted({claims.key_id for claims in claims_of(named) if claims.key_id})
        which = f" {keys[0]}" if keys else ""
        yield refused_for("signing-key-unknown", named, f"The API server publishes no key with the token's kid{which}.")


def signature_invalid(case: Case) -> Iterator[Finding]:
    crypto = [r for r in case.rejected_for("signature-invalid") if not _unpublished_key(case, r)]
    if not crypto:
        return
    if case.snapshot.discovery.gap is None and any(rejection.claims for rejection in crypto):
        yield refused_for(
            "signature-invalid", crypto, "The API server has the key that the token names: the signature is wrong."
        )
    elif case.version and case.version >= UNKNOWN_KEYS_REFUSED:
        yield refused_for(
            "signature-invalid", crypto, "The signature does not fit: the token was cut, edited or forged."
        )
    else:
        text = "The signature does not fit; up to 1.30 that is also said of a token whose key is unknown."
        yield refused_for("signature-invalid", crypto, text, at_most=Certainty.LIKELY)


def _unpublished_key(case: Case, rejection: Rejection) -> bool:
    """Up to 1.30 an unknown kid is told as a cryptographic error, so the published keys decide."""
    discovery, claims = case.snapshot.discovery.value, rejection.claims
    is_crypto = rejection.message.cause == "signature-invalid"
    return bool(is_crypto and discovery and claims and claims.key_id not in discovery.key_ids)


def token_malformed(case: Case) -> Iterator[Finding]:
    said = case.rejected_for("token-malformed")
    broken = [token for token in case.seen_tokens if token.malformed]
    if broken:
        evidence = [quote(Route.EXEC, token_source(token), token.problem) for token in broken]
        text = f"What stands in {broken[0].place} is no token."
        yield found("token-malformed", text, [*evidence, *proofs(said), *last_refusal(case)])
    elif said:
        yield refused_for("token-malformed", said, "The API server could read the token's outside, but not its claims.")
