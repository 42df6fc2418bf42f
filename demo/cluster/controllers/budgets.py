"""How many pods of a PodDisruptionBudget may be evicted now (pkg/controller/disruption)."""

from demo.cluster import resources as r
from demo.cluster.controllers.context import MANAGER, Context, is_active, is_ready, share
from demo.cluster.controllers.queue import Queue
from demo.cluster.objects import JsonObject, Key, key_of, meta, namespace_of, stamp
from demo.cluster.selectors import by_labels
from demo.cluster.store import Change


class Budgets:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._queue = Queue(context.agenda, self._reconcile)

    def react(self, change: Change) -> None:
        if change.resource is r.BUDGETS:
            self._queue.add(key_of(change.found))
        if change.resource is r.PODS:
            for each in self._context.registry.store.items(r.BUDGETS, namespace_of(change.found)):
                self._queue.add(key_of(each))

    def _reconcile(self, key: Key) -> None:
        found = self._context.registry.store.get(r.BUDGETS, *key)
        if found is None:
            return
        spec = found["spec"]
        wanted = by_labels(spec.get("selector"))
        pods = [each for each in self._context.registry.store.items(r.PODS, key[0]) if wanted(each) and is_active(each)]
        healthy, expected = sum(map(is_ready, pods)), len(pods)
        if "minAvailable" in spec:
            needed = share(spec["minAvailable"], expected, up=True)
        else:
            needed = max(0, expected - share(spec.get("maxUnavailable", 1), expected, up=True))
        allowed = max(0, healthy - needed)
        told = ("True", "SufficientPods") if allowed else ("False", "InsufficientPods")
        status = {
            "observedGeneration": meta(found)["generation"],
            "currentHealthy": healthy,
            "desiredHealthy": needed,
            "expectedPods": expected,
            "disruptionsAllowed": allowed,
            "conditions": [self._condition(found, *told)],
        }
        self._context.registry.change_status(r.BUDGETS, *key, status, MANAGER)

    def _condition(self, found: JsonObject, status: str, reason: str) -> JsonObject:
        before = ((found.get("status") or {}).get("conditions") or [{}])[0]
        now = stamp(self._context.clock.now())
        since = before["lastTransitionTime"] if before.get("status") == status else now
        return {
            "type": "DisruptionAllowed",
            "status": status,
            "reason": reason,
            "message": "",
            "observedGeneration": meta(found)["generation"],
            "lastTransitionTime": since,
        }
