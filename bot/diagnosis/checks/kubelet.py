"""The kubelet, which fetches a pod's tokens and refreshes them; and what depends on when a container started."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from bot.diagnosis import kubelet
from bot.diagnosis.case import Case
from bot.diagnosis.clocks import node_behind
from bot.diagnosis.evidence import found, quote, token_source
from bot.diagnosis.lifetimes import IN_SIGHT, extended, refreshed, sight
from bot.diagnosis.nodes import has_mounted, is_finished, overdue, readiness, runs_out, silent_since, unreachable_since
from bot.durations import relative, span, utc
from bot.model import Certainty, Evidence, Finding, Route, Severity
from bot.mounts import TokenMount
from bot.objects import Event

_REPEATED = timedelta(minutes=10)
"""A mount that fails is tried every 2 min, its event written anew every 5 at the slowest (`events_cache.go`)."""
_BACK_OFF = timedelta(minutes=3)
"""Between two tries 2 min 2 s at the most (`exponential_backoff.go`): no event for longer may mean that it worked."""
_FETCH_FAILED = ("failed to fetch token", "expired and refresh failed")
"""`pkg/kubelet/token/token_manager.go`: an expired token leaves the kubelet's cache, so mostly it is the first."""
_LEEWAY = timedelta(seconds=60)


def node_not_ready(case: Case) -> Iterator[Finding]:
    name, node = case.pod.spec.node_name, case.snapshot.node.read()
    if not name or is_finished(case):
        return
    if node is None:
        text = f"Node {name} does not exist any more: nothing refreshes the pod's tokens, and the pod is deleted soon."
        yield found("node-not-ready", text, [quote(Route.OBJECT, "API server", f"GET nodes/{name}: 404, not found")])
        return
    silent, ready = silent_since(case), readiness(case)
    leaving = node.metadata.deletion_timestamp
    if silent:
        text = f"The kubelet of node {name} was last heard of {relative(silent, case.now)}. {_goes_on(case, silent)}"
        yield found("node-not-ready", text, _node_evidence(case, silent), severity=_silent_severity(case, silent))
    elif ready is not None and ready.status != "True":
        text = (
            f"Node {name} is not ready ({ready.reason or 'no reason given'}), but its kubelet renews its Lease: it "
            "can still refresh tokens."
        )
        yield found("node-not-ready", text, _node_evidence(case, silent), severity=Severity.WARNING)
    elif leaving:
        text = f"Node {name} is being deleted since {utc(leaving)}; the pod moves, and gets a token of its own there."
        evidence = [quote(Route.OBJECT, f"node {name}", f"deletionTimestamp {utc(leaving)}", leaving)]
        yield found("node-not-ready", text, evidence, severity=Severity.INFO)


def _goes_on(case: Case, since: datetime) -> str:
    """What a silent kubelet means for the pod's tokens, and when."""
    if not has_mounted(case):
        return "The pod has not got its first token, and cannot start there."
    mounts = refreshed(case)
    if not mounts:
        return "The pod has no token that is refreshed."
    mount, first, last = min(((m, *runs_out(case, m, since)) for m in mounts), key=lambda found: found[2])
    if last < case.now:
        return f"Nothing refreshes the pod's tokens; that of {mount.path} has expired by now (by {utc(last)})."
    return (
        f"Nothing refreshes the pod's tokens: that of {mount.path} goes on until it expires, between {utc(first)} and "
        f"{utc(last)} ({relative(last, case.now)})."
    )


def _silent_severity(case: Case, since: datetime) -> Severity:
    ended = any(runs_out(case, mount, since)[1] + _LEEWAY < case.now for mount in refreshed(case))
    return Severity.CRITICAL if ended or not has_mounted(case) else Severity.WARNING


def _node_evidence(case: Case, silent: datetime | None) -> list[Evidence]:
    name, ready, tainted = case.pod.spec.node_name, readiness(case), unreachable_since(case)
    lease = case.snapshot.node_lease.value
    evidence = []
    if ready:
        text = f"Ready {ready.status}: {ready.reason} {ready.message}"
        evidence.append(quote(Route.OBJECT, f"node {name}", text, ready.last_transition_time))
    if silent and lease and lease.written:
        text = f"last written {utc(lease.written)}, good for {lease.duration_seconds} s"
        evidence.append(quote(Route.OBJECT, f"Lease kube-node-lease/{name}", text, lease.written))
    if tainted:
        text = "taint node.kubernetes.io/unreachable: its pods are deleted after 5 min, unless they tolerate it longer"
        evidence.append(quote(Route.OBJECT, f"node {name}", text, tainted))
    return evidence


def rotation_stalled(case: Case) -> Iterator[Finding]:
    if is_finished(case) or not has_mounted(case):
        return
    late, failed = _late_files(case), _failed_refreshes(case)
    silent = silent_since(case)
    missed = overdue(case, silent) if silent else ()
    if late:
        yield late
    elif failed:
        yield failed
    elif silent and missed:
        ended = any(runs_out(case, mount, silent)[1] + _LEEWAY < case.now for mount in missed)
        text = f"The kubelet is silent since {utc(silent)}, and {missed[0].path} was due for a new token since then."
        yield found(
            "rotation-stalled",
            text,
            _node_evidence(case, silent),
            severity=Severity.CRITICAL if ended or _refused(case) else Severity.WARNING,
        )


def _late_files(case: Case) -> Finding | None:
    """A file that was seen, and that a kubelet would have replaced by now: by its own clock, that of the node."""
    behind = node_behind(case.snapshot.node_lease.value)
    lag = timedelta(seconds=max(0.0, behind.most or 0.0)) if behind else timedelta()
    for token in case.snapshot.exec_tokens.value or ():
        mount, due = case.mount_of(token), kubelet.refresh_due(token.claims)
        if not mount or not mount.projected or mount.sub_path or not due or due + lag + kubelet.SLACK > case.now:
            continue
        text = f"the kubelet should have refreshed it {relative(due, case.now)} ({utc(due)})"
        return found(
            "rotation-stalled",
            f"{token.place}: {text}.",
            [quote(Route.EXEC, token_source(token), text)],
            severity=Severity.CRITICAL if case.is_refused(token) else Severity.WARNING,
        )
    return None


def _failed_refreshes(case: Case) -> Finding | None:
    """Failures of a moment ago, and after the start: those before it were of the first mount, and have healed."""
    starts = [start for name in case.statuses if (start := case.started(name))]
    fetched = [t.claims.issued_at for t in case.snapshot.exec_tokens.value or () if t.claims and t.claims.issued_at]
    since = max([*([min(starts)] if starts else []), *fetched, case.now - _REPEATED])
    failed = [event for event in _failures(case) if event.at and event.at > since]
    if not failed or not starts:
        return None
    mounts = refreshed(case)
    spared = bool(mounts) and all(extended(case, mount) for mount in mounts)
    return found(
        "rotation-stalled",
        "The kubelet cannot refresh the running pod's token."
        + (" It is an extended one, so it goes on being accepted meanwhile." if spared else ""),
        _quoted(failed),
        severity=Severity.WARNING if spared and not _refused(case) else Severity.CRITICAL,
        at_most=_freshness(case, failed[-1]),
    )


def _refused(case: Case) -> bool:
    return case.snapshot.logs.gap is None and bool(case.refusals)


def token_fetch_failed(case: Case) -> Iterator[Finding]:
    failed = _failures(case)
    if not failed or has_mounted(case) or is_finished(case) or case.pod.metadata.deletion_timestamp:
        return
    last = failed[-1]
    others = [
        event
        for event in case.snapshot.events.read()
        if event.reason == "FailedMount" and event not in failed and event.at and last.at and event.at > last.at
    ]
    if others and last.at and last.at < case.now - _REPEATED:
        return  # another volume holds it up now
    text = "The kubelet cannot get a first token for the pod."
    yield found("token-fetch-failed", text, _quoted(failed), at_most=_freshness(case, last))


def _failures(case: Case) -> list[Event]:
    """Events that say a token could not be fetched, oldest first."""
    said = [event for event in case.snapshot.events.read() if any(words in event.message for words in _FETCH_FAILED)]
    return sorted(said, key=lambda event: event.at or case.now)


def _quoted(failed: Sequence[Event]) -> list[Evidence]:
    return [quote(Route.EVENT, f"event {event.reason}", event.message, event.at) for event in failed[-2:]]


def _freshness(case: Case, last: Event) -> Certainty:
    """Nothing tells that a mount works again, only that no new failure is told."""
    return Certainty.PROVEN if last.at is None or case.now - last.at <= _BACK_OFF else Certainty.LIKELY


def extended_token_cliff(case: Case) -> Iterator[Finding]:
    for mount in case.mounts:
        longer, started = extended(case, mount), case.started(mount.container)
        if longer is None or started is None or mount.sub_path:
            continue
        cliff = started + longer
        if case.now < cliff < case.now + sight(longer):
            yield _cliff(case, mount, started, longer)
            return


def _cliff(case: Case, mount: TokenMount, started: datetime, longer: timedelta) -> Finding:
    """The token that it read at its start may have been minted up to 48 min before: that much earlier it may break."""
    cliff = started + longer
    return found(
        "extended-token-cliff",
        f"If container {mount.container} never reads its token again, it breaks on {utc(cliff)} "
        f"({relative(cliff, case.now)}), or up to an hour before. Nothing shows whether it is such a one: a client "
        "that reads its file again does not notice.",
        [
            quote(Route.OBJECT, "container status", f"container {mount.container} started {utc(started)}", started),
            quote(Route.OBJECT, "pod spec", f"{mount.path}: extended by the API server to {span(longer)}"),
        ],
        severity=Severity.WARNING if longer > IN_SIGHT else Severity.INFO,
    )
