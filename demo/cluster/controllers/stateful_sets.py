"""Keeps a StatefulSet's numbered pods, and replaces them from the last one down (pkg/controller/statefulset)."""

from demo.cluster import resources as r
from demo.cluster.controllers.context import MANAGER, Context, is_ready
from demo.cluster.controllers.queue import Queue
from demo.cluster.controllers.replica_sets import pod_of
from demo.cluster.failures import StatusError
from demo.cluster.objects import (
    JsonObject,
    Key,
    at_path,
    controller_of,
    digest,
    is_leaving,
    key_of,
    labels_of,
    meta,
    name_of,
    namespace_of,
)
from demo.cluster.store import Change

REVISION = "controller-revision-hash"
_AGAIN_SECONDS = 5.0
_BY = "statefulset-controller"


class StatefulSets:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._queue = Queue(context.agenda, self._reconcile)

    def react(self, change: Change) -> None:
        if change.resource is r.STATEFUL_SETS:
            self._queue.add(key_of(change.found))
        if change.resource is r.PODS and (owner := controller_of(change.found)) and owner["kind"] == "StatefulSet":
            self._queue.add((namespace_of(change.found), owner["name"]))

    def _reconcile(self, key: Key) -> None:
        found = self._context.registry.store.get(r.STATEFUL_SETS, *key)
        if found is None or is_leaving(found):
            return
        revision = f"{name_of(found)}-{digest(found['spec']['template'])}"
        self._step(found, {name_of(each): each for each in self._context.made_by(found)}, revision)
        self._tell(key, revision)

    def _step(self, found: JsonObject, pods: dict[str, JsonObject], revision: str) -> None:
        """One thing at a time: a pod that is missing, one that is too many, or an old one."""
        wanted = found["spec"]["replicas"]
        in_order = found["spec"].get("podManagementPolicy") == "OrderedReady"
        for number in range(wanted):
            pod = pods.get(f"{name_of(found)}-{number}")
            if pod is None:
                self._create(found, number, revision)
            if in_order and (pod is None or not is_ready(pod)):
                return
        names = {f"{name_of(found)}-{number}" for number in range(wanted)}
        surplus = sorted((name for name in pods if name not in names), key=_number, reverse=True)
        if surplus:
            self._delete(found, pods[surplus[0]])
            return
        strategy = found["spec"]["updateStrategy"]
        if strategy["type"] == "OnDelete" or not all(is_ready(each) for each in pods.values()):
            return
        partition = at_path(strategy, "rollingUpdate", "partition") or 0
        for number in range(wanted - 1, partition - 1, -1):
            pod = pods[f"{name_of(found)}-{number}"]
            if labels_of(pod).get(REVISION) != revision:
                self._delete(found, pod)
                return

    def _create(self, found: JsonObject, number: int, revision: str) -> None:
        name = f"{name_of(found)}-{number}"
        pod = pod_of(found, name)
        own = {"apps.kubernetes.io/pod-index": str(number), "statefulset.kubernetes.io/pod-name": name}
        meta(pod)["labels"] = {**labels_of(pod), REVISION: revision, **own}
        pod["spec"]["hostname"] = name
        told = f"create Pod {name} in StatefulSet {name_of(found)}"
        try:
            self._context.registry.create(r.PODS, namespace_of(found), pod, MANAGER)
        except StatusError as error:
            message = f"{told} failed error: {error.message}"
            self._context.events.tell(found, "FailedCreate", message, by=_BY, warning=True)
            self._queue.add_later(key_of(found), _AGAIN_SECONDS)
        else:
            self._context.events.tell(found, "SuccessfulCreate", f"{told} successful", by=_BY)

    def _delete(self, found: JsonObject, pod: JsonObject) -> None:
        if is_leaving(pod):
            return
        self._context.registry.delete(r.PODS, namespace_of(pod), name_of(pod), how=MANAGER)
        told = f"delete Pod {name_of(pod)} in StatefulSet {name_of(found)} successful"
        self._context.events.tell(found, "SuccessfulDelete", told, by=_BY)

    def _tell(self, key: Key, revision: str) -> None:
        found = self._context.registry.get(r.STATEFUL_SETS, *key)
        pods = [each for each in self._context.made_by(found) if not is_leaving(each)]
        ready = sum(map(is_ready, pods))
        updated = sum(labels_of(each).get(REVISION) == revision for each in pods)
        current = at_path(found, "status", "currentRevision") or revision
        is_done = updated == ready == found["spec"]["replicas"]
        status = {
            "observedGeneration": meta(found)["generation"],
            "replicas": len(pods),
            "readyReplicas": ready,
            "availableReplicas": ready,
            "updatedReplicas": updated,
            "currentReplicas": updated if is_done else len(pods) - updated,
            "currentRevision": revision if is_done else current,
            "updateRevision": revision,
            "collisionCount": 0,
        }
        self._context.registry.change_status(r.STATEFUL_SETS, *key, status, MANAGER)


def _number(name: str) -> int:
    return int(name.rpartition("-")[2])
