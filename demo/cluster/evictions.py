"""Evictions: a deletion that a PodDisruptionBudget may refuse (`pkg/registry/core/pod/storage/eviction.go`)."""

from demo.cluster import failures
from demo.cluster import resources as r
from demo.cluster.controllers.context import is_ready
from demo.cluster.failures import StatusError
from demo.cluster.objects import JsonObject, at_path, clone, key_of, name_of, stamp
from demo.cluster.registry import Deletion, How, Registry
from demo.cluster.selectors import by_labels


def evict(registry: Registry, namespace: str, name: str, body: JsonObject, how: How) -> JsonObject:
    """Raises StatusError."""
    if (body.get("metadata") or {}).get("name", name) != name:
        raise failures.bad_request("name in URL does not match name in Eviction object")
    options: JsonObject = body.get("deleteOptions") or {}
    how = How(how.writer, dry_run=how.dry_run or bool(options.get("dryRun")))
    deletion = deletion_of(options)
    pod = registry.get(r.PODS, namespace, name)
    if at_path(pod, "status", "phase") not in {"Pending", "Succeeded", "Failed"}:
        _check_budget(registry, pod, how)
    registry.delete(r.PODS, namespace, name, deletion, how)
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def deletion_of(options: JsonObject) -> Deletion:
    held: JsonObject = options.get("preconditions") or {}
    return Deletion(
        grace=options.get("gracePeriodSeconds"),
        uid=held.get("uid"),
        resource_version=held.get("resourceVersion"),
        orphans=options.get("propagationPolicy") == "Orphan" or options.get("orphanDependents") is True,
    )


def _check_budget(registry: Registry, pod: JsonObject, how: How) -> None:
    namespace = pod["metadata"]["namespace"]
    budgets = [
        each for each in registry.store.items(r.BUDGETS, namespace) if by_labels(each["spec"].get("selector"))(pod)
    ]
    if len(budgets) > 1:
        told = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        raise StatusError(500, "", told)
    if not budgets:
        return
    budget = budgets[0]
    status: JsonObject = budget.get("status") or {}
    current, desired = status.get("currentHealthy", 0), status.get("desiredHealthy", 0)
    if not is_ready(pod) and current >= desired > 0:
        return
    if not status.get("disruptionsAllowed"):
        raise _refused(name_of(budget), current, desired)
    if how.dry_run:
        return
    changed = clone(status)
    changed["disruptionsAllowed"] -= 1
    changed.setdefault("disruptedPods", {})[name_of(pod)] = stamp(registry.clock.now())
    registry.change_status(r.BUDGETS, *key_of(budget), changed, how)


def _refused(name: str, current: int, desired: int) -> StatusError:
    if current <= desired:
        told = f"The disruption budget {name} needs {desired} healthy pods and has {current} currently"
    else:
        told = f"The disruption budget {name} does not allow evicting pods currently"
    message = "Cannot evict pod as it would violate the pod's disruption budget."
    cause = {"reason": "DisruptionBudget", "message": told}
    return StatusError(429, "TooManyRequests", message, {"causes": [cause]})
