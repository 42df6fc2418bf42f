"""Causes in the control plane: who fills token Secrets, who signs tokens and who checks them."""

from bot.model import Cause, Certainty, Remedy, Route, Scope, Severity
from bot.versions import BOUND_TOKENS

_PROOF = {
    Route.OBJECT: Certainty.PROVEN,
    Route.REVIEW: Certainty.PROVEN,
    Route.LOG: Certainty.PROVEN,
    Route.EXEC: Certainty.PROVEN,
}
_NOT_MOUNTED_ONES = Remedy(
    text="Mounted tokens go on working: the API server makes them, and the kubelet refreshes them. Where it cannot "
    "wait, mount one instead of using a Secret."
)

CAUSES: tuple[Cause, ...] = (
    Cause(
        code="token-controller-down",
        severity=Severity.CRITICAL,
        title="The controller manager does not do its work for tokens",
        explanation="Without it new token Secrets stay empty, and new namespaces get no `default` service account and "
        "no kube-root-ca.crt, without which no pod can mount its token.",
        proof=_PROOF,
        explains=("secret-unfilled",),
        remedies=(
            Remedy(
                text="Look at the controller manager first: kubectl -n kube-system get pod "
                "-l component=kube-controller-manager, and its log."
            ),
            _NOT_MOUNTED_ONES,
        ),
        scope=Scope.CLUSTER,
    ),
    Cause(
        code="token-controller-keyless",
        severity=Severity.CRITICAL,
        title="The controller that fills token Secrets has no key to sign with",
        explanation="The controller manager runs without --service-account-private-key-file, so it leaves its token "
        "controller out: new token Secrets stay empty.",
        proof=_PROOF,
        explains=("secret-unfilled",),
        remedies=(
            Remedy(
                text="Start the controller manager with --service-account-private-key-file, the private half of a "
                "key in the API servers' --service-account-key-file. Waiting Secrets are filled by themselves then."
            ),
            _NOT_MOUNTED_ONES,
        ),
        scope=Scope.CLUSTER,
    ),
    Cause(
        code="signing-keys-disagree",
        severity=Severity.CRITICAL,
        title="The control plane does not agree on its signing keys",
        explanation="Tokens are signed with a key that not every API server knows, so the same token is accepted by "
        "one and refused by another.",
        proof=_PROOF,
        explains=("api-unauthorized", "signing-key-unknown", "signature-invalid", "issuer-unknown"),
        remedies=(
            Remedy(
                text="Give every API server the public keys of all who sign: the same list of "
                "--service-account-key-file everywhere."
            ),
            Remedy(
                text="Sign with one key: --service-account-signing-key-file of each API server, and "
                "--service-account-private-key-file of the controller manager."
            ),
            Remedy(text="A restart of the workload helps by chance at best: the next request may reach the other one."),
        ),
        scope=Scope.CLUSTER,
    ),
    Cause(
        code="issuer-discovery-broken",
        severity=Severity.WARNING,
        title="Others cannot check this cluster's tokens",
        explanation="Vault, a cloud's federation and other clusters check tokens by the issuer's published keys. The "
        "API server itself does not: it never refuses a token because of this.",
        proof=_PROOF,
        explains=("another-validator",),
        remedies=(
            Remedy(
                text="Ask as the outside does: kubectl get --raw /.well-known/openid-configuration, and --raw "
                "/openid/v1/jwks; then from where the tokens are checked."
            ),
            Remedy(text="Put back what is missing: an https URL in --service-account-issuer, its keys, the binding."),
        ),
        scope=Scope.CLUSTER,
    ),
    Cause(
        code="clock-skew-api-server",
        severity=Severity.CRITICAL,
        title="The clocks of the API servers disagree",
        explanation="Each API server writes its own time into the tokens it makes, and checks others by its own: with "
        "60 s of leeway. Beyond that a fresh token is not valid yet for the one that is behind.",
        proof=_PROOF,
        explains=("token-not-yet-valid",),
        remedies=(
            Remedy(text="Set the clocks of the control plane's machines by NTP (chronyc tracking shows the offset)."),
            Remedy(text="Nothing else is needed: the same tokens are valid as soon as the clocks agree."),
        ),
        scope=Scope.CLUSTER,
    ),
    Cause(
        code="clock-skew-node",
        severity=Severity.CRITICAL,
        title="The node's clock is wrong",
        explanation="The kubelet goes by its own clock when it refreshes a token: a slow one does it late. What the "
        "node's clock says never makes the API server refuse a token.",
        proof=_PROOF,
        explains=("token-cached-in-process", "token-expired", "api-unauthorized"),
        remedies=(
            Remedy(text="Set the node's clock by NTP (chronyc tracking); the kubelet catches up within minutes."),
            Remedy(text="A restart on the same node helps for one lifetime of the token only."),
        ),
        scope=Scope.NODE,
    ),
    Cause(
        code="node-not-ready",
        severity=Severity.CRITICAL,
        title="The pod's node is not ready",
        explanation="Only the node's kubelet refreshes the pod's tokens. While it is silent the old ones go on until "
        "they expire.",
        proof=_PROOF,
        explains=("rotation-stalled", "token-fetch-failed", "bound-object-gone"),
        remedies=(
            Remedy(text="Mend the node: kubectl describe node says what is wrong, the kubelet's log why."),
            Remedy(
                text="It cannot wait: let the workload make a new pod on another node; a restart on this one is no "
                "use.",
                action="delete-pod",
            ),
        ),
        scope=Scope.NODE,
    ),
    Cause(
        code="api-server-flags-differ",
        severity=Severity.WARNING,
        title="The API servers do not run with the same authentication flags",
        explanation="Which API server a request reaches is chance, so the same token is accepted now and refused then.",
        proof=_PROOF,
        explains=(
            "api-unauthorized",
            "issuer-unknown",
            "audience-mismatch",
            "signing-key-unknown",
            "signature-invalid",
        ),
        remedies=(
            Remedy(text="Give every API server the same flags; while an upgrade goes on, wait for its end first."),
            Remedy(text="A restart of the workload helps by chance only: the next request may reach the other one."),
        ),
        scope=Scope.CLUSTER,
    ),
    Cause(
        code="oidc-misconfigured",
        severity=Severity.WARNING,
        title="The API server's OpenID Connect issuer does not work",
        explanation="Tokens of that issuer are refused. Service account tokens never go there.",
        proof={Route.LOG: Certainty.LIKELY, Route.REVIEW: Certainty.PROVEN, Route.OBJECT: Certainty.LIKELY},
        explains=("api-unauthorized",),
        remedies=(
            Remedy(
                text="Make the issuer reachable from the API server: its URL, DNS, certificate authority "
                "(--oidc-ca-file) and clock. It tries again every 10 s; nothing need be restarted."
            ),
            Remedy(text="A workload should send its service account's token, not an OpenID Connect one."),
        ),
        scope=Scope.CLUSTER,
    ),
    Cause(
        code="webhook-authenticator-failing",
        severity=Severity.WARNING,
        title="The API server's webhook for tokens does not answer",
        explanation="It is asked about every token that nobody else accepts. Tokens that only it knows are refused, "
        "and each refusal may take 30 s longer.",
        proof={Route.LOG: Certainty.LIKELY, Route.REVIEW: Certainty.PROVEN},
        explains=("issuer-unknown", "token-malformed"),
        remedies=(
            Remedy(
                text="Make the webhook answer: its address stands in the file of "
                "--authentication-token-webhook-config-file, on the API server's host."
            ),
            Remedy(text="A workload should send its service account's token: for that the webhook is never needed."),
        ),
        scope=Scope.CLUSTER,
    ),
    Cause(
        code="stale-tokens-in-use",
        severity=Severity.INFO,
        title="Some clients of this cluster never read their token again",
        explanation="The API server counts tokens that are past their hour and live on the extension. Their clients "
        "break when it ends, or as soon as it is switched off.",
        proof={Route.OBJECT: Certainty.PROVEN},
        remedies=(
            Remedy(
                text="Find them in the audit log: authentication.k8s.io/stale-token names each one's account.",
                since=BOUND_TOKENS,
            ),
            Remedy(
                text="Update their clients: Go ≥ 0.15.7, Python ≥ 12, Java ≥ 9 and JavaScript ≥ 0.10.3 read it again."
            ),
        ),
        scope=Scope.CLUSTER,
    ),
)
