"""The nouns. All are frozen; all times are aware and in UTC."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

from msgspec import Struct

from bot import objects

T = TypeVar("T")


class Noun(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A frozen value that can be written to JSON and read back."""


# --- what was asked for -------------------------------------------------------------------------------------


class Target(Noun, frozen=True, kw_only=True):
    """What a person asked for: `[cluster:]namespace/[kind/]name`; "" means not said."""

    namespace: str
    name: str
    kind: str = ""
    cluster: str = ""

    def __str__(self) -> str:
        cluster = f"{self.cluster}:" if self.cluster else ""
        kind = f"{self.kind}/" if self.kind else ""
        return f"{cluster}{self.namespace}/{kind}{self.name}"


class ObjectRef(Noun, frozen=True, kw_only=True):
    """What a Target was resolved to."""

    cluster: str
    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str = ""

    def __str__(self) -> str:
        return f"{self.kind.lower()} {self.namespace}/{self.name}"


class Routes(Noun, frozen=True, kw_only=True):
    """Which of the stronger routes to a token are switched on. All of them are off by default."""

    exec: bool = False
    probe: bool = False
    secret_data: bool = False


# --- what was read ------------------------------------------------------------------------------------------


class Rule(Noun, frozen=True, kw_only=True):
    """One RBAC rule. An empty namespace means that a ClusterRole is needed."""

    verb: str
    resource: str
    group: str = ""
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        group = f".{self.group}" if self.group else ""
        where = f"in namespace {self.namespace}" if self.namespace else "in a ClusterRole"
        return f"{self.verb} {self.resource}{group} {where}"

    def as_yaml(self) -> str:
        """The line to put under `rules:` of a Role or ClusterRole; a resource with a slash first is a bare path."""
        if self.resource.startswith("/"):
            return f'- {{nonResourceURLs: ["{self.resource}"], verbs: ["{self.verb}"]}}'
        return f'- {{apiGroups: ["{self.group}"], resources: ["{self.resource}"], verbs: ["{self.verb}"]}}'


class GapKind(StrEnum):
    """Why a facet was not read. The first three spoil a healthy verdict, the last two do not."""

    DENIED = "denied"
    TIMED_OUT = "timed out"
    UNAVAILABLE = "unavailable"
    SWITCHED_OFF = "switched off"
    UNOBSERVABLE = "unobservable"

    @property
    def spoils(self) -> bool:
        return self in {GapKind.DENIED, GapKind.TIMED_OUT, GapKind.UNAVAILABLE}


class Gap(Noun, frozen=True, kw_only=True):
    """A facet that was not read: never taken for absent or healthy."""

    facet: str
    kind: GapKind
    reason: str
    mend: str = ""
    rule: Rule | None = None


class UnreadError(Exception):
    """Raised by `Facet.read()` when the facet is a Gap; the engine turns it into a skipped check."""

    def __init__(self, gap: Gap) -> None:
        super().__init__(gap.reason)
        self.gap = gap


class Facet(Noun, Generic[T], frozen=True, kw_only=True):
    """One thing read about the target: a value, or the Gap that says why there is none.

    `T` may include None where absence is itself an answer (a service account that does not exist).
    """

    value: T | None = None
    gap: Gap | None = None

    def read(self) -> T:
        """The value; raises UnreadError where there is a Gap."""
        if self.gap is not None:
            raise UnreadError(self.gap)
        return self.value  # type: ignore[return-value]  # without a Gap the value is a T, which may include None


class LogLine(Noun, frozen=True, kw_only=True):
    """A redacted line; `at` is the node's clock when the kubelet received it."""

    text: str
    at: datetime | None = None


class ContainerLog(Noun, frozen=True, kw_only=True):
    """The last lines of one run of a container; `truncated` when older lines exist and were not read."""

    container: str
    lines: tuple[LogLine, ...] = ()
    previous: bool = False
    truncated: bool = False
    pod: str = ""


class ReferencedSecret(Noun, frozen=True, kw_only=True):
    """A Secret that the pod mounts or reads into its environment; `secret` is None when there is none."""

    name: str
    secret: objects.Named | None = None
    type: str = ""

    @property
    def is_token(self) -> bool:
        return self.type == "kubernetes.io/service-account-token"


class Discovery(Noun, frozen=True, kw_only=True):
    """The API server's issuer and the key ids it publishes."""

    issuer: str
    key_ids: tuple[str, ...] = ()
    algorithms: tuple[str, ...] = ()


class ClusterIssuer(Noun, frozen=True, kw_only=True):
    """What another configured cluster publishes."""

    cluster: str
    discovery: Discovery


class Access(Noun, frozen=True, kw_only=True):
    """A SubjectAccessReview's answer to a request that the pod's log says was refused."""

    user: str
    rule: Rule
    allowed: bool
    reason: str = ""


class Binding(Noun, frozen=True, kw_only=True):
    """The object a bound token lives and dies with."""

    kind: str
    name: str
    uid: str = ""


class ClaimsKind(StrEnum):
    BOUND = "bound"
    LEGACY = "legacy"
    FOREIGN = "foreign"


class Claims(Noun, frozen=True, kw_only=True):
    """A token's own words. Nothing here was verified: only the API server can say whether it is true.

    `warn_after` set means an extended token: valid for a year, warned about after an hour.
    """

    kind: ClaimsKind
    algorithm: str
    key_id: str = ""
    issuer: str = ""
    subject: str = ""
    audiences: tuple[str, ...] = ()
    issued_at: datetime | None = None
    not_before: datetime | None = None
    expires_at: datetime | None = None
    warn_after: datetime | None = None
    token_id: str = ""
    namespace: str = ""
    service_account: str = ""
    service_account_uid: str = ""
    secret: str = ""
    pod: Binding | None = None
    node: Binding | None = None
    bound_secret: Binding | None = None


class Review(Noun, frozen=True, kw_only=True):
    """A TokenReview's answer: the API server's own verdict. `audiences` is what was asked for, () its own."""

    endpoint: str
    authenticated: bool
    user: str = ""
    error: str = ""
    audiences: tuple[str, ...] = ()


class Route(StrEnum):
    """How a fact was come by: the certainty of a finding depends on it."""

    REVIEW = "TokenReview"
    OBJECT = "object state"
    EVENT = "event"
    LOG = "log line"
    EXEC = "exec"


class TokenSource(StrEnum):
    """Where a token was seen."""

    EXEC = "exec"
    SECRET = "secret data"  # noqa: S105  # a source's name, not a password
    POD_SPEC = "pod spec"
    PROBE = "probe"


class SeenToken(Noun, frozen=True, kw_only=True):
    """A token that was seen, decoded, reviewed and dropped. `place` says where, for a person.

    `problem` says why there are no claims; `malformed` that it was read and is no token. `path` is the file in the
    container, when it was one.
    """

    source: TokenSource
    place: str
    container: str = ""
    path: str = ""
    secret: str = ""
    claims: Claims | None = None
    problem: str = ""
    malformed: bool = False
    reviews: tuple[Review, ...] = ()


class Snapshot(Noun, frozen=True, kw_only=True):
    """All that was read at one instant. Each facet is documented where it is read, in `bot/kube/facets/`."""

    target: ObjectRef
    taken_at: datetime
    endpoints: tuple[str, ...] = ()
    routes: Routes = Routes()
    version: Facet[objects.Version]
    pod: Facet[objects.Pod]
    owners: Facet[tuple[objects.Named, ...]]
    namespace: Facet[objects.Named | None]
    service_account: Facet[objects.ServiceAccount | None]
    events: Facet[tuple[objects.Event, ...]]
    logs: Facet[tuple[ContainerLog, ...]]
    token_secrets: Facet[tuple[objects.Named, ...]]
    referenced_secrets: Facet[tuple[ReferencedSecret, ...]]
    peers: Facet[tuple[str, ...]]
    node: Facet[objects.Named | None]
    discovery: Facet[Discovery]
    other_issuers: Facet[tuple[ClusterIssuer, ...]]
    api_servers: Facet[tuple[str, ...]]
    api_server_logs: Facet[tuple[ContainerLog, ...]]
    access: Facet[tuple[Access, ...]]
    spec_tokens: Facet[tuple[SeenToken, ...]]
    secret_tokens: Facet[tuple[SeenToken, ...]]
    exec_tokens: Facet[tuple[SeenToken, ...]]
    probe: Facet[tuple[SeenToken, ...]]


# --- what was concluded -------------------------------------------------------------------------------------


class Severity(StrEnum):
    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 is the gravest."""
        return ("critical", "warning", "info").index(self.value)


class Certainty(StrEnum):
    PROVEN = "proven"
    LIKELY = "likely"
    POSSIBLE = "possible"

    @property
    def rank(self) -> int:
        """0 is the most certain."""
        return ("proven", "likely", "possible").index(self.value)


class Verdict(StrEnum):
    HEALTHY = "healthy"
    WARNING = "warning"
    CRITICAL = "critical"
    UNKNOWN = "unknown"


class Scope(StrEnum):
    """Who shares a cause."""

    POD = "this pod"
    SERVICE_ACCOUNT = "every pod of the service account"
    CLUSTER = "every token of the cluster"


class Remedy(Noun, frozen=True, kw_only=True):
    """What helps. `action` is the kind of action the bot can do, None where a person must."""

    text: str
    action: str | None = None


class Cause(Noun, frozen=True, kw_only=True):
    """An entry of the catalogue: `explains` its symptoms by code, `proof` the certainty by route.

    A `last_resort` holds only where no other critical cause was found.
    """

    code: str
    severity: Severity
    title: str
    explanation: str
    proof: Mapping[Route, Certainty]
    explains: tuple[str, ...] = ()
    remedies: tuple[Remedy, ...] = ()
    scope: Scope = Scope.POD
    last_resort: bool = False


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
