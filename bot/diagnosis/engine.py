"""Runs the checks over a Snapshot, ranks what they found, and gives the verdict. Pure."""

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from bot.diagnosis.blast import blast_radius
from bot.diagnosis.case import Case
from bot.diagnosis.checks import CHECKS, Check
from bot.diagnosis.clocks import clock_notes
from bot.diagnosis.involved import involved
from bot.diagnosis.ranking import blind, rank, verdict_of
from bot.diagnosis.timeline import timeline
from bot.diagnosis.vendors import vendor_of, where_to_look
from bot.model import CheckResult, CheckStatus, Finding, Gap, GapKind, Report, Snapshot, UnreadError, Verdict


def diagnose(snapshot: Snapshot) -> Report:
    """The answer to a snapshot: the same snapshot always gives the same report."""
    case = Case(snapshot)
    outcomes = [_run(check, case) for check in CHECKS if _applies(check, case)]
    findings = tuple(_fitting(found, case) for found in rank([each for _, found in outcomes for each in found]))
    results = tuple(result for result, _ in outcomes)
    verdict = verdict_of(findings, results)
    vendor = vendor_of(snapshot)
    return Report(
        target=snapshot.target,
        taken_at=case.now,
        verdict=verdict,
        headline=_headline(verdict, findings, results),
        findings=findings,
        checks=results,
        gaps=(*(where_to_look(gap, vendor) for gap in _unread(case)), *clock_notes(snapshot)),
        timeline=timeline(case),
        blast_radius=blast_radius(case, findings),
        endpoints=snapshot.endpoints,
        version=snapshot.version.value.git_version if snapshot.version.value else "",
    )


def _applies(check: Check, case: Case) -> bool:
    """Whether all that the check needs is read for this kind of target."""
    return all((gap := case.facets[name].gap) is None or _is_told(gap) for name in check.needs)


def _unread(case: Case) -> Iterator[Gap]:
    for facet in case.facets.values():
        if facet.unread and _is_told(facet.unread):
            yield facet.unread


def _is_told(gap: Gap) -> bool:
    return gap.kind is not GapKind.NOT_APPLICABLE


def _run(check: Check, case: Case) -> tuple[CheckResult, tuple[Finding, ...]]:
    facets = case.facets
    missing = next((gap for name in check.needs if (gap := facets[name].gap)), None)
    if missing:
        return _skipped(check, missing), ()
    try:
        found = tuple(check.run(case))
    except UnreadError as unread:
        return _skipped(check, unread.gap), ()
    if found:
        return CheckResult(name=check.name, status=CheckStatus.FAILED), found
    looked_at = (facets[name].unread for name in (*check.needs, *check.uses))
    unread_gap = next((gap for gap in looked_at if gap and gap.kind.spoils), None)
    if unread_gap:
        return _skipped(check, unread_gap), ()
    return CheckResult(name=check.name, status=CheckStatus.PASSED), ()


def _skipped(check: Check, gap: Gap) -> CheckResult:
    reason = f"{gap.facet.replace('_', ' ')}: {gap.reason}"
    return CheckResult(name=check.name, status=CheckStatus.SKIPPED, reason=reason, gap=gap)


def _fitting(finding: Finding, case: Case) -> Finding:
    """With the remedies that hold for this API server; of an unknown version all are told, each with its versions."""
    remedies = tuple(remedy for remedy in finding.remedies if remedy.holds_for(case.version))
    if case.version is None:
        remedies = tuple(replace(remedy, text=remedy.dated) for remedy in remedies)
    around = (involved(case),) if any(remedy.action for remedy in remedies) else ()
    return replace(finding, remedies=remedies, involved=around)


def _headline(verdict: Verdict, findings: Sequence[Finding], results: Sequence[CheckResult]) -> str:
    if verdict in {Verdict.CRITICAL, Verdict.WARNING}:
        return findings[0].cause.title
    missed = blind(results)
    if missed:
        return f"Nothing found, but {len(missed)} check{'s' if len(missed) > 1 else ''} could not run"
    if findings and findings[0].code == "recovered":
        return findings[0].cause.title
    passed = sum(result.status is CheckStatus.PASSED for result in results)
    return f"Nothing is wrong with its token: {passed} checks passed"
