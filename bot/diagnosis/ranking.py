"""Which finding is the root, which are its symptoms, and what they come to together. Pure."""

from collections.abc import Sequence

from msgspec.structs import replace

from bot.diagnosis.checks import CHECKS
from bot.model import CheckResult, Finding, Severity, Verdict


def rank(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Roots before symptoms, the grave before the light, the certain before the possible.

    A finding that another one explains is its symptom, follows it, and is never the root. A last resort falls away
    beside any other critical cause.
    """
    critical = any(f.severity is Severity.CRITICAL and not f.cause.last_resort for f in findings)
    return ordered([finding for finding in findings if not (finding.cause.last_resort and critical)])


def ordered(kept: Sequence[Finding]) -> tuple[Finding, ...]:
    """Each root followed by what it explains."""
    explained = {code for finding in kept for code in _explains(finding, kept)}
    roots = sorted((f for f in kept if f.code not in explained), key=_weight)
    placed: dict[str, Finding] = {}
    for root in roots:
        # A symptom that explains others comes before them: the order is that of cause and effect.
        symptoms = sorted(
            (f for f in kept if f.code in _explains(root, kept)), key=lambda f: (-len(_explains(f, kept)), _weight(f))
        )
        placed[root.code] = replace(root, symptoms=tuple(symptom.code for symptom in symptoms))
        for symptom in symptoms:
            placed.setdefault(symptom.code, symptom)
    return tuple(placed.values())


def _explains(finding: Finding, present: Sequence[Finding]) -> set[str]:
    """The codes present that this finding explains, directly or through another.

    A light finding explains nothing, and none explains what is graver than itself: a mount that may fail one day is
    not why another container is refused now.
    """
    if finding.severity is Severity.INFO:
        return set()
    by_code = {other.code: other for other in present}
    reached: set[str] = set()
    waiting = [finding]
    while waiting:
        for code in waiting.pop().cause.explains:
            other = by_code.get(code)
            if other and other.severity.rank >= finding.severity.rank and code not in {finding.code, *reached}:
                reached.add(code)
                waiting.append(other)
    return reached


def _weight(finding: Finding) -> tuple[bool, int, int]:
    """Advice comes after everything that was found."""
    return finding.cause.practice, finding.severity.rank, finding.certainty.rank


def verdict_of(findings: Sequence[Finding], results: Sequence[CheckResult]) -> Verdict:
    gravest = min((finding.severity for finding in findings), key=lambda severity: severity.rank, default=None)
    if gravest is Severity.CRITICAL:
        return Verdict.CRITICAL
    if gravest is Severity.WARNING:
        return Verdict.WARNING
    return Verdict.UNKNOWN if blind(results) else Verdict.HEALTHY


def blind(results: Sequence[CheckResult]) -> tuple[CheckResult, ...]:
    """The checks that could have found something critical, and could not run for a reason that can be mended."""
    grave = {check.name for check in CHECKS if check.gravest is Severity.CRITICAL}
    return tuple(result for result in results if result.name in grave and result.gap and result.gap.kind.spoils)
