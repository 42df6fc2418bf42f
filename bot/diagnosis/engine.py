"""Runs the checks over a Snapshot, ranks what they found, and gives the verdict. Pure."""

from collections.abc import Sequence

from msgspec.structs import replace

from bot.diagnosis.blast import blast_radius
from bot.diagnosis.case import Case
from bot.diagnosis.checks import CHECKS, Check
from bot.diagnosis.timeline import timeline
from bot.model import (
    CheckResult,
    CheckStatus,
    Facet,
    Finding,
    Gap,
    GapKind,
    Report,
    Severity,
    Snapshot,
    UnreadError,
    Verdict,
)


def diagnose(snapshot: Snapshot) -> Report:
    """The answer to a snapshot: the same snapshot always gives the same report."""
    case = Case(snapshot)
    outcomes = [_run(check, case) for check in CHECKS if _applies(check, snapshot)]
    findings = rank([finding for _, found in outcomes for finding in found])
    results = tuple(result for result, _ in outcomes)
    verdict = _verdict(findings, results)
    return Report(
        target=snapshot.target,
        taken_at=snapshot.taken_at,
        verdict=verdict,
        headline=_headline(verdict, findings, results),
        findings=findings,
        checks=results,
        gaps=tuple(gap for facet in _facets(snapshot).values() if (gap := facet.gap) and _is_told(gap)),
        timeline=timeline(case),
        blast_radius=blast_radius(case, findings),
        endpoints=snapshot.endpoints,
        version=snapshot.version.value.git_version if snapshot.version.value else "",
    )


def _applies(check: Check, snapshot: Snapshot) -> bool:
    """Whether all that the check needs is read for this kind of target."""
    facets = _facets(snapshot)
    return all((gap := facets[name].gap) is None or _is_told(gap) for name in check.needs)


def _is_told(gap: Gap) -> bool:
    return gap.kind is not GapKind.NOT_APPLICABLE


def _run(check: Check, case: Case) -> tuple[CheckResult, tuple[Finding, ...]]:
    facets = _facets(case.snapshot)
    missing = next((gap for name in check.needs if (gap := facets[name].gap)), None)
    if missing:
        return _skipped(check, missing), ()
    try:
        found = tuple(check.run(case))
    except UnreadError as unread:
        return _skipped(check, unread.gap), ()
    if found:
        return CheckResult(name=check.name, status=CheckStatus.FAILED), found
    unread_gap = next((gap for name in check.uses if (gap := facets[name].gap) and gap.kind.spoils), None)
    if unread_gap:
        return _skipped(check, unread_gap), ()
    return CheckResult(name=check.name, status=CheckStatus.PASSED), ()


def _skipped(check: Check, gap: Gap) -> CheckResult:
    reason = f"{gap.facet.replace('_', ' ')}: {gap.reason}"
    return CheckResult(name=check.name, status=CheckStatus.SKIPPED, reason=reason, gap=gap)


def _facets(snapshot: Snapshot) -> dict[str, Facet[object]]:
    return {name: value for name in snapshot.__struct_fields__ if isinstance(value := getattr(snapshot, name), Facet)}


def rank(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Roots before symptoms, the grave before the light, the certain before the possible.

    A finding that another one explains is its symptom, follows it, and is never the root. A last resort falls away
    beside any other critical cause.
    """
    critical = any(f.severity is Severity.CRITICAL and not f.cause.last_resort for f in findings)
    kept = [finding for finding in findings if not (finding.cause.last_resort and critical)]
    explained = {code for finding in kept for code in _explains(finding, kept)}
    roots = sorted((f for f in kept if f.code not in explained), key=_weight)
    ordered: dict[str, Finding] = {}
    for root in roots:
        # A symptom that explains others comes before them: the order is that of cause and effect.
        symptoms = sorted(
            (f for f in kept if f.code in _explains(root, kept)), key=lambda f: (-len(_explains(f, kept)), _weight(f))
        )
        ordered[root.code] = replace(root, symptoms=tuple(symptom.code for symptom in symptoms))
        for symptom in symptoms:
            ordered.setdefault(symptom.code, symptom)
    return tuple(ordered.values())


def _explains(finding: Finding, present: Sequence[Finding]) -> set[str]:
    """The codes present that this finding explains, directly or through another; a light finding explains nothing."""
    if finding.severity is Severity.INFO:
        return set()
    by_code = {other.code: other for other in present}
    reached: set[str] = set()
    waiting = [finding]
    while waiting:
        for code in waiting.pop().cause.explains:
            if code in by_code and code not in reached and code != finding.code:
                reached.add(code)
                waiting.append(by_code[code])
    return reached


def _weight(finding: Finding) -> tuple[int, int]:
    return finding.severity.rank, finding.certainty.rank


def _verdict(findings: Sequence[Finding], results: Sequence[CheckResult]) -> Verdict:
    gravest = min((finding.severity for finding in findings), key=lambda severity: severity.rank, default=None)
    if gravest is Severity.CRITICAL:
        return Verdict.CRITICAL
    if gravest is Severity.WARNING:
        return Verdict.WARNING
    return Verdict.UNKNOWN if _blind(results) else Verdict.HEALTHY


def _blind(results: Sequence[CheckResult]) -> tuple[CheckResult, ...]:
    """The checks that could have found something critical, and could not run for a reason that can be mended."""
    grave = {check.name for check in CHECKS if check.gravest is Severity.CRITICAL}
    return tuple(result for result in results if result.name in grave and result.gap and result.gap.kind.spoils)


def _headline(verdict: Verdict, findings: Sequence[Finding], results: Sequence[CheckResult]) -> str:
    if verdict in {Verdict.CRITICAL, Verdict.WARNING}:
        return findings[0].cause.title
    blind = _blind(results)
    if blind:
        return f"Nothing found, but {len(blind)} check{'s' if len(blind) > 1 else ''} could not run"
    if findings and findings[0].code == "recovered":
        return findings[0].cause.title
    passed = sum(result.status is CheckStatus.PASSED for result in results)
    return f"Nothing is wrong with its token: {passed} checks passed"
