"""What the API servers publish of their keys: whether they agree among themselves, and whether others can read it."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from enum import StrEnum
from itertools import combinations
from typing import NamedTuple

from bot.diagnosis.case import Case
from bot.diagnosis.evidence import found, line, quote, token_source
from bot.diagnosis.signals import SignalKind
from bot.durations import relative
from bot.messages import rejections
from bot.model import Certainty, EndpointDiscovery, Evidence, Finding, Review, Route, SeenToken, Severity, TokenSource

_ABOUT_KEYS = frozenset({"signing-key-unknown", "signature-invalid", "issuer-unknown"})
_JUST_FILLED = timedelta(hours=1)
"""A key that was changed since is another story: `signing-key-unknown`."""


class _Signer(StrEnum):
    API_SERVER = "the API server"
    CONTROLLER_MANAGER = "the controller manager"


class _Sign(NamedTuple):
    """One thing that says that who signs and who checks do not agree."""

    text: str
    evidence: Sequence[Evidence]
    severity: Severity = Severity.CRITICAL
    certainty: Certainty = Certainty.PROVEN


def signing_keys_disagree(case: Case) -> Iterator[Finding]:
    signs = [*_judged_differently(case), *_fresh_and_refused(case), *_published_differ(case)]
    if signs:
        gravest = min(signs, key=lambda sign: (sign.severity.rank, sign.certainty.rank))
        yield found(
            "signing-keys-disagree",
            " ".join(sign.text for sign in signs),
            [piece for sign in signs for piece in sign.evidence],
            severity=gravest.severity,
            at_most=gravest.certainty,
        )


def _judged_differently(case: Case) -> Iterator[_Sign]:
    """One API server accepts a token, another one does not know its key."""
    for token in _tokens(case):
        accepted = [review for review in token.reviews if review.authenticated]
        refused = [review for review in token.reviews if _is_about_keys(review)]
        pairs = [(yes, no) for yes in accepted for no in refused if yes.audiences == no.audiences]
        if pairs:
            yes, no = pairs[0]
            yield _Sign(
                f"{token.place}: accepted at {yes.endpoint}, refused at {no.endpoint}.",
                [_reviewed(token, no), _reviewed(token, yes)],
            )
            return


def _fresh_and_refused(case: Case) -> Iterator[_Sign]:
    """Nobody knows the key of a token that was signed a moment ago: whoever signed it has another one."""
    for token in _tokens(case):
        refused = [review for review in token.reviews if _is_about_keys(review) and not review.audiences]
        signer, when = _signed(case, token)
        if signer and refused and not any(review.authenticated for review in token.reviews):
            hurts = signer is _Signer.API_SERVER or token.secret or _uses_secrets(case)
            yield _Sign(
                f"{token.place}: signed {when} by {signer}, and no API server knows its key.",
                [_reviewed(token, review) for review in refused[:2]],
                Severity.CRITICAL if hurts else Severity.WARNING,
                Certainty.LIKELY if token.secret else Certainty.PROVEN,
            )
            return


def _signed(case: Case, token: SeenToken) -> tuple[_Signer | None, str]:
    """By whom and when; by nobody where it may have been signed long ago with a key that was right then."""
    if token.source is TokenSource.PROBE:
        return _Signer.API_SERVER, "just now"
    if token.source is not TokenSource.SECRET:
        return None, ""
    if not token.secret:  # the throw-away one
        return _Signer.CONTROLLER_MANAGER, "just now"
    found_ = case.snapshot
    held = [*(found_.secrets.value or ()), *(each.secret for each in found_.referenced_secrets.value or ())]
    born = next((h.metadata.creation_timestamp for h in held if h and h.metadata.name == token.secret), None)
    if born is None or case.now - born > _JUST_FILLED:
        return None, ""
    return _Signer.CONTROLLER_MANAGER, relative(born, case.now)


def _uses_secrets(case: Case) -> bool:
    if case.snapshot.target.kind == "Secret":
        return True
    return any(each.is_token for each in case.snapshot.referenced_secrets.value or ())


def _published_differ(case: Case) -> Iterator[_Sign]:
    """Keys that one API server publishes and another does not. Half-way through a rotation they differ, and overlap."""
    keys = {each.endpoint: frozenset(each.discovery.key_ids) for each in asked(case) if each.discovery}
    differing = [(one, other) for one, other in combinations(keys, 2) if keys[one] != keys[other]]
    if not differing:
        return
    versions = {each.endpoint: each.version for each in asked(case)}
    evidence = [
        quote(
            Route.OBJECT,
            f"/openid/v1/jwks at {endpoint}" + (f" ({versions[endpoint]})" if versions[endpoint] else ""),
            f"kid {', '.join(sorted(found_)) or '(none)'}",
        )
        for endpoint, found_ in keys.items()
    ]
    lacking = next(((one, other) for one, other in differing if not keys[one] & keys[other]), None)
    one, other = lacking or differing[0]
    text = f"{one} and {other} publish different keys" + (": not one in common." if lacking else ".")
    yield _Sign(text, evidence, _how_grave(case, frozenset().union(*keys.values()), disjoint=lacking is not None))


def _how_grave(case: Case, published: frozenset[str], *, disjoint: bool) -> Severity:
    """Not grave in itself, unless nothing fits; and not the reason where the refused token's key is nowhere known."""
    refused = [token for token in case.seen_tokens if any(_is_about_keys(review) for review in token.reviews)]
    keys = {token.claims.key_id for token in refused if token.claims and token.claims.key_id}
    if keys and not keys & published:
        return Severity.INFO
    logged = case.rejections if case.snapshot.pod.gap is None else ()
    complained = any(rejection.message.cause in _ABOUT_KEYS for rejection in logged)
    return Severity.CRITICAL if disjoint or complained else Severity.WARNING


def asked(case: Case) -> tuple[EndpointDiscovery, ...]:
    """Every API server that said what it publishes: the configured address first."""
    main, version = case.snapshot.discovery.value, case.snapshot.version.value
    first = [
        EndpointDiscovery(
            endpoint=case.snapshot.endpoints[0], version=version.git_version if version else "", discovery=main
        )
    ] if main and case.snapshot.endpoints else []  # fmt: skip
    return (*first, *(case.snapshot.endpoint_discoveries.value or ()))


def _tokens(case: Case) -> tuple[SeenToken, ...]:
    probe = case.snapshot.controller_probe.value
    return (*case.seen_tokens, *([probe.token] if probe and probe.token else []))


def _is_about_keys(review: Review) -> bool:
    return not review.authenticated and any(m.cause in _ABOUT_KEYS for m in rejections(review.error))


def _reviewed(token: SeenToken, review: Review) -> Evidence:
    source = f"TokenReview at {review.endpoint}, of {token_source(token)}"
    key = f" (kid {token.claims.key_id})" if token.claims and token.claims.key_id else ""
    return quote(Route.REVIEW, source, f"{'accepted' if review.authenticated else review.error}{key}")


def issuer_discovery_broken(case: Case) -> Iterator[Finding]:
    issuer = case.snapshot.issuer_publication.read()
    for_others = case.snapshot.pod.gap is None and any(case.foreign(mount.audience) for mount in case.mounts)
    refused = case.ongoing(SignalKind.ELSEWHERE) if case.snapshot.logs.gap is None else ()
    proof = list(map(line, refused[-1:]))
    if issuer.unpublished:
        if for_others:
            text = "The API server publishes no issuer, and the pod has a token that others should check."
            answer = quote(Route.OBJECT, "GET /.well-known/openid-configuration", issuer.configuration_problem or "404")
            yield found("issuer-discovery-broken", text, [answer, *proof])
        return
    broken = list(_bad_answers(case))
    if broken:
        text = "What the API server publishes for outside verifiers is broken."
        jwks = [quote(Route.OBJECT, "jwks_uri", issuer.jwks_uri)] if issuer.jwks_uri else []
        yield found("issuer-discovery-broken", text, [*broken, *jwks, *proof])
    elif issuer.readable is False:
        text = "Service accounts may not read the published keys: a verifier that asks as one is answered 403."
        binding = "the binding system:service-account-issuer-discovery does not allow it"
        yield found(
            "issuer-discovery-broken",
            text,
            [quote(Route.OBJECT, "SubjectAccessReview for get /openid/v1/jwks", f"not allowed: {binding}"), *proof],
            severity=Severity.INFO,  # some take the binding away on purpose, and give it to their verifier alone
            at_most=Certainty.POSSIBLE,
        )


def _bad_answers(case: Case) -> Iterator[Evidence]:
    issuer = case.snapshot.issuer_publication.read()
    if issuer.configuration_problem:
        yield quote(Route.OBJECT, "GET /.well-known/openid-configuration", issuer.configuration_problem)
    if issuer.keys_problem:
        yield quote(Route.OBJECT, "GET /openid/v1/jwks", issuer.keys_problem)
    elif issuer.keys == 0:
        yield quote(Route.OBJECT, "GET /openid/v1/jwks", "no keys at all")
    published = {each.endpoint: each.discovery.issuer for each in asked(case) if each.discovery}
    if len(set(published.values())) > 1:
        for endpoint, name in published.items():
            yield quote(Route.OBJECT, f"/.well-known/openid-configuration at {endpoint}", f"issuer {name}")
