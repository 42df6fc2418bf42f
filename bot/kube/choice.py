"""Which of many pods are examined: those in trouble first, then one of each kind that there is. Pure."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from bot.objects import ContainerStatus, Pod

_FOR_CONTRAST = 3
"""At least so many places are left for pods that are well: what they have not, is what the others have."""

_LATER = datetime.max.replace(tzinfo=UTC)


def choose(pods: Sequence[Pod], most: int) -> tuple[Pod, ...]:
    """At most so many: not ready, restarted, then one of each revision and of each node, then the oldest."""
    if len(pods) <= most:
        return tuple(pods)
    sick = sorted((pod for pod in pods if is_troubled(pod)), key=_worst_first)
    well = sorted((pod for pod in pods if not is_troubled(pod)), key=_oldest_first)
    room = most - min(_FOR_CONTRAST, most // 2, len(well))
    chosen = sick[:room]
    for feature in (revision, lambda pod: pod.spec.node_name):
        seen = {feature(pod) for pod in chosen}
        for pod in (*well, *sick[room:]):
            if feature(pod) not in seen and pod not in chosen:
                seen.add(feature(pod))
                chosen.append(pod)
    rest = [pod for pod in (*well, *sick[room:]) if pod not in chosen]
    return tuple([*chosen, *rest][:most])


def still_there(pods: Iterable[Pod], *, ended: str = "") -> tuple[Pod, ...]:
    """Without those in which nothing runs any more, and which were replaced: evicted, or a Job's failed tries.

    `ended` is a Job's final condition. What has ended as it should stays.
    """
    if ended == "Complete":
        done = tuple(pod for pod in pods if pod.status.phase == "Succeeded")
        return done or tuple(pods)
    return tuple(pod for pod in pods if not (pod.status.phase == "Failed" and pod.spec.restart_policy == "Always"))


def is_troubled(pod: Pod) -> bool:
    """Not ready, or with a restart behind it."""
    return not _is_ready(pod) or _restarts(pod) > 0


def revision(pod: Pod) -> str:
    """The controller's name: a ReplicaSet is a revision of its Deployment."""
    return next((owner.name for owner in pod.metadata.owner_references if owner.controller), "")


def _is_ready(pod: Pod) -> bool:
    statuses = pod.status.container_statuses
    return pod.status.phase == "Succeeded" or bool(statuses and all(status.ready for status in statuses))


def _restarts(pod: Pod) -> int:
    statuses: tuple[ContainerStatus, ...] = pod.status.container_statuses
    return sum(status.restart_count for status in statuses)


def _worst_first(pod: Pod) -> tuple[bool, bool, int, str]:
    leaving = pod.metadata.deletion_timestamp is not None
    return leaving, _is_ready(pod), -_restarts(pod), pod.metadata.name


def _oldest_first(pod: Pod) -> tuple[datetime, str]:
    """The oldest hold the oldest tokens."""
    return pod.metadata.creation_timestamp or _LATER, pod.metadata.name
