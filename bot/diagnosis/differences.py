"""What the pods that have a cause have in common, and the others have not: often the answer itself. Pure."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from bot.durations import utc
from bot.model import Snapshot
from bot.objects import Pod

_APART = timedelta(minutes=1)
"""Pods of one rollout start together: less than this tells nothing."""


class Traits(Struct, frozen=True):
    """What a pod may share with some of its siblings. `started` is its longest running container's start."""

    controller: str
    node: str
    account: str
    started: datetime | None


def traits(snapshot: Snapshot) -> Traits | None:
    """None where the pod was not read."""
    pod = snapshot.pod.value
    if pod is None:
        return None
    owner = next((ref for ref in pod.metadata.owner_references if ref.controller), None)
    return Traits(
        controller=f"{owner.kind} {owner.name}" if owner else "",
        node=pod.spec.node_name,
        account=pod.spec.service_account_name,
        started=_started(pod),
    )


def difference(having: Sequence[Traits], lacking: Sequence[Traits]) -> str:
    """In words, what sets the ones apart from the others; "" where nothing does, or there are no others."""
    if not having or not lacking:
        return ""
    they, their, run = ("It", "Its", "runs") if len(having) == 1 else ("They", "Their", "run")
    found = []
    if controller := _apart(having, lacking, lambda each: each.controller):
        found.append(f"{they} alone {'is' if len(having) == 1 else 'are'} of {controller}.")
    if account := _apart(having, lacking, lambda each: each.account):
        found.append(f"{they} alone {run} as service account {account}.")
    # One node for each pod sets every pod apart, and tells nothing.
    nodes = {each.node for each in (*having, *lacking)}
    if len(nodes) < len(having) + len(lacking) and (node := _apart(having, lacking, lambda each: each.node)):
        found.append(f"{they} alone {run} on node {node}.")
    if started := _started_apart(having, lacking):
        found.append(f"{their} containers started {started}.")
    return " ".join(found)


def _apart(having: Sequence[Traits], lacking: Sequence[Traits], trait: Callable[[Traits], str]) -> str:
    values, others = {trait(each) for each in having}, {trait(each) for each in lacking}
    return values.pop() if len(values) == 1 and not values & others else ""


def _started_apart(having: Sequence[Traits], lacking: Sequence[Traits]) -> str:
    ones = sorted(each.started for each in having if each.started)
    others = sorted(each.started for each in lacking if each.started)
    if len(ones) < len(having) or len(others) < len(lacking):
        return ""
    if ones[-1] + _APART < others[0]:
        return f"{_by(ones)}, before all others ({_since(others)})"
    if others[-1] + _APART < ones[0]:
        return f"{_since(ones)}, after all others ({_by(others)})"
    return ""


def _by(times: Sequence[datetime]) -> str:
    return f"{'at' if len(times) == 1 else 'until'} {utc(times[-1])}"


def _since(times: Sequence[datetime]) -> str:
    return f"{'at' if len(times) == 1 else 'from'} {utc(times[0])}{'' if len(times) == 1 else ' on'}"


def _started(pod: Pod) -> datetime | None:
    running = (status.state.running for status in pod.status.container_statuses)
    return min((each.started_at for each in running if each and each.started_at), default=None)
