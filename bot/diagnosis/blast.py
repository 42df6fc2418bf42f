"""Who else a root cause reaches."""

from collections.abc import Sequence

from bot.diagnosis.case import Case
from bot.model import BlastRadius, Finding, Scope, Severity

_MOST_NAMES = 20


def blast_radius(case: Case, findings: Sequence[Finding]) -> BlastRadius | None:
    """The reach of the root, None where nothing of weight was found."""
    if not findings or findings[0].severity is Severity.INFO or case.snapshot.pod.gap:
        return None
    scope = findings[0].cause.scope
    peers = case.snapshot.peers.value
    if scope is Scope.CLUSTER:
        return BlastRadius(scope=scope, sentence="Every client of this API server may be hit, not just this pod.")
    if scope is Scope.POD:
        owners = case.snapshot.owners.value or ()
        kin = f", and any other pod of {owners[-1].kind.lower()} {owners[-1].metadata.name}" if owners else ""
        return BlastRadius(scope=scope, sentence=f"This pod{kin}: the cause is in how it gets or keeps its token.")
    if peers is None:
        return BlastRadius(scope=scope, sentence=f"Every pod of {case.account_name}; which those are was not read.")
    return BlastRadius(scope=scope, sentence=_sharing(case.account_name, len(peers)), pods=peers[:_MOST_NAMES])


def _sharing(account: str, others: int) -> str:
    if not others:
        return f"No other pod runs as {account} now."
    return f"{others} other pod{'s' if others > 1 else ''} run{'s' if others == 1 else ''} as {account} too."
