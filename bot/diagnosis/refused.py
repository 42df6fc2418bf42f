"""What the API server says of a refused token, as a finding and its proof."""

from collections.abc import Sequence

from bot.diagnosis.case import Case
from bot.diagnosis.evidence import found, line, quote
from bot.diagnosis.rejections import Rejection
from bot.durations import utc
from bot.model import Certainty, Claims, Evidence, Finding, Route


def refused_for(
    code: str, rejected: Sequence[Rejection], explanation: str, *, at_most: Certainty = Certainty.PROVEN
) -> Finding:
    surest = min((rejection.certainty for rejection in rejected), key=lambda certainty: certainty.rank)
    return found(code, explanation, proofs(rejected), at_most=max(surest, at_most, key=lambda each: each.rank))


def proofs(rejected: Sequence[Rejection]) -> list[Evidence]:
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


def last_refusal(case: Case) -> list[Evidence]:
    """The last 401 of the log: proof that it hurts."""
    return [line(signal) for signal in case.refusals[-1:]]


def claims_of(rejected: Sequence[Rejection]) -> tuple[Claims, ...]:
    return tuple(claims for rejection in rejected if (claims := rejection.claims))
