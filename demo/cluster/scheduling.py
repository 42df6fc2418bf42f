"""Which node takes a pod."""

from collections import Counter

from demo.cluster import resources as r
from demo.cluster.controllers.context import Context, is_active
from demo.cluster.managed_fields import Writer
from demo.cluster.objects import JsonObject, Key, at_path, clone, key_of, labels_of, name_of, namespace_of, stamp
from demo.cluster.registry import How
from demo.cluster.store import Change

_SCHEDULER = How(Writer("kube-scheduler"))
_NOT_NOW = {"NoSchedule", "NoExecute"}


def takes(node: JsonObject, spec: JsonObject, *, any_trouble: bool = False) -> bool:
    """`any_trouble`: as a DaemonSet's pods, which stay on nodes in trouble."""
    tolerations = spec.get("tolerations") or []
    for taint in at_path(node, "spec", "taints") or []:
        if taint["effect"] not in _NOT_NOW or (any_trouble and taint["key"].startswith("node.kubernetes.io/")):
            continue
        if not any(_tolerates(each, taint) for each in tolerations):
            return False
    wanted = spec.get("nodeSelector") or {}
    return all(labels_of(node).get(name) == value for name, value in wanted.items())


def _tolerates(toleration: JsonObject, taint: JsonObject) -> bool:
    if toleration.get("effect") not in {None, "", taint["effect"]}:
        return False
    if toleration.get("operator") == "Exists":
        return toleration.get("key") in {None, "", taint["key"]}
    same = toleration.get("key"), toleration.get("value", "")
    return same == (taint["key"], taint.get("value", ""))


class Scheduler:
    """Gives each new pod to the node with the fewest."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def react(self, change: Change) -> None:
        if change.kind == "ADDED" and change.resource is r.PODS and not change.found["spec"].get("nodeName"):
            key = key_of(change.found)
            self._context.agenda.soon(lambda: self._bind(key))

    def _bind(self, key: Key) -> None:
        store = self._context.registry.store
        pod = store.get(r.PODS, *key)
        if pod is None:
            return
        counts = Counter(each["spec"].get("nodeName", "") for each in store.items(r.PODS) if is_active(each))
        fitting = [name_of(each) for each in store.items(r.NODES) if takes(each, pod["spec"])]
        if not fitting:
            self._tell_unschedulable(pod)
            return
        node = min(fitting, key=lambda name: (counts[name], name))

        def bound(found: JsonObject) -> JsonObject:
            return {**found, "spec": {**found["spec"], "nodeName": node}}

        pod = self._context.registry.change(r.PODS, *key, bound, _SCHEDULER)
        told = f"Successfully assigned {namespace_of(pod)}/{name_of(pod)} to {node}"
        self._context.events.tell(pod, "Scheduled", told, by="default-scheduler")

    def _tell_unschedulable(self, pod: JsonObject) -> None:
        count = len(self._context.registry.store.items(r.NODES))
        told = f"0/{count} nodes are available: {count} node(s) had untolerated taint(s)."
        status = clone(pod["status"])
        condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": told}
        status["conditions"] = [{**condition, "lastTransitionTime": stamp(self._context.clock.now())}]
        self._context.registry.change_status(r.PODS, *key_of(pod), status, _SCHEDULER)
        self._context.events.tell(pod, "FailedScheduling", told, by="default-scheduler", warning=True)
