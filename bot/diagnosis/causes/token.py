"""Causes in the token itself: what the API server holds against it."""

from bot.model import Cause, Certainty, Remedy, Route, Scope, Severity
from bot.versions import CREATE_TOKEN, NO_GENERATED_SECRETS, SEVERAL_ISSUERS

_PROOF = {Route.REVIEW: Certainty.PROVEN, Route.OBJECT: Certainty.PROVEN, Route.LOG: Certainty.LIKELY}
_MINT_AGAIN = (
    Remedy(
        text="Mint the token again (kubectl create token), and hand the new one to whoever sends the old one.",
        since=CREATE_TOKEN,
    ),
    Remedy(
        text="Mint the token again (a new token Secret), and hand the new one to whoever sends the old one.",
        until=CREATE_TOKEN.before,
    ),
)
_RESTART = Remedy(text="Restart the workload: its new pods get a fresh token.", action="restart-workload")

CAUSES: tuple[Cause, ...] = (
    Cause(
        code="token-expired",
        severity=Severity.CRITICAL,
        title="The token has expired",
        explanation="The token's exp is more than 60 s in the past, so the API server answers 401.",
        proof=_PROOF,
        explains=("api-unauthorized",),
        remedies=(
            Remedy(text="Find where this copy comes from: the kubelet refreshes a mounted token file by itself."),
            Remedy(
                text="A copy kept elsewhere (CI, a kubeconfig, a Secret) must be replaced there: a restart is useless."
            ),
        ),
    ),
    Cause(
        code="token-not-yet-valid",
        severity=Severity.CRITICAL,
        title="The token is not valid yet",
        explanation="Its nbf or iat is more than 60 s ahead of the API server's clock: two clocks disagree.",
        proof=_PROOF,
        explains=("api-unauthorized",),
        remedies=(
            Remedy(text="Compare the clocks of all API servers and set them right with NTP (chronyc tracking)."),
        ),
        scope=Scope.CLUSTER,
    ),
    Cause(
        code="audience-mismatch",
        severity=Severity.CRITICAL,
        title="The token was made for another audience",
        explanation="Its aud names somebody else than the API server, which refuses it whatever else is right.",
        proof=_PROOF,
        explains=("api-unauthorized",),
        remedies=(
            Remedy(text="Send the API server a token of its own audience: leave `audience` out of the projection."),
            Remedy(text="Keep the other token for the service that it was made for."),
        ),
    ),
    Cause(
        code="issuer-unknown",
        severity=Severity.CRITICAL,
        title="The API server does not know the token's issuer",
        explanation="No authenticator recognised the token: its iss is none of those this API server accepts.",
        proof=_PROOF,
        explains=("api-unauthorized",),
        remedies=(
            Remedy(text="Use a token of this cluster; compare its iss with /.well-known/openid-configuration."),
            Remedy(
                text="If the issuer was changed, keep the old one too: --service-account-issuer twice.",
                since=SEVERAL_ISSUERS,
            ),
            Remedy(
                text="If the issuer was changed: this API server accepts one only, so every token must be made again.",
                until=SEVERAL_ISSUERS.before,
            ),
        ),
    ),
    Cause(
        code="token-from-another-cluster",
        severity=Severity.CRITICAL,
        title="The token belongs to another cluster",
        explanation="Another cluster signed it: its key id (kid) is published there and not here.",
        proof=_PROOF,
        explains=("signing-key-unknown", "issuer-unknown", "signature-invalid"),
        remedies=(Remedy(text="Point the client at the cluster that made the token, or give it a token made here."),),
    ),
    Cause(
        code="signing-key-unknown",
        severity=Severity.CRITICAL,
        title="The API server has no key for this token",
        explanation="None of its public keys has the token's kid: the signing key was rotated, or the token "
        "comes from another cluster with the same issuer.",
        proof=_PROOF,
        explains=("api-unauthorized",),
        remedies=(
            Remedy(text="After a key rotation: keep the old public key in --service-account-key-file for a while."),
            Remedy(
                text="Token Secrets are not signed again by themselves: take data.token out, and they are filled anew.",
                action="rotate-token-secret",
            ),
            *_MINT_AGAIN,
        ),
        scope=Scope.CLUSTER,
    ),
    Cause(
        code="signature-invalid",
        severity=Severity.CRITICAL,
        title="The token's signature is wrong",
        explanation="A key with the token's kid exists, but the signature is not its work: the token was cut, "
        "edited or forged (up to 1.30 also: its key is unknown).",
        proof=_PROOF,
        explains=("api-unauthorized",),
        remedies=(
            Remedy(text="Look for what damages the token: line breaks, quotes, a template, a cut environment value."),
            *_MINT_AGAIN,
        ),
    ),
    Cause(
        code="token-malformed",
        severity=Severity.CRITICAL,
        title="What the client sends is not a token",
        explanation="The text cannot be read as a JSON Web Token, or lacks claims that it must have.",
        proof={**_PROOF, Route.EXEC: Certainty.PROVEN},
        explains=("api-unauthorized", "issuer-unknown"),
        remedies=(
            Remedy(text="Look at what the client really sends: base64 left undone, a file name, an empty value."),
        ),
    ),
    Cause(
        code="service-account-missing",
        severity=Severity.CRITICAL,
        title="The service account does not exist",
        explanation="Every token of a service account dies with it, and no new one can be made.",
        proof={**_PROOF, Route.EVENT: Certainty.PROVEN},
        explains=(
            "api-unauthorized",
            "token-fetch-failed",
            "token-secret-deleted",
            "rotation-stalled",
            "secret-service-account-missing",
        ),
        remedies=(
            Remedy(text="Create the service account again from its manifest; its role bindings work again then."),
            Remedy(text="Restart the workload after that, not before: without the account no new pod is admitted."),
            Remedy(
                text="Its token Secrets were deleted with it: create those that are still needed again.",
                since=NO_GENERATED_SECRETS,
            ),
            Remedy(
                text="Its token Secrets were deleted with it; the new account gets one with a new name by itself.",
                until=NO_GENERATED_SECRETS.before,
            ),
        ),
        scope=Scope.SERVICE_ACCOUNT,
    ),
    Cause(
        code="service-account-recreated",
        severity=Severity.CRITICAL,
        title="The service account was deleted and created again",
        explanation="The token carries the uid of the old one; the API server compares it with the new one's.",
        proof=_PROOF,
        explains=("api-unauthorized", "token-secret-deleted", "token-secret-replaced", "secret-uid-mismatch"),
        remedies=(
            _RESTART,
            Remedy(
                text="Its token Secrets were deleted with the old one, for good: create those still needed again.",
                action="create-token-secret",
                since=NO_GENERATED_SECRETS,
            ),
            Remedy(
                text="Its token Secrets were deleted with the old one; the new one got one with a new name by itself.",
                until=NO_GENERATED_SECRETS.before,
            ),
            Remedy(
                text="Find what re-creates it (a Helm hook, a restore, delete-and-apply) and make it patch instead."
            ),
        ),
        scope=Scope.SERVICE_ACCOUNT,
    ),
    Cause(
        code="service-account-terminating",
        severity=Severity.CRITICAL,
        title="The service account is being deleted",
        explanation="It waits for a finalizer. Bound tokens are refused after 60 s, tokens from Secrets at once.",
        proof=_PROOF,
        explains=("api-unauthorized",),
        remedies=(
            Remedy(text="A restart is useless until the account is back: new pods get tokens that are refused too."),
            Remedy(
                text="See which finalizer holds it (metadata.finalizers), let it end, and create the account again."
            ),
        ),
        scope=Scope.SERVICE_ACCOUNT,
    ),
    Cause(
        code="bound-object-gone",
        severity=Severity.CRITICAL,
        title="The object the token is bound to is gone",
        explanation="A bound token dies with its pod, Secret or node. A copy that outlives it is refused.",
        proof=_PROOF,
        explains=("api-unauthorized",),
        remedies=(
            Remedy(text="Give the client a token of its own; a pod's token is not made to be copied elsewhere."),
            Remedy(text="If nobody copied it on purpose, treat the token as leaked and find out how."),
        ),
    ),
    Cause(
        code="bound-object-recreated",
        severity=Severity.CRITICAL,
        title="The token belongs to a predecessor of the same name",
        explanation="The pod, Secret or node of that name is a new object; the token is bound to the old one's uid.",
        proof=_PROOF,
        explains=("api-unauthorized",),
        remedies=(
            Remedy(text="Let the client read the token where the new pod has it mounted, instead of an older copy."),
        ),
    ),
    Cause(
        code="token-secret-deleted",
        severity=Severity.CRITICAL,
        title="The Secret that held the token was deleted",
        explanation="A legacy token is valid only while its Secret exists (from 1.24 on nothing creates it again).",
        proof=_PROOF,
        explains=("api-unauthorized", "token-in-environment"),
        remedies=(
            Remedy(
                text="If the account listed it in `secrets`, a new one with another name was made: use that one.",
                until=NO_GENERATED_SECRETS.before,
            ),
            Remedy(
                text="Quickest: create it again, same name, same account: it gets the very same token, and copies "
                "work.",
                action="create-token-secret",
            ),
            Remedy(
                text="If the old token must stay dead: create it under a new name and hand the new token out.",
                action="create-token-secret",
            ),
            Remedy(text="Better: drop the Secret and mount a projected token, which is refreshed by itself."),
        ),
    ),
    Cause(
        code="token-secret-replaced",
        severity=Severity.CRITICAL,
        title="The Secret holds another token now",
        explanation="It was edited by hand, or filled with another key or account; the client has the old one.",
        proof=_PROOF,
        explains=("api-unauthorized", "legacy-secret-mounted", "token-in-environment"),
        remedies=(
            Remedy(
                text="If the present one is good: restart the workload, so that it reads it.", action="restart-workload"
            ),
            Remedy(
                text="If the Secret was spoilt: take data.token out, and the token controller writes its own again."
            ),
            Remedy(text="Better: use a projected token, which is refreshed by itself."),
        ),
    ),
    Cause(
        code="legacy-token-invalidated",
        severity=Severity.CRITICAL,
        title="The cleaner has marked the legacy token invalid",
        explanation="It was not used for a long time (a year by default), so it carries "
        "kubernetes.io/legacy-token-invalid-since; after another such time the Secret is deleted.",
        proof=_PROOF,
        explains=("api-unauthorized", "legacy-secret-mounted", "token-in-environment"),
        remedies=(
            Remedy(
                text="Use it again: kubectl -n NAMESPACE label secret NAME kubernetes.io/legacy-token-invalid-since-",
                action="reactivate-legacy-token",
            ),
            Remedy(text="Then move to a projected token: after another year unused the Secret is deleted."),
        ),
    ),
)
