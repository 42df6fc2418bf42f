"""What people will notice of a rollout: how many pods are missing meanwhile. Pure."""

from math import ceil, floor

from bot.kube.rollout import RollingUpdate, Workload
from bot.model import Risk

_QUARTER = "25%"


def counted(number: int, what: str = "pod") -> str:
    """`1 pod`, `3 pods`."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def are(number: int, what: str = "pod") -> str:
    """`1 pod is`, `3 pods are`."""
    return f"{counted(number, what)} {'is' if number == 1 else 'are'}"


def sentence(workload: Workload) -> str:
    """How its pods are replaced."""
    count = workload.wanted
    if workload.strategy.type == "Recreate":
        return f"Strategy Recreate: {are(count)} stopped before any new one is made, so nobody answers meanwhile."
    missing, more = _bounds(workload)
    if workload.kind == "StatefulSet":
        stay = _partition(workload)
        return f"Its pods are replaced in order, {_at_a_time(missing)}: that many are missing meanwhile{stay}."
    if workload.kind == "DaemonSet":
        where = "that many nodes are without it" if missing else "a new one is made beside each before it goes"
        return f"It runs on {counted(count, 'node')}; pods are replaced {_at_a_time(missing or more)}: {where}."
    if not missing:
        pace = _at_a_time(min(more, count))
        return f"Rolling: {are(count)} replaced, {pace}, each only when a new one is ready: none is missing meanwhile."
    left = max(0, count - missing)
    return f"Rolling: of {counted(count)} at least {left} keep{'s' if left == 1 else ''} answering meanwhile."


def risk(workload: Workload) -> Risk:
    """Medium where somebody may be without an answer meanwhile."""
    if workload.strategy.type == "Recreate" or workload.kind == "DaemonSet":
        return Risk.MEDIUM
    missing, _ = _bounds(workload)
    return Risk.LOW if missing < workload.wanted else Risk.MEDIUM


def _bounds(workload: Workload) -> tuple[int, int]:
    """How many may be missing, and how many more may be there, while it rolls."""
    rolling, count = workload.strategy.rolling_update or RollingUpdate(), workload.wanted
    if workload.kind == "StatefulSet":
        return max(1, _of(rolling.max_unavailable, 1, count, up=False)), 0
    if workload.kind == "DaemonSet":
        more = _of(rolling.max_surge, 0, count, up=True)
        return _of(rolling.max_unavailable, 0 if more else 1, count, up=True), more
    missing = _of(rolling.max_unavailable, _QUARTER, count, up=False)
    more = _of(rolling.max_surge, _QUARTER, count, up=True)
    # Where both come to nothing, the controller lets one be missing (`deployment/util`, ResolveFenceposts).
    return (missing, more) if missing or more else (1, 0)


def _of(value: int | str | None, default: int | str, count: int, *, up: bool) -> int:
    """A number, or a percentage of the pods: a Deployment's surge and a DaemonSet's both are rounded up."""
    chosen = default if value is None else value
    if isinstance(chosen, int):
        return chosen
    share = int(chosen.rstrip("%")) * count / 100
    return ceil(share) if up else floor(share)


def _at_a_time(count: int) -> str:
    return "one at a time" if count == 1 else f"{count} at a time"


def _partition(workload: Workload) -> str:
    rolling = workload.strategy.rolling_update
    first = rolling.partition if rolling else None
    return f"; those numbered below {first} stay as they are (partition)" if first else ""
