"""Runs a Job's pod until it has ended well, or often enough (one pod at a time)."""

from demo.cluster import resources as r
from demo.cluster.controllers.context import MANAGER, Context, is_active, is_ready
from demo.cluster.controllers.queue import Queue
from demo.cluster.controllers.replica_sets import pod_of
from demo.cluster.failures import StatusError
from demo.cluster.objects import (
    JsonObject,
    Key,
    at_path,
    controller_of,
    is_leaving,
    key_of,
    name_of,
    namespace_of,
    stamp,
)
from demo.cluster.store import Change

_AGAIN_SECONDS = 10.0
_BY = "job-controller"


class Jobs:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._queue = Queue(context.agenda, self._reconcile)

    def react(self, change: Change) -> None:
        if change.resource is r.JOBS:
            self._queue.add(key_of(change.found))
        if change.resource is r.PODS and (owner := controller_of(change.found)) and owner["kind"] == "Job":
            self._queue.add((namespace_of(change.found), owner["name"]))

    def _reconcile(self, key: Key) -> None:
        found = self._context.registry.store.get(r.JOBS, *key)
        if found is None or is_leaving(found) or at_path(found, "status", "conditions"):
            return
        pods = self._context.made_by(found)
        done = sum(at_path(each, "status", "phase") == "Succeeded" for each in pods)
        failed = sum(at_path(each, "status", "phase") == "Failed" for each in pods)
        active = [each for each in pods if is_active(each)]
        over = done >= found["spec"]["completions"] or failed > found["spec"]["backoffLimit"]
        if not active and not over and not found["spec"]["suspend"]:
            self._create(found)
            return
        self._tell(found, active, done, failed)

    def _create(self, found: JsonObject) -> None:
        try:
            pod = self._context.registry.create(r.PODS, namespace_of(found), pod_of(found), MANAGER)
        except StatusError as error:
            told = f"Error creating: {error.message}"
            self._context.events.tell(found, "FailedCreate", told, by=_BY, warning=True)
            self._queue.add_later(key_of(found), _AGAIN_SECONDS)
        else:
            self._context.events.tell(found, "SuccessfulCreate", f"Created pod: {name_of(pod)}", by=_BY)

    def _tell(self, found: JsonObject, active: list[JsonObject], done: int, failed: int) -> None:
        now = stamp(self._context.clock.now())
        counts = {"active": len(active), "ready": sum(map(is_ready, active)), "succeeded": done, "failed": failed}
        status: JsonObject = {name: count for name, count in counts.items() if count or name == "ready"}
        status["startTime"] = at_path(found, "status", "startTime") or now
        condition = {"status": "True", "lastProbeTime": now, "lastTransitionTime": now}
        if done >= found["spec"]["completions"]:
            status["completionTime"] = now
            told = {"reason": "CompletionsReached", "message": "Reached expected number of succeeded pods"}
            status["conditions"] = [{"type": "Complete", **condition, **told}]
            self._context.events.tell(found, "Completed", "Job completed", by=_BY)
        elif failed > found["spec"]["backoffLimit"]:
            told = {"reason": "BackoffLimitExceeded", "message": "Job has reached the specified backoff limit"}
            status["conditions"] = [{"type": "Failed", **condition, **told}]
            self._context.events.tell(found, "BackoffLimitExceeded", told["message"], by=_BY, warning=True)
        self._context.registry.change_status(r.JOBS, *key_of(found), status, MANAGER)
