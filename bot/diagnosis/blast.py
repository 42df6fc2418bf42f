"""Who else a root cause reaches."""

from collections.abc import Sequence

from bot.diagnosis.case import Case
from bot.model import BlastRadius, Finding, Scope, Severity, Survey

_MOST_NAMES = 20


def blast_radius(case: Case, findings: Sequence[Finding]) -> BlastRadius | None:
    """The reach of the root, None where nothing of weight was found."""
    if not findings or findings[0].severity is Severity.INFO or case.snapshot.pod.gap:
        return None
    scope = findings[0].cause.scope
    peers = case.snapshot.peers.value
    if scope is Scope.CLUSTER:
        return BlastRadius(scope=scope, sentence="Every client of this API server may be hit, not just this pod.")
    if scope is Scope.NODE:
        node = case.pod.spec.node_name
        return BlastRadius(scope=scope, sentence=f"Every pod on node {node}: its kubelet refreshes their tokens too.")
    if scope is Scope.POD:
        owners = case.snapshot.owners.value or ()
        kin = f", and any other pod of {owners[-1].kind.lower()} {owners[-1].metadata.name}" if owners else ""
        return BlastRadius(scope=scope, sentence=f"This pod{kin}: the cause is in how it gets or keeps its token.")
    if peers is None:
        return BlastRadius(scope=scope, sentence=f"Every pod of {case.account_name}; which those are was not read.")
    return BlastRadius(scope=scope, sentence=_sharing(case.account_name, len(peers)), pods=peers[:_MOST_NAMES])


def blast_radius_of_many(survey: Survey, findings: Sequence[Finding]) -> BlastRadius | None:
    """The same for several pods that were examined together."""
    pods = [case for case in map(Case, survey.pods) if case.snapshot.pod.value]
    if not findings or findings[0].severity is Severity.INFO or not pods:
        return None
    scope = findings[0].cause.scope
    if scope is Scope.POD:
        what = "pods that run as it" if survey.target.kind == "ServiceAccount" else f"pods of {survey.target}"
        return BlastRadius(scope=scope, sentence=f"The {what}: the cause is in how they get or keep their token.")
    if scope is not Scope.SERVICE_ACCOUNT:
        return blast_radius(pods[0], findings)
    examined = {case.snapshot.target.name for case in pods}
    peers = {name for case in pods for name in case.snapshot.peers.value or ()}
    others = tuple(sorted(peers - examined))
    sentence = f"Beside the {len(examined)} examined: {_sharing(pods[0].account_name, len(others))}"
    return BlastRadius(scope=scope, sentence=sentence, pods=others[:_MOST_NAMES])


def _sharing(account: str, others: int) -> str:
    if not others:
        return f"No other pod runs as {account} now."
    return f"{others} other pod{'s' if others > 1 else ''} run{'s' if others == 1 else ''} as {account} too."
