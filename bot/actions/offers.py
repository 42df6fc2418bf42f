"""Which actions would help against what a report has found: the buttons under an answer. Pure."""

from collections.abc import Iterable, Iterator, Mapping

from bot.model import POD_MAKERS, SECRET_NAME, ActionKind, Finding, Involved, ObjectRef, Offer, Report

_MOST_PODS = 3
_NO_NEW_PODS = {"service-account-missing", "service-account-terminating", "token-fetch-failed", "pods-not-created"}
"""Causes that keep a new pod from running: beside one of them a restart takes away what still works."""


def offers(report: Report) -> tuple[Offer, ...]:
    """Each once, those against the root first. What another finding explains goes away with its cause only."""
    explained = {code for finding in report.findings for code in finding.symptoms}
    found = {finding.code for finding in report.findings}
    made = [
        offer
        for finding in report.findings
        if finding.code not in explained
        for offer in _against(finding)
        if not (_NO_NEW_PODS & found and offer.kind in {ActionKind.RESTART_WORKLOAD, ActionKind.DELETE_POD})
    ]
    unique: dict[tuple[object, ...], Offer] = {}
    for offer in made:
        unique.setdefault((offer.kind, offer.ref, *sorted(offer.parameters.items())), offer)
    return tuple(unique.values())


def _against(finding: Finding) -> Iterator[Offer]:
    for kind in dict.fromkeys(ActionKind(remedy.action) for remedy in finding.remedies if remedy.action):
        yield from _of(kind, finding)


def _of(kind: ActionKind, finding: Finding) -> Iterator[Offer]:
    match kind:
        case ActionKind.RESTART_WORKLOAD:
            return _restarts(finding)
        case ActionKind.DELETE_POD:
            # A StatefulSet waits for the old pod to be gone, and a DaemonSet makes the new one on the same node.
            return _deletions(finding, [one for one in finding.involved if one.maker == "ReplicaSet"])
        case ActionKind.CREATE_TOKEN_SECRET:
            return _creations(finding)
        case ActionKind.PROBE_TOKEN:
            return _probe(finding)
        case ActionKind.ROTATE_TOKEN_SECRET | ActionKind.REACTIVATE_LEGACY_TOKEN | ActionKind.DELETE_LEGACY_SECRET:
            return _on_secrets(kind, finding)


def _on_secrets(kind: ActionKind, finding: Finding) -> Iterator[Offer]:
    label, which = {
        ActionKind.ROTATE_TOKEN_SECRET: ("Make a successor of Secret {}", [one.secrets for one in finding.involved]),
        ActionKind.REACTIVATE_LEGACY_TOKEN: ("Make Secret {} valid again", [one.marked for one in finding.involved]),
        ActionKind.DELETE_LEGACY_SECRET: ("Delete unused Secret {}", [one.unused for one in finding.involved]),
    }[kind]
    for ref in _each(which):
        yield _offer(kind, ref, finding, label.format(ref.name))


def _probe(finding: Finding) -> Iterator[Offer]:
    """Of one pod: what holds for its account holds for the others."""
    for ref in _each([one.pod] if one.pod else [] for one in finding.involved)[:1]:
        yield _offer(ActionKind.PROBE_TOKEN, ref, finding, "Try a fresh token")


def _restarts(finding: Finding) -> Iterator[Offer]:
    """The workload; where nothing rolls pods out, a pod that something else makes again."""
    helped = finding.involved
    if finding.code == "token-in-environment":
        helped = tuple(one for one in helped if not one.token_in_spec)
    for ref in _each([one.workload] if one.workload else [] for one in helped):
        yield _offer(ActionKind.RESTART_WORKLOAD, ref, finding, f"Restart {ref.kind.lower()} {ref.name}")
    yield from _deletions(finding, [one for one in helped if not one.workload and one.maker in POD_MAKERS])


def _deletions(finding: Finding, around: Iterable[Involved]) -> Iterator[Offer]:
    pods = _each([one.pod] if one.pod else [] for one in around)
    for ref in pods[:_MOST_PODS]:
        yield _offer(ActionKind.DELETE_POD, ref, finding, f"Delete pod {ref.name}")


def _creations(finding: Finding) -> Iterator[Offer]:
    """Only in the place of one that is gone: under its old name the same account has the same token again."""
    lacking = [(one.account, one.gone) for one in finding.involved if one.account and one.gone]
    for account, gone in dict.fromkeys(lacking):
        for name in gone:
            yield _offer(ActionKind.CREATE_TOKEN_SECRET, account, finding, f"Create Secret {name} again", name)
    if finding.code == "token-secret-deleted":
        for account in _each([account] for account, _ in lacking):
            yield _offer(ActionKind.CREATE_TOKEN_SECRET, account, finding, f"Create a new Secret for {account.name}")


def _each(refs: Iterable[Iterable[ObjectRef]]) -> list[ObjectRef]:
    return list(dict.fromkeys(ref for some in refs for ref in some))


def _offer(kind: ActionKind, ref: ObjectRef, finding: Finding, label: str, name: str = "") -> Offer:
    parameters: Mapping[str, str] = {SECRET_NAME: name} if name else {}
    return Offer(kind=kind, ref=ref, label=label, parameters=parameters, cause=finding.code)
