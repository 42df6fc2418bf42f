"""How far the clocks are apart: the API servers', the node's and token-doctor's own. Intervals throughout. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec.structs import replace

from bot.durations import span
from bot.model import ContainerLog, Facet, Gap, GapKind, Offset, Renewal, Snapshot
from bot.objects import ContainerState, ContainerStatus, Event, Pod

_CUT = 1.0
"""The times in managedFields are cut to whole seconds."""
_REQUEST_SECONDS = 10.0
"""The kubelet reads its clock, then gives the renewal of its Lease up to 10 s (`cmd/kubelet/app/server.go`)."""
_IDENTITY_SECONDS = 15.0
"""An API server renews its identity Lease every 10 s (4 % of jitter), the rest is for a slow request."""
_LOOPBACK_SECONDS = 5.0
"""An API server writes its own Lease through its loopback: seldom more than some milliseconds."""
_WORTH_SAYING = 30.0


class Disagreement(NamedTuple):
    """Two API servers; `offset` is how far the first is ahead of the second, `proof` what each of them showed.

    `certain` where the second has answered itself, so that it is there and its Lease is not an old one.
    """

    ahead: str
    behind: str
    offset: Offset
    proof: tuple[str, str]
    certain: bool


class _Reading(NamedTuple):
    """A clock against token-doctor's own."""

    clock: str
    offset: Offset
    answered: bool


def node_behind(renewal: Renewal | None) -> Offset | None:
    """How far the node's clock is behind the API server's (negative: ahead); None where the Lease does not tell."""
    if renewal is None or renewal.renewed is None or renewal.written is None:
        return None
    apart = (renewal.written - renewal.renewed).total_seconds()
    source = f"Lease kube-node-lease/{renewal.holder}"
    return Offset(least=apart - _REQUEST_SECONDS, most=apart + _CUT, source=source)


def server_ahead(snapshot: Snapshot) -> Offset | None:
    """How far the clock at the configured address is ahead of token-doctor's (negative: behind)."""
    main = [reading.offset for reading in _dates(snapshot) if reading.clock in snapshot.endpoints[:1]]
    if not main:
        return None
    least, most = max(one.least for one in main), min(one.most for one in main if one.most is not None)
    # Several API servers behind one address may disagree: then anything between them is as good.
    return Offset(least=min(least, most), most=max(least, most), source=main[0].source)


def server_now(snapshot: Snapshot) -> datetime:
    """`taken_at` by the API server's clock: corrected by no more than what its answers prove to be wrong."""
    ahead = server_ahead(snapshot)
    if ahead is None or ahead.most is None:
        return snapshot.taken_at
    return snapshot.taken_at + timedelta(seconds=ahead.least if ahead.least > 0 else min(ahead.most, 0.0))


def disagreement(snapshot: Snapshot) -> Disagreement | None:
    """The two API servers whose clocks are surely the furthest apart; None where none are, or nothing tells."""
    found = [*_by_own_clock(snapshot), *_by_order(snapshot)]
    return max(found, key=lambda one: one.offset.least, default=None)


def _by_own_clock(snapshot: Snapshot) -> Iterator[Disagreement]:
    """Each two clocks through token-doctor's own, which drops out."""
    readings = [*_dates(snapshot), *_leases(snapshot)]
    for one in readings:
        for other in readings:
            if other.offset.most is None or (least := one.offset.least - other.offset.most) <= 0:
                continue
            most = None if one.offset.most is None else one.offset.most - other.offset.least
            yield Disagreement(
                one.clock,
                other.clock,
                Offset(least=least, most=most, source=one.offset.source),
                (one.offset.source, other.offset.source),
                other.answered,
            )


def _by_order(snapshot: Snapshot) -> Iterator[Disagreement]:
    """A Lease that was written later, by a clock that shows an earlier time: only revisions tell the true order."""
    read = snapshot.identity_leases.value
    leases = [lease for lease in read.leases if lease.revision] if read else []
    for later in leases:
        for earlier in leases:
            if later.revision <= earlier.revision or not (later.renewed and earlier.renewed):
                continue
            least = (earlier.renewed - later.renewed).total_seconds() - _LOOPBACK_SECONDS
            if least > 0:
                proof = (_shown(earlier), f"{_shown(later)}, although it was written after the other")
                offset = Offset(least=least, most=None, source="resourceVersion")
                yield Disagreement(_named(earlier), _named(later), offset, proof, certain=False)


def _dates(snapshot: Snapshot) -> Iterator[_Reading]:
    for served in snapshot.dates:
        yield _Reading(served.endpoint, served.ahead, answered=True)


def _leases(snapshot: Snapshot) -> Iterator[_Reading]:
    """A Lease was renewed before it was read. How long before is known only of an API server that is still there."""
    read = snapshot.identity_leases.value
    if read is None:
        return
    # An API server that is gone leaves its Lease for an hour and more, but its address for 15 seconds.
    all_alive = len(read.leases) <= len(snapshot.api_servers.value or ())
    for lease in read.leases:
        if lease.renewed is not None:
            most = (lease.renewed - read.sent).total_seconds() + _IDENTITY_SECONDS if all_alive else None
            least = (lease.renewed - read.received).total_seconds()
            source = f"{_shown(lease)}, here {_clock(read.received)}"
            yield _Reading(_named(lease), Offset(least=least, most=most, source=source), answered=False)


def _named(lease: Renewal) -> str:
    return f"{lease.holder} on {lease.host}" if lease.host else lease.holder


def _shown(lease: Renewal) -> str:
    return f"Lease kube-system/{lease.holder}: renewTime {_clock(lease.renewed) if lease.renewed else 'not set'}"


def _clock(at: datetime) -> str:
    return f"{at:%H:%M:%S}"


def clock_notes(snapshot: Snapshot) -> Iterator[Gap]:
    """What a reader must know of the times in the report. Never a finding: it says nothing of the target."""
    ahead = server_ahead(snapshot)
    if ahead and ahead.most is not None and (ahead.least >= _WORTH_SAYING or ahead.most <= -_WORTH_SAYING):
        way, amount = ("behind", ahead.least) if ahead.least > 0 else ("ahead of", -ahead.most)
        yield Gap(
            facet="exact_time",
            kind=GapKind.UNOBSERVABLE,
            reason=f"token-doctor's own clock is at least {span(timedelta(seconds=amount))} {way} the API server's; "
            "every age in this report is by the API server's",
            mend="set the clock of the machine that token-doctor runs on (NTP)",
        )
    shift = _shift(snapshot)
    if abs(shift.total_seconds()) >= _WORTH_SAYING:
        way = "behind" if shift > timedelta() else "ahead of"
        yield Gap(
            facet="exact_time",
            kind=GapKind.UNOBSERVABLE,
            reason=f"the node's clock is about {span(shift)} {way} the API server's; times of the pod's log, of its "
            "containers and of the kubelet's events were moved by that, give or take some seconds",
        )


def aligned(snapshot: Snapshot) -> Snapshot:
    """What the node's clock has stamped, moved to the API server's clock; only where the two surely differ."""
    shift = _shift(snapshot)
    if not shift:
        return snapshot
    changed: dict[str, object] = {}
    if snapshot.logs.value is not None:
        changed["logs"] = Facet(value=tuple(_moved_log(log, shift) for log in snapshot.logs.value))
    if snapshot.pod.value is not None:
        changed["pod"] = Facet(value=_moved_pod(snapshot.pod.value, shift))
    if snapshot.events.value is not None:
        changed["events"] = Facet(value=tuple(_moved_event(event, shift) for event in snapshot.events.value))
    return replace(snapshot, **changed)


def _shift(snapshot: Snapshot) -> timedelta:
    """The likeliest offset: a renewal takes some milliseconds, and a cut second is half a second on average."""
    renewal = snapshot.node_lease.value
    behind = node_behind(renewal)
    if behind is None or behind.most is None or behind.least <= 0 <= behind.most:
        return timedelta()
    return timedelta(seconds=behind.most - _CUT / 2)


def _moved_log(log: ContainerLog, shift: timedelta) -> ContainerLog:
    return replace(log, lines=tuple(replace(line, at=line.at + shift) if line.at else line for line in log.lines))


def _moved_pod(pod: Pod, shift: timedelta) -> Pod:
    status = pod.status
    return replace(
        pod,
        status=replace(
            status,
            container_statuses=tuple(_moved_status(each, shift) for each in status.container_statuses),
            init_container_statuses=tuple(_moved_status(each, shift) for each in status.init_container_statuses),
        ),
    )


def _moved_status(status: ContainerStatus, shift: timedelta) -> ContainerStatus:
    return replace(status, state=_moved_state(status.state, shift), last_state=_moved_state(status.last_state, shift))


def _moved_state(state: ContainerState, shift: timedelta) -> ContainerState:
    running, ended = state.running, state.terminated
    return replace(
        state,
        running=running and replace(running, started_at=_moved(running.started_at, shift)),
        terminated=ended
        and replace(ended, started_at=_moved(ended.started_at, shift), finished_at=_moved(ended.finished_at, shift)),
    )


def _moved_event(event: Event, shift: timedelta) -> Event:
    if event.source.component != "kubelet":
        return event
    return replace(
        event,
        event_time=_moved(event.event_time, shift),
        first_timestamp=_moved(event.first_timestamp, shift),
        last_timestamp=_moved(event.last_timestamp, shift),
    )


def _moved(at: datetime | None, shift: timedelta) -> datetime | None:
    return at + shift if at else None
