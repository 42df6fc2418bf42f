"""One answer out of several: a workload by its pods, a service account by those that run as it, a namespace. Pure."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from bot.diagnosis.blast import blast_radius_of_many
from bot.diagnosis.differences import traits
from bot.diagnosis.engine import diagnose
from bot.diagnosis.merging import Part, Unit, merged_checks, merged_findings, merged_gaps, merged_timeline
from bot.diagnosis.overall import PODS, WORKLOADS, Whole, headline, notes
from bot.diagnosis.ranking import ordered, verdict_of
from bot.model import Finding, Member, ObjectRef, Report, Survey, Verdict

_GRAVEST_FIRST = (Verdict.CRITICAL, Verdict.WARNING, Verdict.UNKNOWN, Verdict.HEALTHY)
_ONE = frozenset({"Pod", "Secret"})
_TEMPLATE = "The pod template, for new pods"


def conclude(survey: Survey) -> Report:
    """The answer to all that was read."""
    return together(survey, {snapshot.target: diagnose(snapshot) for snapshot in survey.snapshots()})


def together(survey: Survey, reports: Mapping[ObjectRef, Report]) -> Report:
    """The answer, where each snapshot has been diagnosed already."""
    if survey.own and survey.target.kind in _ONE:
        return reports[survey.own.target]
    if survey.target.kind == "Namespace":
        told = [Part(_workload_name(each), together(each, reports)) for each in survey.workloads]
        return _of_many(survey, _gravest_first(told), None, WORKLOADS)
    pods = [Part(snapshot.target.name, reports[snapshot.target], traits(snapshot)) for snapshot in survey.pods]
    own = reports[survey.own.target] if survey.own else None
    return _of_many(survey, _gravest_first(pods), own, PODS)


def _workload_name(survey: Survey) -> str:
    return f"{survey.target.kind.lower()} {survey.target.name}"


def _gravest_first(parts: Sequence[Part]) -> list[Part]:
    def weight(part: Part) -> tuple[int, int, str]:
        certainty = min((found.certainty.rank for found in part.report.findings[:1]), default=0)
        return _GRAVEST_FIRST.index(part.report.verdict), certainty, part.name

    return sorted(parts, key=weight)


def _of_many(survey: Survey, parts: Sequence[Part], own: Report | None, unit: Unit) -> Report:
    reports = [*([own] if own else []), *(part.report for part in parts)]
    unit = replace(unit, examined=len(parts) < survey.total)
    findings = _with_own(merged_findings(parts, unit), own, survey)
    checks = merged_checks(reports)
    gaps = merged_gaps([survey.gaps, *(report.gaps for report in reports)])
    verdict = verdict_of(findings, checks)
    if verdict is Verdict.HEALTHY and any(gap.kind.spoils for gap in survey.gaps):
        verdict = Verdict.UNKNOWN
    first, whole = (reports[0] if reports else None), Whole(survey, parts, unit)
    return Report(
        target=survey.target,
        taken_at=survey.taken_at,
        verdict=verdict,
        headline=headline(whole, verdict, findings, checks),
        findings=findings,
        checks=checks,
        gaps=gaps,
        timeline=merged_timeline(parts) if unit.is_pod else (),
        blast_radius=blast_radius_of_many(survey, findings) if unit.is_pod else None,
        endpoints=tuple(dict.fromkeys(endpoint for report in reports for endpoint in report.endpoints)),
        version=first.version if first else "",
        notes=notes(whole),
        members=tuple(Member(name=part.name, verdict=part.report.verdict, headline=_line(part)) for part in parts),
    )


def _with_own(found: Sequence[Finding], own: Report | None, survey: Survey) -> tuple[Finding, ...]:
    """What was found of the target itself and of none of its pods; of a workload that is its pod template."""
    codes = {finding.code for finding in found}
    extra = [finding for finding in (own.findings if own else ()) if finding.code not in codes]
    if survey.pods and survey.target.kind != "ServiceAccount":
        extra = [replace(each, explanation=f"{_TEMPLATE}: {each.explanation}") for each in extra]
    return ordered([*(replace(each, symptoms=()) for each in found), *extra]) if extra else tuple(found)


def _line(part: Part) -> str:
    """The root in one line; of a workload also how many of its pods have it."""
    if part.report.verdict in {Verdict.CRITICAL, Verdict.WARNING, Verdict.UNKNOWN}:
        return part.report.headline
    return part.report.headline if part.report.members or not part.traits else "nothing is wrong with its token"
