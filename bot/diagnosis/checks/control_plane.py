"""The controller manager: whether it does its work for tokens, and has a key to sign them with."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple

from bot.diagnosis.case import Case
from bot.diagnosis.checks.secret import secret_unfilled
from bot.diagnosis.evidence import found, quote
from bot.durations import relative, span, utc
from bot.messages import meanings
from bot.model import Certainty, ControllerManager, Evidence, Finding, Route, SecretSummary, Severity

_SETTLED = timedelta(seconds=60)
"""A working controller manager furnishes a new namespace within a second or two."""
_UNRENEWED = timedelta(minutes=2)
"""A leader renews its Lease every 2 s, and another takes over after 15 s (`--leader-elect-*`)."""
_LEFT_BEHIND = timedelta(days=7)
"""A Lease that is older than that was left behind when leader election was switched off."""
_SURE_AFTER_SECONDS = 25
_ALL_KEYS = 3
"""A filled token Secret has ca.crt, namespace and token."""
_TOKEN_CONTROLLER = ("serviceaccount-token-controller", "serviceaccount-token")
_KEY_FLAG = "service-account-private-key-file"


class _Sign(NamedTuple):
    """One thing that says that the controller manager does not do its work."""

    text: str
    evidence: Sequence[Evidence]
    certainty: Certainty
    hurts: bool = False


def token_controller_down(case: Case) -> Iterator[Finding]:
    signs = [*_stopped(case), *_nobody_leads(case), *_unfurnished(case)]
    if not _keyless(case):
        signs += [*_unfilled_secrets(case, stopped=bool(signs)), *_unfilled_probe(case)]
    if signs:
        yield found(
            "token-controller-down",
            " ".join(sign.text for sign in signs),
            [piece for sign in signs for piece in sign.evidence],
            severity=Severity.CRITICAL if any(sign.hurts for sign in signs) else Severity.WARNING,
            at_most=min((sign.certainty for sign in signs), key=lambda certainty: certainty.rank),
        )


def _stopped(case: Case) -> Iterator[_Sign]:
    """All its pods are in trouble, or there are none where the API server's are seen."""
    managers = case.snapshot.controllers.value
    if managers is None:
        return
    if not managers:
        if case.snapshot.leader.gap is None and case.snapshot.leader.value is None:
            text = "no pod with the label component=kube-controller-manager, beside those of the API server"
            evidence = [quote(Route.OBJECT, "pods of kube-system", text)]
            yield _Sign("No controller manager is to be seen.", evidence, Certainty.POSSIBLE)
    elif all(manager.trouble for manager in managers):
        evidence = [
            quote(Route.OBJECT, f"pod kube-system/{manager.pod}", f"{manager.trouble}, {manager.restarts} restarts")
            for manager in managers
        ]
        names = ", ".join(f"{manager.pod}: {manager.trouble}" for manager in managers)
        yield _Sign(f"The controller manager does not run ({names}).", [*evidence, *_log(managers)], Certainty.PROVEN)


def _nobody_leads(case: Case) -> Iterator[_Sign]:
    lease, managers = case.snapshot.leader.value, case.snapshot.controllers.value or ()
    if lease is None or lease.written is None or any(each.flag("leader-elect") == "false" for each in managers):
        return
    silent = case.now - lease.written
    if max(_UNRENEWED, 4 * timedelta(seconds=lease.duration_seconds)) < silent < _LEFT_BEHIND:
        text = f"last renewed by {lease.holder} at {utc(lease.written)}, {relative(lease.written, case.now)}"
        yield _Sign(
            f"No controller manager leads: the Lease was not renewed for {span(silent)}.",
            [quote(Route.OBJECT, "Lease kube-system/kube-controller-manager", text, lease.written)],
            Certainty.PROVEN if managers else Certainty.LIKELY,
        )


def _unfurnished(case: Case) -> Iterator[_Sign]:
    """The target's namespace lacks what every namespace gets."""
    defaults, namespace = case.snapshot.namespace_defaults.value, case.snapshot.namespace.value
    born = namespace.metadata.creation_timestamp if namespace else None
    if defaults is None or namespace is None or namespace.metadata.deletion_timestamp:
        return
    lacking = [] if defaults.default_account else ["serviceaccounts/default"]
    lacking += [] if defaults.root_ca else ["configmaps/kube-root-ca.crt"]
    if lacking and born and born + _SETTLED < case.now:
        name = namespace.metadata.name
        yield _Sign(
            f"Namespace {name} lacks {' and '.join(lacking)}, {span(case.now - born)} after it was created: "
            "no new pod in it can mount its token.",
            [quote(Route.OBJECT, f"API server, namespace {name}", f"GET {what}: 404, not found") for what in lacking],
            Certainty.LIKELY,
            hurts=True,
        )


def _unfilled_secrets(case: Case, *, stopped: bool) -> Iterator[_Sign]:
    """An empty Secret says it where nothing else can: not beside a controller manager that is seen at work."""
    empty = _unfilled(case)
    managers = case.snapshot.controllers.value
    excluded, complaints = _excluded(managers or ()), _log(managers or ())
    if empty and (stopped or excluded or complaints or (managers is None and not _filled_since(case))):
        certainty = Certainty.LIKELY if managers is None or excluded else Certainty.PROVEN
        yield _Sign("It leaves token Secrets empty.", [*empty, *excluded, *complaints], certainty, hurts=True)


def _unfilled_probe(case: Case) -> Iterator[_Sign]:
    probe = case.snapshot.controller_probe.value
    if probe is not None and not probe.filled:
        text = f"not filled within {probe.seconds:g} s"
        yield _Sign(
            f"A throw-away token Secret in namespace {probe.namespace} was {text}.",
            [quote(Route.OBJECT, "controller probe", text), *_excluded(case.snapshot.controllers.value or ())],
            Certainty.PROVEN if probe.seconds >= _SURE_AFTER_SECONDS else Certainty.LIKELY,
        )


def token_controller_keyless(case: Case) -> Iterator[Finding]:
    evidence = _keyless(case)
    if evidence:
        empty = _unfilled(case)
        text = "New token Secrets of the whole cluster stay empty."
        yield found(
            "token-controller-keyless",
            f"{text} So does this one." if empty else f"{text} None of those that were looked at is.",
            [*evidence, *empty],
            severity=Severity.CRITICAL if empty else Severity.WARNING,
        )


def _keyless(case: Case) -> list[Evidence]:
    """What shows it: the command line of each that may be at work, or the words of one. A filled probe refutes it."""
    probe = case.snapshot.controller_probe.value
    working = [manager for manager in case.snapshot.controllers.value or () if not manager.trouble]
    if probe is not None and probe.filled:
        return []
    led = [manager for manager in working if _leads(case, manager)] or working
    said = [piece for piece in _log(led) if "no private key" in piece.text]
    bare = [manager for manager in led if manager.flags is not None and not manager.flag(_KEY_FLAG)]
    if not said and (not bare or len(bare) < len(led)):
        return []
    flags = [quote(Route.OBJECT, f"pod kube-system/{manager.pod}", f"no --{_KEY_FLAG}") for manager in bare]
    return [*flags, *said]


def _leads(case: Case, manager: ControllerManager) -> bool:
    """The holder of the Lease is the host's name and something random; a static pod's host is its node."""
    lease = case.snapshot.leader.value
    return lease is not None and lease.holder.rpartition("_")[0] in {manager.node, manager.pod} - {""}


def _excluded(managers: Sequence[ControllerManager]) -> list[Evidence]:
    """`--controllers` leaves the token controller out; not every version heeds that, so it is no proof alone."""
    return [
        quote(Route.OBJECT, f"pod kube-system/{manager.pod}", f"--controllers={manager.flag('controllers')}")
        for manager in managers
        if manager.flag("controllers") and not _is_enabled(manager.flag("controllers").split(","))
    ]


def _is_enabled(chosen: Sequence[str]) -> bool:
    """As `IsControllerEnabled` of k8s.io/controller-manager decides: the first word about it counts, then the star."""
    for word in chosen:
        if word.removeprefix("-") in _TOKEN_CONTROLLER:
            return not word.startswith("-")
    return "*" in chosen


def _log(managers: Sequence[ControllerManager]) -> list[Evidence]:
    """The last line of each kind in which it says what it cannot do."""
    last: dict[str, Evidence] = {}
    for manager in managers:
        for each in manager.lines:
            for message in meanings(each.text):
                if message.cause in {"token-controller-down", "token-controller-keyless"}:
                    source = f"controller manager log ({manager.pod})"
                    last[message.pattern] = quote(Route.LOG, source, each.text, each.at)
    return list(last.values())


def _unfilled(case: Case) -> list[Evidence]:
    if case.snapshot.secrets.gap or case.snapshot.secret_accounts.gap:
        return []
    return [piece for finding in secret_unfilled(case) for piece in finding.evidence]


def _filled_since(case: Case) -> bool:
    """Whether a younger Secret than the oldest empty one was filled: then it did its work after all."""
    born = {held.metadata.name: held.metadata.creation_timestamp for held in case.snapshot.secrets.value or ()}
    tokens = [held for held in case.snapshot.secrets.value or () if held.is_token and born[held.metadata.name]]
    empty = [since for held in tokens if not _is_filled(held) and (since := held.metadata.creation_timestamp)]
    filled = [since for held in tokens if _is_filled(held) and (since := held.metadata.creation_timestamp)]
    return bool(empty and filled) and max(filled) > min(empty)


def _is_filled(held: SecretSummary) -> bool:
    return bool(held.holds("token")) or (held.keys or 0) >= _ALL_KEYS
