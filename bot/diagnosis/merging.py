"""The findings, checks, gaps and moments of several reports, each made into one: who has it is said. Pure."""

from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from bot.diagnosis.differences import Traits, difference
from bot.diagnosis.ranking import ordered
from bot.model import CheckResult, CheckStatus, Evidence, Finding, Gap, Moment, Remedy, Report

_MOST_QUOTES = 6
_MOST_REMEDIES = 5
_MOST_NAMES = 5
_MOST_MOMENTS = 30
_MOST_TIMELINES = 4


class Part(Struct, frozen=True):
    """One of several: its name as it is told, and its report. A workload has no traits."""

    name: str
    report: Report
    traits: Traits | None = None

    def status(self, code: str) -> CheckStatus | None:
        """How the check for the cause ended."""
        return next((check.status for check in self.report.checks if check.name == code), None)

    def finding(self, code: str) -> Finding | None:
        return next((finding for finding in self.report.findings if finding.code == code), None)


class Unit(Struct, frozen=True):
    """What the parts are: pods, or workloads. Not all of them are there where they are only the `examined` ones."""

    one: str
    many: str
    examined: bool = False

    @property
    def is_pod(self) -> bool:
        return self.one == "pod"

    @property
    def told(self) -> str:
        return f"examined {self.many}" if self.examined else self.many

    def count(self, number: int) -> str:
        return f"{number} {self.one if number == 1 else self.many}"


def merged_findings(parts: Sequence[Part], unit: Unit) -> tuple[Finding, ...]:
    """Each cause once, the root first."""
    codes = dict.fromkeys(finding.code for part in parts for finding in part.report.findings)
    return ordered([_merged(code, parts, unit) for code in codes])


def _merged(code: str, parts: Sequence[Part], unit: Unit) -> Finding:
    having = [(part, found) for part in parts if (found := part.finding(code))]
    gravest = min((found for _, found in having), key=lambda found: (found.severity.rank, found.certainty.rank))
    return replace(
        gravest,
        explanation=_explained(code, parts, gravest, unit),
        evidence=_evidence(having, unit),
        remedies=_remedies(found for _, found in having),
        involved=tuple(dict.fromkeys(one for _, found in having for one in found.involved)),
        symptoms=(),
    )


def _explained(code: str, parts: Sequence[Part], gravest: Finding, unit: Unit) -> str:
    if len(parts) == 1:
        return gravest.explanation
    having = [part for part in parts if part.finding(code)]
    lacking = [part for part in parts if part.status(code) is CheckStatus.PASSED]
    unsure = [part for part in parts if part.status(code) is CheckStatus.SKIPPED]
    who = f"All {len(parts)} {unit.told}."
    if len(having) < len(parts):
        others = f"; not {names(part.name for part in lacking)}" if lacking and unit.is_pod else ""
        unknown = f"; {names(part.name for part in unsure)} could not be checked for it" if unsure else ""
        who = f"{len(having)} of {len(parts)} {unit.told}: {names(part.name for part in having)}{others}{unknown}."
    apart = difference(
        [each.traits for each in having if each.traits], [each.traits for each in lacking if each.traits]
    )
    texts = {found.explanation for part in having if (found := part.finding(code))}
    where = "" if len(texts) == 1 else f"{next(part.name for part in having if part.finding(code) == gravest)}: "
    alone = [part.name for part in having if not _is_explained(code, part.report)]
    explained = len(alone) < len(having)
    beside = f"In {names(alone)} it stands alone, without the cause that explains it elsewhere." if explained else ""
    return " ".join(filter(None, (who, apart, f"{where}{gravest.explanation}", beside if alone else "")))


def _is_explained(code: str, report: Report) -> bool:
    return any(code in finding.symptoms for finding in report.findings)


def _evidence(having: Sequence[tuple[Part, Finding]], unit: Unit) -> tuple[Evidence, ...]:
    """Of each in turn, so that no one's proof crowds out another's; what several share is quoted once, for all."""
    counted: dict[Evidence, int] = {}
    for _, found in having:
        for piece in found.evidence:
            counted[piece] = counted.get(piece, 0) + 1
    quotes: dict[Evidence, None] = {}
    for turn in range(max(len(found.evidence) for _, found in having)):
        for part, found in having:
            if turn < len(found.evidence):
                piece = found.evidence[turn]
                quotes[piece if counted[piece] > 1 else _named(piece, part, unit)] = None
    return tuple(quotes)[:_MOST_QUOTES]


def _named(piece: Evidence, part: Part, unit: Unit) -> Evidence:
    return replace(piece, source=f"{'pod ' if unit.is_pod else ''}{part.name}: {piece.source}")


def _remedies(findings: Iterable[Finding]) -> tuple[Remedy, ...]:
    return tuple(dict.fromkeys(remedy for found in findings for remedy in found.remedies))[:_MOST_REMEDIES]


def merged_checks(reports: Sequence[Report]) -> tuple[CheckResult, ...]:
    """Each check once, as it ended worst: failed, skipped for a reason that can be mended, skipped, passed."""
    worst: dict[str, CheckResult] = {}
    for report in reports:
        for check in report.checks:
            if check.name not in worst or _rank(check) < _rank(worst[check.name]):
                worst[check.name] = check
    return tuple(worst.values())


def _rank(check: CheckResult) -> tuple[int, bool]:
    grave = (CheckStatus.FAILED, CheckStatus.SKIPPED, CheckStatus.PASSED)
    return grave.index(check.status), not (check.gap and check.gap.kind.spoils)


def merged_gaps(groups: Iterable[Sequence[Gap]]) -> tuple[Gap, ...]:
    return tuple(dict.fromkeys(gap for gaps in groups for gap in gaps))


def merged_timeline(parts: Sequence[Part]) -> tuple[Moment, ...]:
    """Of the gravest few; what befell one of them names it, what befell all is told once."""
    told, alone = parts[:_MOST_TIMELINES], len(parts) == 1
    counted: dict[Moment, int] = {}
    for part in told:
        for moment in part.report.timeline:
            counted[moment] = counted.get(moment, 0) + 1
    moments = dict.fromkeys(
        moment if alone or counted[moment] > 1 or moment.what.startswith(f"pod {part.name} ") else _of(part, moment)
        for part in told
        for moment in part.report.timeline
    )
    return tuple(sorted(moments, key=lambda moment: moment.at))[-_MOST_MOMENTS:]


def _of(part: Part, moment: Moment) -> Moment:
    return replace(moment, what=f"{part.name}: {moment.what}")


def names(some: Iterable[str]) -> str:
    """`a, b and c`, and how many more where there are many."""
    listed = list(some)
    if len(listed) > _MOST_NAMES:
        listed = [*listed[:_MOST_NAMES], f"{len(listed) - _MOST_NAMES} more"]
    return " and ".join(filter(None, (", ".join(listed[:-1]), listed[-1] if listed else "")))
