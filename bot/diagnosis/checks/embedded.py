"""Credentials inside Secrets: refused, expired, ending soon, or not to be read at all."""

from collections.abc import Callable, Iterator
from datetime import datetime

from bot.diagnosis.case import Case
from bot.diagnosis.checks.points import Point, told
from bot.diagnosis.evidence import quote
from bot.diagnosis.expiry import LEEWAY, is_near
from bot.diagnosis.layouts import renewal
from bot.durations import relative, utc
from bot.messages import rejections
from bot.model import WINDOW, Certainty, EmbeddedCredential, Evidence, Finding, Layout, Review, Route, Severity, due

_OF_THE_SIGNATURE = frozenset({"signing-key-unknown", "signature-invalid", "issuer-unknown"})
"""What a cluster says of a token that may simply be another one's."""


def kubeconfig_token_expired(case: Case) -> Iterator[Finding]:
    yield from told("kubeconfig-token-expired", [*_expired_tokens(case, lambda one: one.layout.is_kubeconfig)])


def embedded_token_expiring(case: Case) -> Iterator[Finding]:
    """Expired where it is no kubeconfig's, and about to expire wherever it is."""
    points = [*_expired_tokens(case, lambda one: not one.layout.is_kubeconfig)]
    for one in case.snapshot.embedded.read():
        claims = one.claims
        if claims and claims.expires_at and is_near(claims.issued_at, claims.expires_at, case.now):
            points.append(_ending(case, one, "token", claims.expires_at, f"exp {utc(claims.expires_at)}"))
    yield from told("embedded-token-expiring", points)


def kubeconfig_certificate_expiring(case: Case) -> Iterator[Finding]:
    points = []
    for one in case.snapshot.embedded.read():
        held = one.certificate
        if held is None:
            continue
        text = f"client certificate of {held.subject}: notAfter {utc(held.not_after)}"
        if held.not_after < case.now:
            evidence = [quote(Route.OBJECT, one.place, text)]
            points.append(_ended(case, one, "client certificate", held.not_after, evidence))
        elif is_near(held.not_before, held.not_after, case.now):
            points.append(_ending(case, one, "client certificate", held.not_after, text))
    yield from told("kubeconfig-certificate-expiring", points)


def embedded_token_refused(case: Case) -> Iterator[Finding]:
    points = []
    for one in case.snapshot.embedded.read():
        refused = next((review for review in one.reviews if not review.authenticated), None)
        if refused is None or _is_past(case, one) or not _counts(one, refused):
            continue
        meant = rejections(refused.error)
        known = f" (token-doctor explain {meant[0].cause})" if meant else ""
        text = f"Cluster {one.cluster} refuses the token of {one.place}: {refused.error or 'without a reason'}{known}."
        is_used = _is_used(case, one) or one.layout is Layout.TOKEN_SECRET  # it may be used outside the cluster
        severity = Severity.CRITICAL if is_used else Severity.WARNING
        point = Point(text, [_said(one, refused)], severity, remedies=renewal(one.layout), explains=_is_for(case, one))
        points.append(point)
    yield from told("embedded-token-refused", points)


def embedded_credential_broken(case: Case) -> Iterator[Finding]:
    points = [
        Point(
            f"{one.place} {one.problem}.",
            [quote(Route.OBJECT, one.place, one.problem)],
            Severity.WARNING,
            remedies=renewal(one.layout),
            explains=False,
        )
        for one in case.snapshot.embedded.read()
        if one.problem
    ]
    yield from told("embedded-credential-broken", points)


def _expired_tokens(case: Case, wanted: Callable[[EmbeddedCredential], bool]) -> Iterator[Point]:
    for one in case.snapshot.embedded.read():
        ends = one.claims.expires_at if one.claims else None
        if not wanted(one) or ends is None or not _is_past(case, one):
            continue
        said = [_said(one, review) for review in one.reviews if not review.authenticated]
        evidence = [*said, quote(Route.OBJECT, one.place, f"exp {utc(ends)}, by the token's own claims")]
        yield _ended(case, one, "token", ends, evidence)


def _is_past(case: Case, one: EmbeddedCredential) -> bool:
    """By its own claims, unless its cluster still takes it: that clock is the one that counts."""
    ends = one.claims.expires_at if one.claims else None
    return bool(ends and ends + LEEWAY < case.now and not one.is_accepted)


def _ended(case: Case, one: EmbeddedCredential, what: str, ends: datetime, evidence: list[Evidence]) -> Point:
    text = f"The {what} in {one.place} ({one.layout.value}) expired {relative(ends, case.now)}.{_whose(one)}"
    severity = Severity.CRITICAL if _is_used(case, one) else Severity.WARNING
    return Point(text, evidence, severity, _certainty(one), renewal(one.layout), _is_for(case, one))


def _ending(case: Case, one: EmbeddedCredential, what: str, ends: datetime, quoted: str) -> Point:
    within, when = due(ends, case.now, WINDOW).within(WINDOW), relative(ends, case.now)
    text = f"The {what} in {one.place} ({one.layout.value}) expires {within}: {when}.{_whose(one)}"
    evidence = [quote(Route.OBJECT, one.place, quoted)]
    return Point(text, evidence, Severity.WARNING, _certainty(one), renewal(one.layout), explains=False)


def _certainty(one: EmbeddedCredential) -> Certainty:
    return Certainty.LIKELY if _is_unverifiable(one) else Certainty.PROVEN


def _is_for(case: Case, one: EmbeddedCredential) -> bool:
    """Whether it is this cluster's own: what others refuse does not explain what this one does."""
    return one.cluster == case.snapshot.target.cluster


def _is_used(case: Case, one: EmbeddedCredential) -> bool:
    """By the pod that was asked about, by the controller that the layout is made for, or by any pod at all."""
    users = {each.secret for each in case.snapshot.secret_users.value or ()}
    return case.snapshot.pod.gap is None or one.layout.has_controller or one.secret in users


def _is_unverifiable(one: EmbeddedCredential) -> bool:
    return one.claims is not None and not one.reviews


def _whose(one: EmbeddedCredential) -> str:
    """Who has judged it; where nobody has, that these are its own words only."""
    if not _is_unverifiable(one):
        return ""
    where = f"It is for {one.server}, and " if one.server and not one.cluster else ""
    return f" {where}{'n' if where else 'N'}o API server was asked: so its own claims say."


def _counts(one: EmbeddedCredential, refused: Review) -> bool:
    """A refused signature tells nothing where it is not certain that the token is that cluster's."""
    causes = {message.cause for message in rejections(refused.error)}
    return one.certain or not causes <= _OF_THE_SIGNATURE


def _said(one: EmbeddedCredential, review: Review) -> Evidence:
    return quote(Route.REVIEW, f"TokenReview at {review.endpoint}, of {one.place}", review.error or "not authenticated")
