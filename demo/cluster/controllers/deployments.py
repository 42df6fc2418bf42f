"""Rolls Deployments out: a ReplicaSet for each template, scaled step by step (pkg/controller/deployment)."""

from datetime import timedelta

from demo.cluster import resources as r
from demo.cluster.controllers.context import MANAGER, Context, share
from demo.cluster.controllers.queue import Queue
from demo.cluster.objects import (
    JsonObject,
    Key,
    annotations_of,
    at_path,
    clone,
    controller_of,
    digest,
    is_leaving,
    key_of,
    labels_of,
    meta,
    moment_of,
    name_of,
    namespace_of,
    owned_by,
    stamp,
)
from demo.cluster.store import Change

HASH = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
_BY = "deployment-controller"


class Deployments:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._queue = Queue(context.agenda, self._reconcile)

    def react(self, change: Change) -> None:
        if change.resource is r.DEPLOYMENTS:
            self._queue.add(key_of(change.found))
        if change.resource is r.REPLICA_SETS and (owner := controller_of(change.found)):
            self._queue.add((namespace_of(change.found), owner["name"]))

    def _reconcile(self, key: Key) -> None:
        found = self._context.registry.store.get(r.DEPLOYMENTS, *key)
        if found is None or is_leaving(found):
            return
        sets = self._context.made_by(found, r.REPLICA_SETS)
        new = next((each for each in sets if _plain(each["spec"]["template"]) == found["spec"]["template"]), None)
        if not found["spec"].get("paused"):
            new = self._newest(found, sets, new)
            self._roll(found, new, [each for each in sets if key_of(each) != key_of(new)])
        self._tell(key, name_of(new) if new else "")

    def _newest(self, found: JsonObject, sets: list[JsonObject], new: JsonObject | None) -> JsonObject:
        """The ReplicaSet of the present template, with the highest revision."""
        last = max((int(annotations_of(each).get(REVISION, 0)) for each in sets), default=0)
        if new is None:
            new = self._context.registry.create(
                r.REPLICA_SETS, namespace_of(found), _replica_set(found, last + 1), MANAGER
            )
        elif int(annotations_of(new).get(REVISION, 0)) < last:
            new = self._annotate(r.REPLICA_SETS, new, str(last + 1))
        revision = annotations_of(new)[REVISION]
        if annotations_of(found).get(REVISION) != revision:
            self._annotate(r.DEPLOYMENTS, found, revision)
        return new

    def _annotate(self, resource: r.Resource, found: JsonObject, revision: str) -> JsonObject:
        def change(each: JsonObject) -> JsonObject:
            meta(each)["annotations"] = {**annotations_of(each), REVISION: revision}
            return each

        return self._context.registry.change(resource, namespace_of(found), name_of(found), change, MANAGER)

    def _roll(self, found: JsonObject, new: JsonObject, old: list[JsonObject]) -> None:
        wanted, strategy = found["spec"]["replicas"], found["spec"]["strategy"]
        have = new["spec"]["replicas"]
        if strategy["type"] == "Recreate":
            for each in old:
                self._scale(found, each, 0)
            gone = not any(self._context.made_by(each) for each in old)
            self._scale(found, new, wanted if gone else have)
            return
        rolling = strategy["rollingUpdate"]
        surge = share(rolling["maxSurge"], wanted, up=True)
        unavailable = share(rolling["maxUnavailable"], wanted, up=False) or (0 if surge else 1)
        total = have + sum(each["spec"]["replicas"] for each in old)
        if have > wanted:
            self._scale(found, new, wanted)
        elif have < wanted and total < wanted + surge:
            have = min(wanted, have + wanted + surge - total)
            self._scale(found, new, have)
        self._scale_down(found, old, self._spare(found, wanted - unavailable))

    def _spare(self, found: JsonObject, least: int) -> int:
        """How many of the old pods may go now."""
        sets = self._context.made_by(found, r.REPLICA_SETS)
        available = sum(at_path(each, "status", "availableReplicas") or 0 for each in sets)
        return max(0, available - least)

    def _scale_down(self, found: JsonObject, old: list[JsonObject], spare: int) -> None:
        for each in sorted(old, key=lambda one: str(meta(one)["creationTimestamp"])):
            replicas = each["spec"]["replicas"]
            sick = replicas - (at_path(each, "status", "availableReplicas") or 0)
            going = min(replicas, max(0, sick) + spare)
            spare -= max(0, going - max(0, sick))
            if going:
                self._scale(found, each, replicas - going)

    def _scale(self, found: JsonObject, each: JsonObject, replicas: int) -> None:
        before = each["spec"]["replicas"]
        if before == replicas:
            return

        def change(one: JsonObject) -> JsonObject:
            return {**one, "spec": {**one["spec"], "replicas": replicas}}

        self._context.registry.change(r.REPLICA_SETS, *key_of(each), change, MANAGER)
        way = "up" if replicas > before else "down"
        told = f"Scaled {way} replica set {name_of(each)} from {before} to {replicas}"
        self._context.events.tell(found, "ScalingReplicaSet", told, by=_BY)

    def _tell(self, key: Key, new: str) -> None:
        found = self._context.registry.get(r.DEPLOYMENTS, *key)
        sets = self._context.made_by(found, r.REPLICA_SETS)

        def count(name: str, of: list[JsonObject]) -> int:
            return sum(at_path(each, "status", name) or 0 for each in of)

        wanted = found["spec"]["replicas"]
        updated = [each for each in sets if name_of(each) == new]
        status: JsonObject = {
            "observedGeneration": meta(found)["generation"],
            "replicas": count("replicas", sets),
            "updatedReplicas": count("replicas", updated),
            "readyReplicas": count("readyReplicas", sets),
            "availableReplicas": count("availableReplicas", sets),
            "unavailableReplicas": max(0, wanted - count("availableReplicas", sets)),
            "terminatingReplicas": count("terminatingReplicas", sets),
        }
        conditions = self._conditions(found, sets, status, new)
        status = {name: value for name, value in status.items() if value or name == "terminatingReplicas"}
        self._context.registry.change_status(r.DEPLOYMENTS, *key, {**status, "conditions": conditions}, MANAGER)

    def _conditions(self, found: JsonObject, sets: list[JsonObject], status: JsonObject, new: str) -> list[JsonObject]:
        strategy, wanted = found["spec"]["strategy"], found["spec"]["replicas"]
        most = share(at_path(strategy, "rollingUpdate", "maxUnavailable") or 0, wanted, up=False)
        has_enough = status["availableReplicas"] >= wanted - most
        told = [
            {
                "type": "Available",
                "status": "True" if has_enough else "False",
                "reason": "MinimumReplicasAvailable" if has_enough else "MinimumReplicasUnavailable",
                "message": f"Deployment {'has' if has_enough else 'does not have'} minimum availability.",
            },
            self._progressing(found, status, new),
        ]
        told += [
            {name: failure[name] for name in ("type", "status", "reason", "message")}
            for each in sets
            for failure in at_path(each, "status", "conditions") or []
        ][:1]
        before = {each["type"]: each for each in at_path(found, "status", "conditions") or []}
        now = stamp(self._context.clock.now())
        return [_dated(each, before.get(each["type"]), now) for each in told]

    def _progressing(self, found: JsonObject, status: JsonObject, new: str) -> JsonObject:
        wanted = found["spec"]["replicas"]
        is_done = status["updatedReplicas"] == status["replicas"] == status["availableReplicas"] == wanted
        known: list[JsonObject] = at_path(found, "status", "conditions") or []
        before = next((each for each in known if each["type"] == "Progressing"), None)
        told = {"type": "Progressing", "status": "True"}
        if is_done:
            message = f'ReplicaSet "{new}" has successfully progressed.'
            return {**told, "reason": "NewReplicaSetAvailable", "message": message}
        counts = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
        same = all(status[name] == (at_path(found, "status", name) or 0) for name in counts)
        if before and same and status["observedGeneration"] == at_path(found, "status", "observedGeneration"):
            limit = timedelta(seconds=found["spec"]["progressDeadlineSeconds"])
            since = moment_of(before["lastUpdateTime"])
            if before["status"] == "False" or self._context.clock.now() - since >= limit:
                message = f'ReplicaSet "{new}" has timed out progressing.'
                return {**told, "status": "False", "reason": "ProgressDeadlineExceeded", "message": message}
            self._queue.add_later(key_of(found), (since + limit - self._context.clock.now()).total_seconds() + 1)
            return before
        self._queue.add_later(key_of(found), found["spec"]["progressDeadlineSeconds"] + 1)
        now = stamp(self._context.clock.now())
        message = f'ReplicaSet "{new}" is progressing.'
        return {**told, "reason": "ReplicaSetUpdated", "message": message, "lastUpdateTime": now}


def _dated(told: JsonObject, before: JsonObject | None, now: str) -> JsonObject:
    if before is None:
        return {"lastUpdateTime": now, **told, "lastTransitionTime": now}
    changed = before["status"] != told["status"]
    said = any(before[name] != told[name] for name in ("status", "reason", "message"))
    update = told.get("lastUpdateTime") or (now if said else before["lastUpdateTime"])
    return {**told, "lastUpdateTime": update, "lastTransitionTime": now if changed else before["lastTransitionTime"]}


def _plain(template: JsonObject) -> JsonObject:
    """A ReplicaSet's template without the label that tells it from others."""
    metadata = template.get("metadata") or {}
    labels = {name: value for name, value in (metadata.get("labels") or {}).items() if name != HASH}
    return {**template, "metadata": {**metadata, "labels": labels}}


def _replica_set(found: JsonObject, revision: int) -> JsonObject:
    template = clone(found["spec"]["template"])
    made = digest(found["spec"]["template"])
    metadata = template.setdefault("metadata", {})
    metadata["labels"] = {**(metadata.get("labels") or {}), HASH: made}
    selector = clone(found["spec"]["selector"])
    selector["matchLabels"] = {**(selector.get("matchLabels") or {}), HASH: made}
    wanted = found["spec"]["replicas"]
    most = wanted + share(at_path(found, "spec", "strategy", "rollingUpdate", "maxSurge") or 0, wanted, up=True)
    annotations = {
        REVISION: str(revision),
        "deployment.kubernetes.io/desired-replicas": str(wanted),
        "deployment.kubernetes.io/max-replicas": str(most),
    }
    return {
        "metadata": {
            "name": f"{name_of(found)}-{made}",
            "labels": {**labels_of(template)},
            "annotations": annotations,
            "ownerReferences": owned_by(found),
        },
        "spec": {"replicas": 0, "selector": selector, "template": template},
    }
