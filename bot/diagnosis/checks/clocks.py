"""Clocks that differ, and whether it matters to the target: mostly it does not."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from bot.diagnosis.case import Case
from bot.diagnosis.clocks import disagreement, node_behind
from bot.diagnosis.evidence import found, quote
from bot.diagnosis.lifetimes import extended, margin, promised, refreshed
from bot.diagnosis.nodes import is_finished, silent_since
from bot.durations import span
from bot.model import Certainty, Evidence, Finding, Offset, Renewal, Route, Severity
from bot.mounts import TokenMount

_FLAGGED = 30.0
_BREAKS = 60.0
"""The leeway of exp, nbf and iat (`claims.go`): beyond it a fresh token is not valid yet elsewhere."""
_ONE_BURST = timedelta(minutes=15)
_SYNC = timedelta(minutes=5)


def clock_skew_node(case: Case) -> Iterator[Finding]:
    lease = case.snapshot.node_lease.read()
    behind = node_behind(lease)
    if lease is None or behind is None or behind.most is None or silent_since(case) or is_finished(case):
        return
    if behind.most <= -_FLAGGED:
        text = f"The node's clock is ahead by {_between(behind)}. Its kubelet only refreshes tokens too early."
        yield found("clock-skew-node", text, [_of_lease(lease, behind)], severity=Severity.INFO)
    elif behind.least >= _FLAGGED:
        late = f"The node's clock is behind by {_between(behind)}, so its kubelet refreshes tokens that much too late."
        severity, what = _weight(case, behind)
        yield found("clock-skew-node", f"{late} {what}", [_of_lease(lease, behind)], severity=severity)


def _weight(case: Case, behind: Offset) -> tuple[Severity, str]:
    """How grave a slow node is for these very tokens, and why."""
    mounts = sorted(refreshed(case), key=lambda mount: margin(case, mount))
    if not mounts:
        return Severity.INFO, "The pod has no token that is refreshed."
    first = mounts[0]
    spare = margin(case, first)
    if timedelta(seconds=behind.least) < spare:
        return Severity.INFO, f"That is harmless here: {_kind(case, first)} allows {span(spare)} of it."
    text = f"Here {_kind(case, first)} allows {span(spare)} of it: each time its file goes stale for a while."
    hurt = {mount.container for mount in mounts if margin(case, mount) <= timedelta(seconds=behind.least)}
    known = case.refusals if case.snapshot.logs.gap is None else ()
    refusals = [signal.at or case.now for signal in known if signal.container in hurt]
    if not refusals:
        return Severity.WARNING, text
    if _fits(case, hurt, refusals, timedelta(seconds=behind.most or behind.least) - spare + _SYNC):
        return Severity.CRITICAL, text
    return Severity.INFO, f"{text} But what goes on here is something else: it lasts longer, or the file is good."


def _fits(case: Case, containers: set[str], refusals: list[datetime], longest: timedelta) -> bool:
    """Whether the refusals may be of a file that was refreshed too late: such a burst ends with the next refresh."""
    good = any(
        token.container in containers and token.reviews and not case.is_refused(token)
        for token in case.snapshot.exec_tokens.value or ()
    )
    said = {rejection.message.cause for rejection in case.rejections}
    if good or (said and "token-expired" not in said):
        return False
    times = sorted(refusals, reverse=True)
    burst = times[0]
    for at in times:
        if burst - at > _ONE_BURST:
            break
        burst = at
    return times[0] - burst <= longest


def _kind(case: Case, mount: TokenMount) -> str:
    longer = extended(case, mount)
    if longer:
        return f"an extended token (it lives {span(longer)})"
    return f"a token of {span(promised(case, mount))}"


def _of_lease(lease: Renewal, behind: Offset) -> Evidence:
    renewed, written = lease.renewed, lease.written
    text = f"renewTime {renewed:%H:%M:%S.%f} by the node's clock, written {written:%H:%M:%S} by the API server's"
    return quote(Route.OBJECT, behind.source, text, written)


def clock_skew_api_server(case: Case) -> Iterator[Finding]:
    apart = disagreement(case.snapshot)
    if apart is None or apart.offset.least < _FLAGGED:
        # The dates of answers tell as much where each API server has answered; else the Leases must have been read.
        if len({served.endpoint for served in case.snapshot.dates}) < len(case.snapshot.api_servers.value or ()):
            case.snapshot.identity_leases.read()
        return
    breaks = apart.offset.least >= _BREAKS
    effect = (
        "A token made by the first is refused by the other as not valid yet, until that time has passed."
        if breaks
        else "From 60 s on, a token made by one is refused by the other."
    )
    yield found(
        "clock-skew-api-server",
        f"The clock of {apart.ahead} is ahead of that of {apart.behind} by {_between(apart.offset)}. {effect}",
        [quote(Route.OBJECT, "clocks of the API servers", text) for text in apart.proof],
        severity=Severity.CRITICAL if breaks and _may_be_skew(case) else Severity.WARNING,
        at_most=Certainty.PROVEN if apart.certain else Certainty.LIKELY,
    )


def _may_be_skew(case: Case) -> bool:
    """Not where the API server has said why it refuses the target, and it is something else."""
    if case.snapshot.logs.gap or case.snapshot.pod.gap:
        return True
    said = {rejection.message.cause for rejection in case.rejections}
    return not said or "token-not-yet-valid" in said


def _between(offset: Offset) -> str:
    """Both bounds, without a sign; of one bound alone `at least`."""
    if offset.most is None:
        return f"at least {span(timedelta(seconds=offset.least))}"
    least, most = sorted((abs(offset.least), abs(offset.most)))
    return f"{span(timedelta(seconds=least))} to {span(timedelta(seconds=most))}"
