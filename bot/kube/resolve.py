"""From what a person typed to an object that exists; near misses are offered, never guessed."""

import asyncio
from difflib import get_close_matches

from bot import objects
from bot.errors import ClusterForbiddenError, ClusterUnreachableError, DoctorError, TargetNotFoundError
from bot.kube import read
from bot.kube.client import Cluster
from bot.kube.gaps import AbsentError, DeniedError, UnreadableError
from bot.kube.permissions import GET_NAMESPACE, GET_POD, LIST_NAMESPACES, LIST_PODS, Operation
from bot.model import ObjectRef, Target

_MOST_OFFERED = 5
_MOST_LISTED = 5_000
_CLOSENESS = 0.6


async def resolve(cluster: Cluster, target: Target, *, deadline_seconds: float = 10) -> ObjectRef:
    """The pod that the target names.

    Raises TargetNotFoundError with the nearest names, ClusterForbiddenError with the rule to add, and
    ClusterUnreachableError.
    """
    try:
        async with asyncio.timeout(deadline_seconds):
            return await _resolve(cluster, target)
    except TimeoutError:
        raise ClusterUnreachableError(
            f"Cluster {cluster.name} did not answer within {deadline_seconds:.0f} seconds.",
            next_step=f"Check that {cluster.server} can be reached from here.",
        ) from None
    except DeniedError as error:
        raise ClusterForbiddenError(f"{error}, so nothing can be said.", next_step=error.mend) from None
    except UnreadableError as error:
        raise ClusterUnreachableError(
            f"Cluster {cluster.name} cannot be asked: {error}.",
            next_step=f"Check that {cluster.server} can be reached from here.",
        ) from None


async def _resolve(cluster: Cluster, target: Target) -> ObjectRef:
    if target.kind in {"", "pod"}:
        try:
            found = await read.metadata(
                cluster.main, GET_POD, objects.Named, namespace=target.namespace, name=target.name
            )
        except AbsentError:
            pass
        else:
            return ObjectRef(
                cluster=cluster.name,
                api_version="v1",
                kind="Pod",
                namespace=target.namespace,
                name=target.name,
                uid=found.metadata.uid,
            )
    raise await _not_found(cluster, target)


async def _not_found(cluster: Cluster, target: Target) -> DoctorError:
    namespaces = await _other_namespaces(cluster, target.namespace)
    if namespaces is not None:
        near = tuple(f"{name}/{target.name}" for name in _close(target.namespace, namespaces))
        return TargetNotFoundError(
            f"There is no namespace {target.namespace} in cluster {cluster.name}.", nearest=near, next_step=_offer(near)
        )
    pods = await _names(cluster, LIST_PODS, namespace=target.namespace)
    near = tuple(f"{target.namespace}/{name}" for name in _nearest(target.name, pods))
    if target.kind in {"", "pod"}:
        sentence = f"There is no pod {target.namespace}/{target.name} in cluster {cluster.name}."
    else:
        sentence = f"A {target.kind} cannot be checked, only a pod can."
    return TargetNotFoundError(sentence, nearest=near, next_step=_offer(near))


async def _other_namespaces(cluster: Cluster, name: str) -> list[str] | None:
    """The names of all namespaces, when this one does not exist; None when it does, or nobody may know."""
    try:
        await read.metadata(cluster.main, GET_NAMESPACE, objects.Named, namespace=name, name=name)
    except AbsentError:
        return await _names(cluster, LIST_NAMESPACES)
    except DeniedError:
        return None
    return None


async def _names(cluster: Cluster, operation: Operation, *, namespace: str = "") -> list[str]:
    """What may not be listed is not offered: the answer stays true without it."""
    try:
        found = await read.get_all(
            cluster.main, operation, objects.Named, namespace=namespace, accept=read.METADATA_LIST, most=_MOST_LISTED
        )
    except UnreadableError:
        return []
    return sorted(item.metadata.name for item in found)


def _nearest(name: str, names: list[str]) -> list[str]:
    """Those that begin with the name first (a workload's pods), then those that look like it."""
    begin = [candidate for candidate in names if candidate.startswith(name)]
    rest = [candidate for candidate in names if candidate not in set(begin)]
    return (begin + _close(name, rest))[:_MOST_OFFERED]


def _close(name: str, names: list[str]) -> list[str]:
    return get_close_matches(name, names, n=_MOST_OFFERED, cutoff=_CLOSENESS)


def _offer(near: tuple[str, ...]) -> str:
    return f"Did you mean {' or '.join(near)}?" if near else "Check the name with `kubectl get pods`."
