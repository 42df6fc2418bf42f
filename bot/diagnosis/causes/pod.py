"""Causes in the pod: how it came by its token, and what it does with it."""

from bot.model import Cause, Certainty, Remedy, Route, Scope, Severity

_OBJECT = {Route.OBJECT: Certainty.PROVEN, Route.LOG: Certainty.LIKELY, Route.EXEC: Certainty.PROVEN}
_PROJECTED = Remedy(text="Mount a projected service account token as a whole volume; the kubelet refreshes it.")

CAUSES: tuple[Cause, ...] = (
    Cause(
        code="token-not-mounted",
        severity=Severity.CRITICAL,
        title="No token is mounted where the client looks for it",
        explanation="Nothing puts a token for the API server into this container, but its client wants one.",
        proof=_OBJECT,
        explains=("no-token-sent", "api-unauthorized"),
        remedies=(
            Remedy(text="Set automountServiceAccountToken: true in the pod template (it beats the service account's)."),
            Remedy(text="Or add a projected serviceAccountToken volume to just this container."),
        ),
    ),
    Cause(
        code="token-mounted-by-subpath",
        severity=Severity.CRITICAL,
        title="The token is mounted with subPath and never refreshed",
        explanation="A subPath mount is made once, at the container's start; the kubelet's refreshes do not reach it.",
        proof=_OBJECT,
        explains=("api-unauthorized", "token-expired"),
        remedies=(
            Remedy(text="Mount the whole volume at a folder of its own and read the file from there."),
            Remedy(
                text="Until then a restart gives a fresh copy, good for the token's lifetime.",
                action="restart-workload",
            ),
        ),
    ),
    Cause(
        code="token-in-environment",
        severity=Severity.CRITICAL,
        title="The token is handed over in an environment variable",
        explanation="An environment is fixed when the container starts: a refreshed token never reaches it.",
        proof=_OBJECT,
        explains=("api-unauthorized", "token-expired"),
        remedies=(
            _PROJECTED,
            Remedy(text="Until then a restart takes over what the Secret holds now.", action="restart-workload"),
        ),
    ),
    Cause(
        code="audience-only-foreign",
        severity=Severity.CRITICAL,
        title="The only mounted token is for another audience",
        explanation="The container has no token that the API server would accept, but its client talks to it.",
        proof=_OBJECT,
        explains=("api-unauthorized", "audience-mismatch"),
        remedies=(
            Remedy(text="Mount a token for the API server beside it: a serviceAccountToken without `audience`."),
        ),
    ),
    Cause(
        code="token-lifetime-capped",
        severity=Severity.INFO,
        title="The API server gives a shorter lifetime than was asked for",
        explanation="--service-account-max-token-expiration is a ceiling: longer requests are cut, not refused.",
        proof=_OBJECT,
        remedies=(Remedy(text="Count on the token's own exp, and read the file again before it."),),
    ),
    Cause(
        code="token-cached-in-process",
        severity=Severity.CRITICAL,
        title="The process still sends the token it read at its start",
        explanation="The mounted file is refreshed by the kubelet, but the client read it once and kept it.",
        proof={**_OBJECT, Route.REVIEW: Certainty.PROVEN},
        explains=("api-unauthorized", "token-expired"),
        remedies=(
            Remedy(text="Restart the workload now: the process reads the present token.", action="restart-workload"),
            Remedy(
                text="Then update the client, which must read the file again: Go ≥ 0.15.7, Python ≥ 12, Java ≥ 9, "
                "JavaScript ≥ 0.10.3 do."
            ),
        ),
    ),
    Cause(
        code="extended-token-cliff",
        severity=Severity.WARNING,
        title="A token that was read once at the start runs out soon",
        explanation="The API server extends a default token to one year for clients that never read it again. "
        "This container has run for almost that long.",
        proof={Route.OBJECT: Certainty.POSSIBLE},
        remedies=(
            Remedy(
                text="Restart the workload before that day, or make sure that its client reads the file again.",
                action="restart-workload",
            ),
        ),
    ),
    Cause(
        code="rotation-stalled",
        severity=Severity.CRITICAL,
        title="The kubelet does not refresh the token",
        explanation="The mounted token is past 80 % of its life, where the kubelet should have replaced it.",
        proof={**_OBJECT, Route.EVENT: Certainty.PROVEN},
        explains=("api-unauthorized", "token-expired"),
        remedies=(
            Remedy(text="Look at the kubelet of the node: its log says `Couldn't update token` and why."),
            Remedy(text="A restart on the same node is useless; on another node it helps."),
            Remedy(text="Check that the node is Ready and its clock is right."),
        ),
    ),
    Cause(
        code="token-fetch-failed",
        severity=Severity.CRITICAL,
        title="The kubelet cannot get the pod's token",
        explanation="Without its first token the volume cannot be mounted and the containers do not start.",
        proof={Route.EVENT: Certainty.PROVEN},
        remedies=(Remedy(text="Mend what the event says; the kubelet tries again by itself."),),
        scope=Scope.SERVICE_ACCOUNT,
    ),
)
