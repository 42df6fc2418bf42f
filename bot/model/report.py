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


class Involved(Noun, frozen=True, kw_only=True):
    """The objects around a target, each with its uid: what an action against a finding would be done to.

    `maker` is the kind of the pod's own controller. `secrets` are token Secrets that the target uses or is, `marked`
    those of them that the cleaner has marked invalid, `unused` those that nobody is known to use; `gone` are names of
    such that do not exist. `token_in_spec`: a token stands in the pod's spec itself, so a new pod has the same one.
    """

    workload: ObjectRef | None = None
    pod: ObjectRef | None = None
    maker: str = ""
    account: ObjectRef | None = None
    secrets: tuple[ObjectRef, ...] = ()
    marked: tuple[ObjectRef, ...] = ()
    unused: tuple[ObjectRef, ...] = ()
    gone: tuple[str, ...] = ()
    token_in_spec: bool = False


class Finding(Noun, frozen=True, kw_only=True):
    """A cause at the target. `involved` is told where a remedy is an action: one for each pod that has the cause."""

    cause: Cause
    severity: Severity
    certainty: Certainty
    explanation: str
    evidence: tuple[Evidence, ...]
    remedies: tuple[Remedy, ...] = ()
    symptoms: tuple[str, ...] = ()
    involved: tuple[Involved, ...] = ()

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


class Member(Noun, frozen=True, kw_only=True):
    """One of those that a target was answered by, in one line: a pod of a workload, or a workload of a namespace."""

    name: str
    verdict: Verdict
    headline: str


class Report(Noun, frozen=True, kw_only=True):
    """The answer: findings ranked so that the root comes first and its symptoms after it.

    `notes` are sentences about the target as a whole, such as how many of its pods were examined; `members` are those
    pods, or a namespace's workloads, the gravest first.
    """

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
    notes: tuple[str, ...] = ()
    members: tuple[Member, ...] = ()

    @property
    def faults(self) -> tuple[Finding, ...]:
        """The findings that are about what is wrong, the root first."""
        advice = {finding.code for finding in self.advice}
        return tuple(finding for finding in self.findings if finding.code not in advice)

    @property
    def advice(self) -> tuple[Finding, ...]:
        """The findings that are good practice only: told apart from the cause, and never in the headline."""
        symptoms = {code for finding in self.findings for code in finding.symptoms}
        return tuple(each for each in self.findings if each.cause.practice and each.code not in symptoms)

    @property
    def unwell(self) -> tuple[Member, ...]:
        """The members of which there is something to say."""
        return tuple(member for member in self.members if member.verdict is not Verdict.HEALTHY)

    @property
    def well(self) -> tuple[Member, ...]:
        return tuple(member for member in self.members if member.verdict is Verdict.HEALTHY)
