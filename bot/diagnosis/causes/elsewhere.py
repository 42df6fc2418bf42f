"""Not the token after all, and the plain symptom."""

from bot.model import Cause, Certainty, Remedy, Route, Scope, Severity

CAUSES: tuple[Cause, ...] = (
    Cause(
        code="api-unauthorized",
        severity=Severity.CRITICAL,
        title="The API server refuses the pod's token (401)",
        explanation="The pod's log shows 401. The answer itself never says why, and nothing else that was read does.",
        proof={Route.LOG: Certainty.PROVEN},
        remedies=(
            Remedy(text="Have the pod's own token judged: the same check with --exec (checks.exec: true)."),
            Remedy(
                text="Or find out whether a fresh token works: the same check with --probe (checks.probe: true).",
                action="probe-token",
            ),
        ),
    ),
    Cause(
        code="rbac-denied",
        severity=Severity.CRITICAL,
        title="The token is good, the right is missing (403)",
        explanation="The API server knows who asks and refuses the request by RBAC. A new token changes nothing.",
        proof={Route.LOG: Certainty.LIKELY, Route.OBJECT: Certainty.PROVEN},
        remedies=(Remedy(text="Grant the missing rule to the service account, or take the request out."),),
        scope=Scope.SERVICE_ACCOUNT,
    ),
    Cause(
        code="no-token-sent",
        severity=Severity.CRITICAL,
        title="The client sends no token at all",
        explanation="A 403 for system:anonymous means that the request carried no Authorization header; where "
        "--anonymous-auth is off, it is a 401 that the API server does not log.",
        proof={Route.LOG: Certainty.PROVEN},
        explains=("api-unauthorized",),
        remedies=(
            Remedy(
                text="Make the client load its in-cluster configuration (rest.InClusterConfig, load_incluster_config)."
            ),
            Remedy(text="Python client 36.0.0 sends no header in a cluster: use 36.0.2 or newer."),
        ),
    ),
    Cause(
        code="api-server-unreachable",
        severity=Severity.CRITICAL,
        title="The pod cannot reach the API server",
        explanation="The connection fails before any token is looked at.",
        proof={Route.LOG: Certainty.LIKELY},
        remedies=(
            Remedy(text="Check network policies, DNS and the service `kubernetes` in namespace default from the pod."),
        ),
    ),
    Cause(
        code="another-validator",
        severity=Severity.WARNING,
        title="Another service than this API server says 401",
        explanation="The refusals in the log come from another service, which has its own rules for tokens.",
        proof={Route.LOG: Certainty.LIKELY},
        remedies=(Remedy(text="Look there: the audience it expects, the issuer it trusts, its own clock and keys."),),
    ),
    Cause(
        code="recovered",
        severity=Severity.INFO,
        title="There were refusals, and they have stopped",
        explanation="The log holds older 401s, and the container has gone on working without them since.",
        proof={Route.LOG: Certainty.LIKELY},
    ),
    Cause(
        code="failing-for-another-reason",
        severity=Severity.WARNING,
        title="The pod fails, but not because of its token",
        explanation="A container keeps stopping or does not start, and nothing that was read speaks of its token.",
        proof={Route.OBJECT: Certainty.LIKELY},
        last_resort=True,
        remedies=(Remedy(text="Read the container's last words and its exit code: kubectl logs --previous."),),
    ),
    Cause(
        code="pods-not-created",
        severity=Severity.WARNING,
        title="Pods are missing, but not because of a token",
        explanation="The workload's controller asks for pods and is refused: by a quota, a policy or a webhook.",
        proof={Route.EVENT: Certainty.PROVEN},
        last_resort=True,
        remedies=(Remedy(text="Do what the event says: raise the quota, or change what the policy objects to."),),
    ),
)
