"""How the API servers authenticate: their flags, their other authenticators, and what they have counted."""

from collections.abc import Iterator, Sequence

from bot.diagnosis.authentication import differing, flags, servers, troubles
from bot.diagnosis.case import Case
from bot.diagnosis.evidence import found, line, quote
from bot.diagnosis.rejections import Rejection
from bot.durations import span
from bot.model import Certainty, Evidence, Finding, Route, Severity, TokenCounts

_REFUSES = {
    "service-account-issuer": {"issuer-unknown"},
    "api-audiences": {"audience-mismatch"},
    "service-account-key-file": {"signing-key-unknown", "signature-invalid"},
}
"""What one API server says of a token that another one accepts, by the flag in which they differ."""


def api_server_flags_differ(case: Case) -> Iterator[Finding]:
    """The same token is accepted by one API server and refused by another: 401s that come and go."""
    found_apart = differing(case)
    if not found_apart:
        return
    decisive = [flag for flag in found_apart if flag in _REFUSES and not _same_set(case, flag)]
    reasons = {rejection.message.cause for rejection in case.rejections}
    refusing = [flag for flag in decisive if _REFUSES[flag] & reasons]
    unexplained = bool(decisive) and not reasons and case.snapshot.logs.gap is None and bool(case.refusals)
    severity = Severity.WARNING if decisive else Severity.INFO
    yield found(
        "api-server-flags-differ",
        "; ".join(f"--{flag}: {words}" for flag, words in found_apart.items()) + ".",
        [flags(server, *(refusing or decisive or found_apart)) for server in servers(case)],
        severity=Severity.CRITICAL if refusing or unexplained else severity,
        at_most=Certainty.LIKELY if refusing else Certainty.POSSIBLE if unexplained else Certainty.PROVEN,
    )


def _same_set(case: Case, flag: str) -> bool:
    """Issuers in another order: each signs with its own, and all are accepted everywhere."""
    return flag == "service-account-issuer" and len({frozenset(server.issuers) for server in servers(case)}) == 1


def oidc_misconfigured(case: Case) -> Iterator[Finding]:
    said = case.rejected_for("oidc-misconfigured")
    lately = list(troubles(case, "oidc-misconfigured"))
    configured = _oidc(case)
    if said:
        text = "What was sent is a token of the API server's OpenID Connect issuer, and it could not check or use it."
        yield found(
            "oidc-misconfigured",
            text,
            [*_quotes(said), *lately[:1], *configured, *map(line, case.refusals[-1:])],
            severity=Severity.CRITICAL,
            at_most=_surest(said),
        )
    elif lately:
        text = (
            "The API server cannot read its OpenID Connect issuer. That concerns those who sign in with it: a service "
            "account's token never goes there."
        )
        yield found("oidc-misconfigured", text, [*lately, *configured], severity=Severity.INFO)


def _oidc(case: Case) -> list[Evidence]:
    return [flags(server, "oidc-issuer-url", "oidc-client-id") for server in servers(case) if server.oidc][:1]


def webhook_authenticator_failing(case: Case) -> Iterator[Finding]:
    said = case.rejected_for("webhook-authenticator-failing")
    lately = list(troubles(case, "webhook-authenticator-failing"))
    # A token that was seen and names an issuer of its own: that issuer is the nearer reason.
    blind = said and not any(rejection.token and rejection.token.claims for rejection in said)
    waits = " Each refusal waits for it." if any(_is_slow(piece.text) for piece in lately) else ""
    if blind:
        text = "Nothing else at the API server knows what was sent, and the webhook that might know it is not reached."
        yield found(
            "webhook-authenticator-failing",
            f"{text}{waits}",
            [*_quotes(said), *lately[:1], *map(line, case.refusals[-1:])],
            severity=Severity.CRITICAL,
            at_most=_surest(said),
        )
    elif lately:
        text = (
            "The API server's webhook for tokens is not reached. It is asked last, about tokens that are refused "
            f"otherwise: it makes no good service account token fail.{waits}"
        )
        yield found("webhook-authenticator-failing", text, lately, severity=Severity.INFO)


def _is_slow(text: str) -> bool:
    """Whether the webhook let it wait; the URL before the reason says `timeout` in any case."""
    _, _, why = text.rpartition('": ')
    return any(words in why for words in ("deadline exceeded", "timeout", "timed out", "request canceled"))


def stale_tokens_in_use(case: Case) -> Iterator[Finding]:
    counts = case.snapshot.token_counts.read()
    if not counts.stale:
        return
    of = f" of {counts.valid + counts.stale}" if counts.valid else ""
    since = f" in {span(case.now - counts.started_at)}" if counts.started_at else " since it started"
    yield found(
        "stale-tokens-in-use",
        f"{counts.stale}{of} tokens that the API server checked{since} were past their hour: some client of this "
        "cluster, not necessarily this one, reads its token once and lives on the extension.",
        [quote(Route.OBJECT, f"/metrics of {counts.endpoint}", _counted(counts), counts.started_at)],
    )


def _counted(counts: TokenCounts) -> str:
    parts = {
        "serviceaccount_stale_tokens_total": counts.stale,
        "serviceaccount_valid_tokens_total": counts.valid,
        "serviceaccount_legacy_tokens_total": counts.legacy,
        'authentication_attempts{result="error"}': counts.refused,
    }
    return ", ".join(f"{name} {value}" for name, value in parts.items() if value is not None)


def _quotes(said: Sequence[Rejection]) -> list[Evidence]:
    """Every reviewed token, but of a log's many lines the last one."""
    return [
        *(each.evidence for each in said if each.token),
        *[each.evidence for each in said if each.token is None][-1:],
    ]


def _surest(said: Sequence[Rejection]) -> Certainty:
    return min((each.certainty for each in said), key=lambda certainty: certainty.rank)
