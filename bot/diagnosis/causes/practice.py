"""Good practice: what breaks nothing today, and makes the day worse on which something does."""

from bot.model import Cause, Certainty, Remedy, Route, Severity

_OBJECT = {Route.OBJECT: Certainty.PROVEN}
_PROJECTED = Remedy(text="Mount a projected service account token as a whole volume; the kubelet refreshes it.")

CAUSES: tuple[Cause, ...] = (
    Cause(
        code="default-service-account",
        severity=Severity.INFO,
        title="The pod uses the namespace's default service account",
        explanation="Whatever is granted to `default` is granted to every pod that names no account.",
        proof=_OBJECT,
        practice=True,
        remedies=(Remedy(text="Give the workload a service account of its own."),),
    ),
    Cause(
        code="legacy-secret-mounted",
        severity=Severity.INFO,
        title="The pod uses a legacy token Secret",
        explanation="Its token never expires: a copy stays good until the Secret or its account is deleted.",
        proof=_OBJECT,
        practice=True,
        remedies=(_PROJECTED,),
    ),
    Cause(
        code="token-lifetime-long",
        severity=Severity.INFO,
        title="A mounted token is valid for longer than a day",
        explanation="The kubelet replaces it every day at the latest; only a stolen copy has any use of the rest.",
        proof=_OBJECT,
        practice=True,
        remedies=(Remedy(text="Ask for an hour (expirationSeconds: 3600), and let the client read the file again."),),
    ),
    Cause(
        code="bindings-too-wide",
        severity=Severity.INFO,
        title="The service account may do everything",
        explanation="Whoever gets hold of one of its tokens may do everything that it may.",
        proof=_OBJECT,
        practice=True,
        remedies=(
            Remedy(text="Bind a Role with just the verbs and resources that the workload's requests need."),
            Remedy(text="See what that is in the audit log, or with kubectl auth can-i --list --as the account."),
        ),
    ),
    Cause(
        code="token-minting-granted",
        severity=Severity.INFO,
        title="Others may mint tokens of the service account",
        explanation="Who may create serviceaccounts/token is as good as the account, for as long as is asked for.",
        proof=_OBJECT,
        practice=True,
        remedies=(
            Remedy(text="Name the accounts whose tokens are really minted (resourceNames), or take the rule away."),
        ),
    ),
    Cause(
        code="token-secrets-readable",
        severity=Severity.INFO,
        title="Others may read the service account's token Secrets",
        explanation="The token in them never expires: whoever has read it once can use it until the Secret is deleted.",
        proof=_OBJECT,
        practice=True,
        remedies=(
            Remedy(
                text="Delete the token Secrets that are not needed, and use projected tokens instead.",
                action="delete-legacy-secret",
            ),
            Remedy(text="Grant get on Secrets by name (resourceNames), and list and watch to nobody."),
        ),
    ),
)
