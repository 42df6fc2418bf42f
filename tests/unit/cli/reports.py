"""Reports as they come out of the diagnosis: one of each verdict."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from bot.model import (
    BlastRadius,
    Cause,
    Certainty,
    CheckResult,
    CheckStatus,
    Evidence,
    Finding,
    Gap,
    GapKind,
    Member,
    Moment,
    ObjectRef,
    Remedy,
    Report,
    Route,
    Rule,
    Scope,
    Severity,
    Verdict,
)

NOW = datetime(2026, 11, 22, 3, 5, 9, tzinfo=UTC)
POD = ObjectRef(
    cluster="prod", api_version="v1", kind="Pod", namespace="shop", name="checkout-7d9f8b6c5-x2x7k", uid="pod-uid-1"
)

_RECREATED = Cause(
    code="service-account-recreated",
    severity=Severity.CRITICAL,
    title="The service account was re-created",
    explanation="The token belongs to an earlier service account of the same name: its uid is another one.",
    proof={Route.REVIEW: Certainty.PROVEN},
    explains=("api-unauthorized",),
    scope=Scope.SERVICE_ACCOUNT,
)
_UNAUTHORIZED = Cause(
    code="api-unauthorized",
    severity=Severity.CRITICAL,
    title="The API server answers 401 to this pod",
    explanation="It sends a token, and the API server refuses it.",
    proof={Route.LOG: Certainty.LIKELY},
)
_DEFAULT = Cause(
    code="default-service-account",
    severity=Severity.INFO,
    title="The pod runs as the namespace's default service account",
    explanation="Rights given to it are given to every pod of the namespace that names no other.",
    proof={Route.OBJECT: Certainty.PROVEN},
    practice=True,
    remedies=(Remedy(text="Give the workload a service account of its own."),),
)
_CLIFF = Cause(
    code="extended-token-cliff",
    severity=Severity.WARNING,
    title="An extended token ends soon",
    explanation="The process still uses the token it read at its start, and that one is valid for a year at most.",
    proof={Route.OBJECT: Certainty.POSSIBLE},
    remedies=(Remedy(text="Restart the workload before that day.", action="restart-workload"),),
)


def _checks(passed: int, failed: int, skipped: int) -> tuple[CheckResult, ...]:
    return (
        *(CheckResult(name=f"passed-{index}", status=CheckStatus.PASSED) for index in range(passed)),
        *(CheckResult(name=f"failed-{index}", status=CheckStatus.FAILED) for index in range(failed)),
        *(
            CheckResult(name=f"skipped-{index}", status=CheckStatus.SKIPPED, reason="exec is switched off")
            for index in range(skipped)
        ),
    )


_SWITCHED_OFF = Gap(
    facet="token in the container",
    kind=GapKind.SWITCHED_OFF,
    reason="reading the mounted token needs exec, which is switched off",
    mend="check with --exec: it would prove which token the process holds.",
)
_HIDDEN = Gap(
    facet="API server logs", kind=GapKind.UNOBSERVABLE, reason="a managed control plane shows its logs to nobody"
)
_DENIED = Gap(
    facet="node",
    kind=GapKind.DENIED,
    reason="token-doctor may not get nodes",
    mend=(
        'allow it: add `- {apiGroups: [""], resources: ["nodes"], verbs: ["get"]}` '
        "to a ClusterRole that is bound to token-doctor"
    ),
    rule=Rule(verb="get", resource="nodes"),
)

CRITICAL = Report(
    target=POD,
    taken_at=NOW,
    verdict=Verdict.CRITICAL,
    headline="The token of checkout is refused since its service account was re-created 2 h 14 min ago",
    findings=(
        Finding(
            cause=_RECREATED,
            severity=Severity.CRITICAL,
            certainty=Certainty.PROVEN,
            explanation=(
                "The pod's token was issued for service account shop/checkout with uid "
                "0f9c41d2-6d1b-4a57-9a2e-1f4a0b7c8d11, and the one that exists now has uid "
                "7be0c3a4-22f5-4a60-8f3d-5c9d0e1f2a33."
            ),
            evidence=(
                Evidence(
                    source="TokenReview at https://10.0.0.11:6443",
                    text=(
                        "[invalid bearer token, service account UID (7be0c3a4-22f5-4a60-8f3d-5c9d0e1f2a33) "
                        "does not match claim (0f9c41d2-6d1b-4a57-9a2e-1f4a0b7c8d11)]"
                    ),
                    route=Route.REVIEW,
                    at=NOW - timedelta(seconds=1),
                ),
                Evidence(
                    source="serviceaccount shop/checkout",
                    text="metadata.creationTimestamp: 2026-11-22T00:51:00Z, 9 h 12 min younger than the pod",
                    route=Route.OBJECT,
                ),
            ),
            remedies=(
                Remedy(text="Restart the workload: its new pods get a fresh token.", action="restart-workload"),
                Remedy(
                    text="Find what re-created the account (a Helm upgrade, a restore), and make it update instead."
                ),
            ),
            symptoms=("api-unauthorized",),
        ),
        Finding(
            cause=_UNAUTHORIZED,
            severity=Severity.CRITICAL,
            certainty=Certainty.LIKELY,
            explanation=_UNAUTHORIZED.explanation,
            evidence=(
                Evidence(
                    source="log of container app",
                    text=(
                        'E1122 03:04:58.113 reflector.go:158] "Unhandled Error" err="failed to list *v1.ConfigMap: '
                        'Unauthorized"'
                    ),
                    route=Route.LOG,
                    at=NOW - timedelta(seconds=11),
                ),
            ),
        ),
        Finding(
            cause=_DEFAULT,
            severity=Severity.INFO,
            certainty=Certainty.PROVEN,
            explanation=_DEFAULT.explanation,
            remedies=_DEFAULT.remedies,
            evidence=(Evidence(source="pod spec", text="serviceAccountName: default", route=Route.OBJECT),),
        ),
    ),
    checks=_checks(18, 1, 2),
    gaps=(
        _SWITCHED_OFF,
        _HIDDEN,
        _DENIED,
        replace(_DENIED, facet="node lease", reason="needs node, which was not read: token-doctor may not get nodes"),
    ),
    timeline=(
        Moment(at=NOW - timedelta(hours=11, minutes=26), what="container app started"),
        Moment(at=NOW - timedelta(hours=2, minutes=14), what="service account checkout created"),
        Moment(at=NOW - timedelta(hours=2, minutes=13), what="first 401 in the log of container app"),
        Moment(at=NOW - timedelta(seconds=11), what="last 401 in the log of container app"),
    ),
    blast_radius=BlastRadius(
        scope=Scope.SERVICE_ACCOUNT,
        sentence="Every pod of service account shop/checkout that is older than it: 3 pods.",
        pods=("checkout-7d9f8b6c5-x2x7k", "checkout-7d9f8b6c5-9qk4m", "checkout-worker-0"),
    ),
    endpoints=("https://10.0.0.11:6443", "https://10.0.0.12:6443"),
    version="v1.36.3",
    took_ms=412,
)

HEALTHY = Report(
    target=POD,
    taken_at=NOW,
    verdict=Verdict.HEALTHY,
    headline="Nothing is wrong with the tokens of checkout",
    checks=_checks(20, 0, 1),
    gaps=(_SWITCHED_OFF,),
    endpoints=("https://10.0.0.11:6443",),
    version="v1.36.3",
    took_ms=1240,
)

UNKNOWN = Report(
    target=POD,
    taken_at=NOW,
    verdict=Verdict.UNKNOWN,
    headline="Nothing found, but 3 checks could not run",
    checks=_checks(17, 0, 3),
    gaps=(
        Gap(
            facet="events",
            kind=GapKind.TIMED_OUT,
            reason="the API server did not answer within 10 s",
            mend="Ask again; raise checks.deadline_seconds if this API server is always slow.",
        ),
    ),
    endpoints=("https://10.0.0.11:6443",),
    took_ms=10_004,
)

WARNING = Report(
    target=POD,
    taken_at=NOW,
    verdict=Verdict.WARNING,
    headline="The extended token of checkout is cut off in 12 d",
    findings=(
        Finding(
            cause=_CLIFF,
            severity=Severity.WARNING,
            certainty=Certainty.POSSIBLE,
            explanation=_CLIFF.explanation,
            evidence=(Evidence(source="pod spec", text="expirationSeconds: 3607", route=Route.OBJECT),),
            remedies=_CLIFF.remedies,
        ),
    ),
    checks=_checks(20, 1, 0),
    endpoints=("https://10.0.0.11:6443",),
    version="v1.36.3",
    took_ms=230,
)

_STALE = "checkout-7d9f8b6c5-x2x7k"
WORKLOAD = replace(
    CRITICAL,
    target=replace(POD, api_version="apps/v1", kind="Deployment", name="checkout", uid="deployment-uid-1"),
    headline=f"{_RECREATED.title}: 1 of 3 pods",
    findings=(
        replace(
            CRITICAL.findings[0],
            explanation=(
                f"1 of 3 pods: {_STALE}; not checkout-7d9f8b6c5-9qk4m and checkout-7d9f8b6c5-hl2vw. "
                "Its containers started at 2026-11-21 15:38:00 UTC, before all others (from 2026-11-22 00:52:10 UTC "
                "on). shop/checkout is younger than the token: created 2 h 14 min ago."
            ),
            evidence=tuple(
                replace(piece, source=f"pod {_STALE}: {piece.source}") for piece in CRITICAL.findings[0].evidence
            ),
        ),
        *CRITICAL.findings[1:],
    ),
    notes=("3 of 12 pods were examined: those in trouble first, then one of each revision and node, then the oldest.",),
    members=(
        Member(name=_STALE, verdict=Verdict.CRITICAL, headline=_RECREATED.title),
        Member(name="checkout-7d9f8b6c5-9qk4m", verdict=Verdict.HEALTHY, headline="nothing is wrong with its token"),
        Member(name="checkout-7d9f8b6c5-hl2vw", verdict=Verdict.HEALTHY, headline="nothing is wrong with its token"),
    ),
)

NAMESPACE = replace(
    WARNING,
    target=replace(POD, kind="Namespace", name="shop", uid="namespace-uid-1"),
    headline=f"{_CLIFF.title}: 2 of 4 workloads",
    findings=(
        replace(
            WARNING.findings[0],
            explanation=f"2 of 4 workloads: deployment checkout and statefulset db. {_CLIFF.explanation}",
        ),
    ),
    notes=(
        "All 4 workloads were examined.",
        "Of each workload a pod or two were looked at: ask for a workload by its name to have all of it checked.",
    ),
    members=(
        Member(name="deployment checkout", verdict=Verdict.WARNING, headline=f"{_CLIFF.title}: 1 of 2 pods"),
        Member(name="statefulset db", verdict=Verdict.WARNING, headline=_CLIFF.title),
        Member(name="cronjob nightly", verdict=Verdict.HEALTHY, headline="Between runs"),
        Member(name="deployment web", verdict=Verdict.HEALTHY, headline="Nothing is wrong with the token of 1 pod"),
    ),
)
