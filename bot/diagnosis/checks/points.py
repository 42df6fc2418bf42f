"""One finding for several objects that have the same: a report names each cause once."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from bot.diagnosis.evidence import found
from bot.model import Certainty, Evidence, Finding, Remedy, Severity

_MOST_TOLD = 3


class Point(NamedTuple):
    """What is wrong with one object. `explains`: the symptoms of its cause may come from it, if it is critical."""

    text: str
    evidence: Sequence[Evidence]
    severity: Severity
    certainty: Certainty = Certainty.PROVEN
    remedies: tuple[Remedy, ...] = ()
    explains: bool = True


def told(code: str, points: Sequence[Point]) -> Iterator[Finding]:
    """One finding of all the points, the gravest first; none of none."""
    ranked = sorted(points, key=lambda point: (point.severity.rank, point.certainty.rank))
    if not ranked:
        return
    more = f" And {len(ranked) - _MOST_TOLD} more." if len(ranked) > _MOST_TOLD else ""
    finding = found(
        code,
        " ".join(point.text for point in ranked[:_MOST_TOLD]) + more,
        [piece for point in ranked for piece in point.evidence],
        severity=ranked[0].severity,
        at_most=ranked[0].certainty,
        remedies=tuple(dict.fromkeys(remedy for point in ranked for remedy in point.remedies)),
    )
    if not any(point.explains and point.severity is Severity.CRITICAL for point in ranked):
        # What still works, or is for another cluster, must not hide why this one refuses.
        finding = replace(finding, cause=replace(finding.cause, explains=()))
    yield finding
