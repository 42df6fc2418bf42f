"""Messages as people will see them, by name: what the goldens in tests/blocks hold."""

from msgspec.structs import replace

from bot.blocks import knowledge, notices
from bot.blocks.limits import Message
from bot.blocks.report import answer
from bot.errors import ClusterForbiddenError, ClusterUnreachableError, TargetNotFoundError
from bot.messages import Message as Entry
from bot.messages import Origin
from bot.model import ActionKind, Cause, Certainty, Offer, Remedy, Route, Severity, Target
from tests.unit.blocks import digests, requests
from tests.unit.cli.reports import CRITICAL, HEALTHY, NAMESPACE, UNKNOWN, WARNING, WORKLOAD

ASKER = "U0ENGINEER1"
TARGET = Target(namespace="shop", name="checkout-7d9f8b6c5-x2x7k", cluster="prod")
DIAGNOSED = replace(CRITICAL, headline=CRITICAL.findings[0].cause.title)
REPORTS = {
    "critical": DIAGNOSED,
    "critical-with-a-headline": CRITICAL,
    "warning": WARNING,
    "healthy": HEALTHY,
    "unknown": UNKNOWN,
    "workload": WORKLOAD,
    "namespace": NAMESPACE,
}

OFFERS = tuple(
    Offer(kind=kind, ref=requests.REF, label=label, cause="token-expired")
    for kind, label in (
        (ActionKind.RESTART_WORKLOAD, "Restart deployment checkout"),
        (ActionKind.PROBE_TOKEN, "Try a fresh token"),
    )
)

# Of the catalogue's kind but not from it: the goldens are about how things look, and its words may change.
EXPIRED = Cause(
    code="token-expired",
    severity=Severity.CRITICAL,
    title="The token has expired",
    explanation="The token's exp is more than 60 s in the past, so the API server answers 401.",
    proof={Route.REVIEW: Certainty.PROVEN},
    remedies=(Remedy(text="Find where this copy comes from."), Remedy(text="Make the client read the `token` again.")),
)
FORBIDDEN = Cause(
    code="rbac-denied",
    severity=Severity.WARNING,
    title="The token is good, the right is missing (403)",
    explanation="The API server knows who asks and refuses the request by RBAC.",
    proof={Route.LOG: Certainty.LIKELY},
)
CAUSES = {cause.code: cause for cause in (EXPIRED, FORBIDDEN)}
ENTRIES = (
    Entry(
        pattern="service account token has expired",
        example="service account token has expired",
        causes=("token-expired",),
        meaning="The token's exp is more than 60 s in the past.",
        source="claims.go",
    ),
    Entry(
        pattern="is forbidden",
        example='User "x" cannot list resource "pods"',
        causes=("rbac-denied", "token-expired"),
        meaning="The API server refused the request by RBAC.",
        source="authorization",
        origin=Origin.CLIENT,
        versions="1.27 and newer",
    ),
)
RUNBOOK = """\
# The token has expired

Its `exp` is past.

## See it by hand

```sh
token-doctor check NS/POD --exec
```

## Mend it

1. Put a new one in place:

```yaml
kind: Secret
```

2. Restart the workload.
"""


def samples() -> dict[str, tuple[Message, ...]]:
    """Each golden by name: a message, and what follows in its thread."""
    return {**_answers(), **_failures(), **_whispers(), **requests.messages(), **digests.messages()}


def _answers() -> dict[str, tuple[Message, ...]]:
    answers = {name: answer(report, ASKER) for name, report in REPORTS.items()}
    answers["critical-with-buttons"] = answer(DIAGNOSED, ASKER, OFFERS)
    return {f"report-{name}": (shown.message, *shown.thread) for name, shown in answers.items()}


def _failures() -> dict[str, tuple[Message, ...]]:
    missing = TargetNotFoundError(
        "There is no “checkout” in namespace shop.", nearest=("shop/checkout-7d9f8b6c5-x2x7k", "shop/checkout-db-0")
    )
    refused = ClusterForbiddenError(
        "token-doctor may not get pods in namespace shop.",
        next_step='Allow it: add `- {apiGroups: [""], resources: ["pods"], verbs: ["get"]}` to a Role.',
    )
    gone = ClusterUnreachableError("Cluster prod cannot be asked: no answer from https://10.0.0.1:6443.")
    return {
        "checking": (notices.checking(TARGET, ASKER),),
        "not-found": (notices.failed(TARGET, ASKER, missing),),
        "forbidden": (notices.failed(TARGET, ASKER, refused),),
        "unreachable": (notices.failed(TARGET, ASKER, gone),),
        "not-in-this-channel": (notices.not_here(TARGET, ASKER, ("pay-*", "bill-*")),),
        "incident": (notices.broken(TARGET, ASKER, "3fa9c1d2"),),
        "stopped": (notices.stopped(TARGET, ASKER),),
    }


def _whispers() -> dict[str, tuple[Message, ...]]:
    return {
        "invite": (notices.invite("token-doctor", direct=False), notices.invite("token-doctor", direct=True)),
        "decode": (notices.in_the_terminal("decode", pasted=False),),
        "review-with-a-token": (notices.in_the_terminal("review", pasted=True),),
        "token-pasted": (notices.token_pasted(),),
        "errors": (knowledge.entries(ENTRIES, CAUSES), knowledge.no_entry()),
        "errors-all": (knowledge.catalogue(ENTRIES),),
        "explain": (knowledge.cause(EXPIRED, RUNBOOK),),
        "explain-all": (knowledge.causes({"the token": (EXPIRED,), "not the token after all": (FORBIDDEN,)}),),
        "help": (knowledge.help_("token-doctor"),),
    }
