"""Keeps a pod of a DaemonSet on every node that takes it, and replaces them one after the other."""

from demo.cluster import resources as r
from demo.cluster.controllers.context import MANAGER, Context, is_active, is_ready, share
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
from demo.cluster.scheduling import takes
from demo.cluster.store import Change

REVISION = "controller-revision-hash"
_AGAIN_SECONDS = 5.0
_BY = "daemonset-controller"


class DaemonSets:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._queue = Queue(context.agenda, self._reconcile)

    def react(self, change: Change) -> None:
        if change.resource is r.DAEMON_SETS:
            self._queue.add(key_of(change.found))
        if change.resource is r.PODS and (owner := controller_of(change.found)) and owner["kind"] == "DaemonSet":
            self._queue.add((namespace_of(change.found), owner["name"]))

    def _reconcile(self, key: Key) -> None:
        found = self._context.registry.store.get(r.DAEMON_SETS, *key)
        if found is None or is_leaving(found):
            return
        revision = digest(found["spec"]["template"])
        nodes = [
            name_of(each)
            for each in self._context.registry.store.items(r.NODES)
            if takes(each, found["spec"]["template"]["spec"], any_trouble=True)
        ]
        pods = {each["spec"].get("nodeName", ""): each for each in self._context.made_by(found)}
        for node in nodes:
            if node not in pods:
                self._create(found, node, revision)
        self._replace(found, pods, revision, len(nodes))
        self._tell(key, revision, len(nodes))

    def _create(self, found: JsonObject, node: str, revision: str) -> None:
        pod = pod_of(found)
        meta(pod)["labels"] = {**labels_of(pod), REVISION: revision, "pod-template-generation": "1"}
        pod["spec"] |= {"nodeName": node}
        try:
            made = self._context.registry.create(r.PODS, namespace_of(found), pod, MANAGER)
        except StatusError as error:
            told = f"Error creating: {error.message}"
            self._context.events.tell(found, "FailedCreate", told, by=_BY, warning=True)
            self._queue.add_later(key_of(found), _AGAIN_SECONDS)
        else:
            self._context.events.tell(found, "SuccessfulCreate", f"Created pod: {name_of(made)}", by=_BY)

    def _replace(self, found: JsonObject, pods: dict[str, JsonObject], revision: str, nodes: int) -> None:
        strategy = found["spec"]["updateStrategy"]
        if strategy["type"] == "OnDelete":
            return
        most = share(at_path(strategy, "rollingUpdate", "maxUnavailable") or 1, nodes, up=True)
        old = [each for each in pods.values() if labels_of(each).get(REVISION) != revision and is_active(each)]
        spare = most - (nodes - sum(map(is_ready, pods.values())))
        for pod in sorted(old, key=is_ready)[: max(0, spare)]:
            self._context.registry.delete(r.PODS, namespace_of(pod), name_of(pod), how=MANAGER)
            self._context.events.tell(found, "SuccessfulDelete", f"Deleted pod: {name_of(pod)}", by=_BY)

    def _tell(self, key: Key, revision: str, nodes: int) -> None:
        found = self._context.registry.get(r.DAEMON_SETS, *key)
        pods = [each for each in self._context.made_by(found) if is_active(each)]
        ready = sum(map(is_ready, pods))
        status: JsonObject = {
            "currentNumberScheduled": len(pods),
            "numberMisscheduled": 0,
            "desiredNumberScheduled": nodes,
            "numberReady": ready,
            "observedGeneration": meta(found)["generation"],
            "updatedNumberScheduled": sum(labels_of(each).get(REVISION) == revision for each in pods),
            "numberAvailable": ready,
        }
        if ready < nodes:
            status["numberUnavailable"] = nodes - ready
        self._context.registry.change_status(r.DAEMON_SETS, *key, status, MANAGER)
