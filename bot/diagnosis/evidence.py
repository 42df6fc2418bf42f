"""How evidence and findings are made: redacted, cut, and no more certain than their route of proof allows."""

from collections.abc import Iterable
from datetime import datetime

from bot.diagnosis.causes import CAUSES
from bot.diagnosis.signals import Signal
from bot.model import Certainty, ContainerLog, Evidence, Finding, Remedy, Route, SeenToken, Severity
from bot.redact import redact

_LONGEST_QUOTE = 400
_MOST_QUOTES = 5


def quote(route: Route, source: str, text: str, at: datetime | None = None) -> Evidence:
    """A piece of evidence: redacted before it is cut, so that no half of a token is left over."""
    clean = redact(text.strip())
    if len(clean) > _LONGEST_QUOTE:
        clean = f"{clean[:_LONGEST_QUOTE]} …"
    return Evidence(source=redact(source), text=clean, route=route, at=at)


def line(signal: Signal) -> Evidence:
    """The line of the pod's log itself."""
    source = f"log of container {signal.container}" + (", the run before" if signal.previous else "")
    return quote(Route.LOG, source, signal.text, signal.at)


def server_log_source(log: ContainerLog) -> str:
    return f"API server log ({log.pod or log.container})"


def token_source(token: SeenToken) -> str:
    return f"{token.place} ({token.source.value})"


def found(
    code: str,
    explanation: str,
    evidence: Iterable[Evidence],
    *,
    severity: Severity | None = None,
    at_most: Certainty = Certainty.PROVEN,
    remedies: tuple[Remedy, ...] = (),
) -> Finding:
    """A finding of the catalogue's cause; its certainty is the best its evidence's routes can reach, or less."""
    cause = CAUSES[code]
    quotes = tuple(dict.fromkeys(evidence))[:_MOST_QUOTES]
    reached = min(
        (cause.proof.get(piece.route, Certainty.POSSIBLE) for piece in quotes),
        key=lambda certainty: certainty.rank,
        default=Certainty.POSSIBLE,
    )
    return Finding(
        cause=cause,
        severity=severity or cause.severity,
        certainty=max(reached, at_most, key=lambda certainty: certainty.rank),
        explanation=redact(explanation),
        evidence=quotes,
        remedies=remedies or cause.remedies,
    )
