"""From what a person asks for to a plan: the object is looked up, and the action says what it would do to it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from msgspec.structs import replace

from bot import objects
from bot.actions.action import Action, Parameters
from bot.actions.failures import explained
from bot.errors import ClusterUnreachableError
from bot.kube import read
from bot.kube.client import Cluster
from bot.kube.gaps import AbsentError
from bot.kube.permissions import GET_OWNER, GET_POD
from bot.kube.resolve import resolve
from bot.model import ActionKind, ObjectRef, Plan, Target

_GET = {"Pod": GET_POD, **GET_OWNER}
_DEADLINE_SECONDS = 20.0


class Planner:
    """`cluster` connects to one by name; "" is the only one there is."""

    def __init__(self, actions: Mapping[ActionKind, Action], cluster: Callable[[str], Awaitable[Cluster]]) -> None:
        self._actions = actions
        self._cluster = cluster

    async def look_up(self, kind: ActionKind, target: Target) -> ObjectRef:
        """The object that the action would be done to: of a pod or a Job, what makes it, where only that can be.

        Raises as `resolve` does, CannotActError and ClusterUnreachableError.
        """
        cluster = await self._cluster(target.cluster)
        ref = await resolve(cluster, target)
        return ref if ref.kind in self._actions[kind].of else await _made_by(cluster, ref, self._actions[kind].of)

    async def plan(self, kind: ActionKind, ref: ObjectRef, parameters: Parameters) -> Plan:
        """What would be done now. Raises CannotActError, PlanChangedError and ClusterUnreachableError."""
        cluster = await self._cluster(ref.cluster)
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                return await self._actions[kind].plan(cluster, ref, parameters)
        except TimeoutError:
            raise ClusterUnreachableError(
                f"Cluster {cluster.name} did not answer within {_DEADLINE_SECONDS:.0f} seconds.",
                next_step="Try again in a moment.",
            ) from None


async def _made_by(cluster: Cluster, ref: ObjectRef, wanted: frozenset[str]) -> ObjectRef:
    """Up the controllers to the first of a wanted kind; the object itself where there is none: the action says no."""
    found = ref
    with explained(ref):
        while found.kind in _GET and found.kind not in wanted:
            try:
                seen = await read.metadata(
                    cluster.main, _GET[found.kind], objects.Named, namespace=found.namespace, name=found.name
                )
            except AbsentError:
                return ref
            owner = next((one for one in seen.metadata.owner_references if one.controller), None)
            if owner is None:
                return ref
            found = replace(found, api_version=owner.api_version, kind=owner.kind, name=owner.name, uid=owner.uid)
    return found if found.kind in wanted else ref
