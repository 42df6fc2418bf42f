"""What was concluded."""

from datetime import datetime
from enum import StrEnum

from bot.model.asked import ObjectRef
from bot.model.catalogue import Cause, Certainty, Remedy, Route, Scope, Severity
from bot.model.facets import Gap
from bot.model.noun import Noun


class Verdict(StrEnum):
    HEALTHY = "healthy"
    WARNING = "warning"
    CRITICAL = "critical"
    UNKNOWN = "unknown"


class Evidence(Noun, frozen=True, kw_only=True):
    """A quote with its source, redacted when it is made; `at` is when it was written, where known."""

    source: str
    text: str
    route: Route
    at: datetime | None = None


class Finding(Noun, frozen=True, kw_only=True):
    """A cause at the target."""

    cause: Cause
    severity: Severity
    certainty: Certainty
    explanation: str
    evidence: tuple[Evidence, ...]
    remedies: tuple[Remedy, ...] = ()
    symptoms: tuple[str, ...] = ()

    @property
    def code(self) -> str:
        return self.cause.code


class CheckStatus(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


class CheckResult(Noun, frozen=True, kw_only=True):
    """How one check ended; `reason` says why it was skipped, `gap` from which facet."""

    name: str
    status: CheckStatus
    reason: str = ""
    gap: Gap | None = None


class Moment(Noun, frozen=True, kw_only=True):
    """A line of the timeline."""

    at: datetime
    what: str


class BlastRadius(Noun, frozen=True, kw_only=True):
    """Who else the root cause reaches. `pods` are the names that are known, at most twenty."""

    scope: Scope
    sentence: str
    pods: tuple[str, ...] = ()


class Report(Noun, frozen=True, kw_only=True):
    """The answer: findings ranked so that the root comes first and its symptoms after it."""

    target: ObjectRef
    taken_at: datetime
    verdict: Verdict
    headline: str
    findings: tuple[Finding, ...] = ()
    checks: tuple[CheckResult, ...] = ()
    gaps: tuple[Gap, ...] = ()
    timeline: tuple[Moment, ...] = ()
    blast_radius: BlastRadius | None = None
    endpoints: tuple[str, ...] = ()
    version: str = ""
    took_ms: int = 0
