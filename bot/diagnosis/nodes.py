"""What the node's kubelet is up to: it alone refreshes the pod's tokens. Pure."""

from datetime import datetime, timedelta

from bot.diagnosis import kubelet
from bot.diagnosis.case import Case
from bot.diagnosis.lifetimes import life, promised, refreshed
from bot.mounts import TokenMount
from bot.objects import NodeCondition

_GRACE = timedelta(seconds=20)
"""On top of the Lease's own duration (40 s): the node's controller marks a node unreachable after 40 to 50 s."""
_UNREACHABLE = "node.kubernetes.io/unreachable"


def readiness(case: Case) -> NodeCondition | None:
    """The node's condition Ready; None where it has none, or was not read."""
    node = case.snapshot.node.value
    return next((found for found in node.status.conditions if found.type == "Ready"), None) if node else None


def unreachable_since(case: Case) -> datetime | None:
    """When the node's controller gave the node up, where its taint tells."""
    node = case.snapshot.node.value
    return next((taint.time_added for taint in node.spec.taints if taint.key == _UNREACHABLE), None) if node else None


def silent_since(case: Case) -> datetime | None:
    """When the kubelet was last heard of, by the API server's clock; None where it still renews its Lease.

    A kubelet without a Lease that tells is judged by its node's condition.
    """
    lease = case.snapshot.node_lease.value
    if lease is not None and lease.written is not None:
        is_late = case.now - lease.written > timedelta(seconds=lease.duration_seconds) + _GRACE
        return lease.written if is_late else None
    ready = readiness(case)
    return ready.last_transition_time if ready and ready.status == "Unknown" else None


def runs_out(case: Case, mount: TokenMount, since: datetime) -> tuple[datetime, datetime]:
    """When the mount's last token expires if nothing was fetched since then: at the earliest, and at the latest."""
    latest = since + life(case, mount)
    return latest - kubelet.refresh_after(promised(case, mount)), latest


def overdue(case: Case, since: datetime) -> tuple[TokenMount, ...]:
    """The mounts whose token the kubelet should surely have replaced, had it not gone silent then."""
    waited = case.now - since - kubelet.SLACK
    return tuple(mount for mount in refreshed(case) if waited >= kubelet.refresh_after(promised(case, mount)))


def has_mounted(case: Case) -> bool:
    """Whether the pod's volumes were mounted, which every container waits for: one has begun, or pulls its image."""
    waiting = ("", "ContainerCreating", "PodInitializing")
    return any(
        status.restart_count > 0
        or status.state.running is not None
        or status.state.terminated is not None
        or (status.state.waiting is not None and status.state.waiting.reason not in waiting)
        for status in case.statuses.values()
    )


def is_finished(case: Case) -> bool:
    """Whether all of it has ended: it needs no token any more, and no node."""
    return case.pod.status.phase in {"Succeeded", "Failed"}
