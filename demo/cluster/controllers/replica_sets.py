"""Keeps as many pods of a ReplicaSet as are wanted."""

from demo.cluster import resources as r
from demo.cluster.controllers.context import MANAGER, Context, is_active, is_ready
from demo.cluster.controllers.queue import Queue
from demo.cluster.failures import StatusError
from demo.cluster.objects import (
    JsonObject,
    Key,
    clone,
    controller_of,
    is_leaving,
    key_of,
    meta,
    name_of,
    namespace_of,
    owned_by,
    stamp,
)
from demo.cluster.store import Change

_AGAIN_SECONDS = 5.0
_BY = "replicaset-controller"


def pod_of(owner: JsonObject, name: str = "") -> JsonObject:
    """What the owner's template makes; without a name one is generated."""
    template: JsonObject = clone(owner["spec"]["template"])
    metadata: JsonObject = template.get("metadata") or {}
    named = {"name": name} if name else {"generateName": f"{name_of(owner)}-"}
    return {"metadata": {**metadata, **named, "ownerReferences": owned_by(owner)}, "spec": template["spec"]}


class ReplicaSets:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._queue = Queue(context.agenda, self._reconcile)

    def react(self, change: Change) -> None:
        if change.resource is r.REPLICA_SETS:
            self._queue.add(key_of(change.found))
        if change.resource is r.PODS and (owner := controller_of(change.found)) and owner["kind"] == "ReplicaSet":
            self._queue.add((namespace_of(change.found), owner["name"]))

    def _reconcile(self, key: Key) -> None:
        found = self._context.registry.store.get(r.REPLICA_SETS, *key)
        if found is None or is_leaving(found):
            return
        pods = self._context.made_by(found)
        active = [each for each in pods if is_active(each)]
        missing = found["spec"]["replicas"] - len(active)
        failure = self._create(found, missing) if missing > 0 else ""
        if missing < 0:
            self._delete(found, active, -missing)
        self._tell(key, failure)

    def _create(self, found: JsonObject, count: int) -> str:
        """What kept it from making them all, "" where nothing did."""
        for _ in range(count):
            try:
                pod = self._context.registry.create(r.PODS, namespace_of(found), pod_of(found), MANAGER)
            except StatusError as error:
                self._context.events.tell(
                    found, "FailedCreate", f"Error creating: {error.message}", by=_BY, warning=True
                )
                self._queue.add_later(key_of(found), _AGAIN_SECONDS)
                return error.message
            self._context.events.tell(found, "SuccessfulCreate", f"Created pod: {name_of(pod)}", by=_BY)
        return ""

    def _delete(self, found: JsonObject, active: list[JsonObject], count: int) -> None:
        """Those that are not ready first, then the youngest."""
        ordered = sorted(active, key=lambda each: str(meta(each)["creationTimestamp"]), reverse=True)
        for pod in sorted(ordered, key=is_ready)[:count]:
            self._context.registry.delete(r.PODS, namespace_of(pod), name_of(pod), how=MANAGER)
            self._context.events.tell(found, "SuccessfulDelete", f"Deleted pod: {name_of(pod)}", by=_BY)

    def _tell(self, key: Key, failure: str) -> None:
        found = self._context.registry.store.get(r.REPLICA_SETS, *key)
        if found is None:
            return
        pods = self._context.made_by(found)
        active, ready = [each for each in pods if is_active(each)], [each for each in pods if is_ready(each)]
        status: JsonObject = {
            "replicas": len(active),
            "fullyLabeledReplicas": len(active),
            "readyReplicas": len(ready),
            "availableReplicas": len(ready),
            "terminatingReplicas": sum(is_leaving(each) for each in pods),
            "observedGeneration": meta(found)["generation"],
        }
        status = {name: count for name, count in status.items() if count or name in {"replicas", "terminatingReplicas"}}
        if failure:
            told = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": failure}
            before = (found.get("status") or {}).get("conditions") or [{}]
            since = before[0].get("lastTransitionTime") or stamp(self._context.clock.now())
            status["conditions"] = [{**told, "lastTransitionTime": since}]
        self._context.registry.change_status(r.REPLICA_SETS, *key, status, MANAGER)
