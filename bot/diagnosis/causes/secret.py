"""Causes in a Secret: one that should hold a token and does not, and credentials that are kept in one."""

from bot.model import Cause, Certainty, Remedy, Route, Scope, Severity
from bot.versions import CLEANER

_OBJECT = {Route.OBJECT: Certainty.PROVEN}
_REVIEWED = {**_OBJECT, Route.REVIEW: Certainty.PROVEN}
_RENEW = (
    Remedy(
        text="Renew it where it stands, in the way of what keeps it: Argo CD, Cluster API, Sveltos and Flux differ."
    ),
    Remedy(text="Restarting what reads it is useless before that, and needed after it only where the old one is kept."),
)
_PROJECTED = Remedy(text="Better: drop the Secret and mount a projected token, which is refreshed by itself.")

CAUSES: tuple[Cause, ...] = (
    Cause(
        code="secret-unfilled",
        severity=Severity.CRITICAL,
        title="The token Secret was never filled",
        explanation="The token controller puts a token into it within a second of its creation. It has not.",
        proof=_OBJECT,
        explains=("api-unauthorized", "no-token-sent", "token-not-mounted"),
        remedies=(
            Remedy(text="See whether the kube-controller-manager runs and has its signing key: it fills the Secret."),
            Remedy(text="Once it works it fills the Secret by itself: nothing need be created again."),
            Remedy(text="Pods that took the empty Secret into their environment must be restarted after that."),
            _PROJECTED,
        ),
        scope=Scope.SERVICE_ACCOUNT,
    ),
    Cause(
        code="secret-uid-mismatch",
        severity=Severity.CRITICAL,
        title="The token Secret belongs to an earlier service account",
        explanation="The account was created again since. The token carries the uid of the old one and is refused.",
        proof=_OBJECT,
        explains=("api-unauthorized", "embedded-token-refused", "secret-terminating"),
        remedies=(
            Remedy(text="Delete the Secret and create it again: its token is then the present account's."),
            Remedy(
                text="The token controller deletes such a Secret at once. That this one stands means that the "
                "controller does not work, or that a finalizer holds it: look there first."
            ),
            Remedy(text="Find what re-creates the account (a Helm hook, a restore) and make it patch instead."),
        ),
        scope=Scope.SERVICE_ACCOUNT,
    ),
    Cause(
        code="secret-wrong-type",
        severity=Severity.CRITICAL,
        title="The Secret is Opaque, so no token is ever put into it",
        explanation="The token controller fills only Secrets of type kubernetes.io/service-account-token.",
        proof=_OBJECT,
        explains=("api-unauthorized", "no-token-sent", "token-not-mounted"),
        remedies=(
            Remedy(text="A Secret's type cannot be changed: delete it, and create it with `type:` in its manifest."),
            Remedy(text="Restart the pods that have read it."),
            _PROJECTED,
        ),
    ),
    Cause(
        code="secret-service-account-missing",
        severity=Severity.CRITICAL,
        title="The token Secret's service account does not exist",
        explanation="A token dies with its account, and the Secret is deleted as soon as the controller sees it.",
        proof=_OBJECT,
        explains=("api-unauthorized", "embedded-token-refused", "secret-terminating"),
        remedies=(
            Remedy(text="Create the account first and the Secret after it: in the other order the Secret vanishes."),
            Remedy(text="Check the annotation kubernetes.io/service-account.name for a typing error."),
            Remedy(
                text="That the Secret still stands means that the token controller does not work, or that a "
                "finalizer holds it."
            ),
        ),
        scope=Scope.SERVICE_ACCOUNT,
    ),
    Cause(
        code="secret-terminating",
        severity=Severity.CRITICAL,
        title="The token Secret is being deleted",
        explanation="Its token is refused from the moment of the deletion, even while the Secret still stands.",
        proof=_OBJECT,
        explains=("api-unauthorized", "token-secret-deleted", "embedded-token-refused"),
        remedies=(
            Remedy(text="A deletion cannot be taken back: let the finalizer end, and create the Secret again."),
            Remedy(text="Under the same name, for the same account, it gets the very same token: copies work again."),
            _PROJECTED,
        ),
        scope=Scope.SERVICE_ACCOUNT,
    ),
    Cause(
        code="secret-listed-on-service-account",
        severity=Severity.INFO,
        title="The token Secret is one that the cleaner may take",
        explanation="It stands in its service account's `secrets`, as generated ones do. When nobody has used it for "
        "a year (the default) the cleaner marks it invalid, and deletes it after another.",
        proof=_OBJECT,
        remedies=(
            Remedy(text="Made by hand and still needed: take it out of the account's `secrets`, it need not be there."),
            Remedy(
                text="Marked, and still needed: take the label kubernetes.io/legacy-token-invalid-since off, and it is "
                "good again.",
                action="reactivate-legacy-token",
                since=CLEANER,
            ),
            Remedy(
                text="Needed by nobody: delete it, or let the cleaner do so.",
                action="delete-legacy-secret",
                since=CLEANER,
            ),
            Remedy(text="Needed by nobody: delete it.", action="delete-legacy-secret", until=CLEANER.before),
        ),
        scope=Scope.SERVICE_ACCOUNT,
    ),
    Cause(
        code="kubeconfig-token-expired",
        severity=Severity.CRITICAL,
        title="The token of a kubeconfig in a Secret has expired",
        explanation="Nothing refreshes a token that was copied into a Secret: whoever made it must renew it.",
        proof=_REVIEWED,
        explains=("api-unauthorized", "token-expired", "token-cached-in-process", "another-validator"),
        remedies=_RENEW,
    ),
    Cause(
        code="embedded-token-expiring",
        severity=Severity.CRITICAL,
        title="A token kept in a Secret runs out",
        explanation="Nothing refreshes a token that was copied into a Secret: whoever made it must renew it in time.",
        proof=_REVIEWED,
        explains=("api-unauthorized", "token-expired", "token-cached-in-process", "another-validator"),
        remedies=_RENEW,
    ),
    Cause(
        code="kubeconfig-certificate-expiring",
        severity=Severity.CRITICAL,
        title="A client certificate kept in a Secret runs out",
        explanation="After its notAfter the API server answers 401; a certificate has no leeway.",
        proof=_OBJECT,
        explains=("api-unauthorized", "another-validator"),
        remedies=_RENEW,
    ),
    Cause(
        code="embedded-token-refused",
        severity=Severity.CRITICAL,
        title="A token kept in a Secret is refused",
        explanation="It has not expired, and the API server it is meant for refuses it all the same.",
        proof={Route.REVIEW: Certainty.PROVEN},
        explains=("api-unauthorized", "another-validator"),
        remedies=_RENEW,
    ),
    Cause(
        code="embedded-credential-broken",
        severity=Severity.WARNING,
        title="A credential kept in a Secret cannot be read",
        explanation="The Secret's own layout says that there is one, and what stands there is damaged.",
        proof=_OBJECT,
        remedies=_RENEW,
    ),
)
