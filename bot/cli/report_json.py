"""A report as JSON, schema 1: the outward contract. A key that changes here is a breaking change."""

import msgspec
from msgspec import Struct

from bot.model import CheckResult, Finding, Gap, Report
from bot.redact import redact


class Target(Struct, frozen=True, kw_only=True):
    cluster: str
    namespace: str
    kind: str
    name: str


class Evidence(Struct, frozen=True, kw_only=True):
    source: str
    text: str


class Remedy(Struct, frozen=True, kw_only=True):
    action: str | None
    text: str


class FindingLine(Struct, frozen=True, kw_only=True):
    code: str
    severity: str
    certainty: str
    title: str
    explanation: str
    symptoms: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    remedies: tuple[Remedy, ...]
    runbook: str


class CheckLine(Struct, frozen=True, kw_only=True):
    name: str
    status: str
    reason: str


class GapLine(Struct, frozen=True, kw_only=True):
    facet: str
    reason: str
    mend: str


class ReportDocument(Struct, frozen=True, kw_only=True):
    schema: int
    target: Target
    verdict: str
    findings: tuple[FindingLine, ...]
    checks: tuple[CheckLine, ...]
    gaps: tuple[GapLine, ...]
    took_ms: int


def report_json(report: Report) -> str:
    """The report, indented, every text redacted once more."""
    target = report.target
    document = ReportDocument(
        schema=1,
        target=Target(cluster=target.cluster, namespace=target.namespace, kind=target.kind, name=target.name),
        verdict=report.verdict,
        findings=tuple(map(_finding, report.findings)),
        checks=tuple(map(_check, report.checks)),
        gaps=tuple(map(_gap, report.gaps)),
        took_ms=report.took_ms,
    )
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


def _finding(finding: Finding) -> FindingLine:
    return FindingLine(
        code=finding.code,
        severity=finding.severity,
        certainty=finding.certainty,
        title=finding.cause.title,
        explanation=redact(finding.explanation),
        symptoms=finding.symptoms,
        evidence=tuple(
            Evidence(source=redact(evidence.source), text=redact(evidence.text)) for evidence in finding.evidence
        ),
        remedies=tuple(Remedy(action=remedy.action, text=redact(remedy.text)) for remedy in finding.remedies),
        runbook=f"token-doctor explain {finding.code}",
    )


def _check(check: CheckResult) -> CheckLine:
    return CheckLine(name=check.name, status=check.status, reason=redact(check.reason))


def _gap(gap: Gap) -> GapLine:
    return GapLine(facet=gap.facet, reason=redact(gap.reason), mend=redact(gap.mend))
