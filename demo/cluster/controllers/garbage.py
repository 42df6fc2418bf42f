"""Deletes what has lost its owner, and what is in a namespace that is going."""

from demo.cluster import resources as r
from demo.cluster.controllers.context import MANAGER, Context
from demo.cluster.objects import JsonObject, key_of, meta, name_of, uid_of
from demo.cluster.registry import Deletion
from demo.cluster.store import Change


class Garbage:
    def __init__(self, context: Context) -> None:
        self._context = context

    def react(self, change: Change) -> None:
        if change.kind == "DELETED":
            uid = uid_of(change.found)
            self._context.agenda.soon(lambda: self._collect(uid))
        if change.resource is r.NAMESPACES and change.kind == "MODIFIED" and "deletionTimestamp" in meta(change.found):
            name = name_of(change.found)
            self._context.agenda.soon(lambda: self._empty(name))
        elif change.kind == "DELETED" and (place := meta(change.found).get("namespace")):
            self._context.agenda.soon(lambda: self._finish(place))

    def _collect(self, uid: str) -> None:
        orphaned = uid in self._context.registry.orphaned
        for resource in (r.REPLICA_SETS, r.PODS, r.JOBS, r.LEASES):
            for found in self._context.registry.store.items(resource):
                owners: list[JsonObject] = meta(found).get("ownerReferences") or []
                if any(each["uid"] == uid for each in owners):
                    self._let_go(resource, found, [each for each in owners if each["uid"] != uid], orphaned=orphaned)

    def _let_go(self, resource: r.Resource, found: JsonObject, rest: list[JsonObject], *, orphaned: bool) -> None:
        registry = self._context.registry
        if not rest and not orphaned:
            registry.delete(resource, *key_of(found), Deletion(uid=uid_of(found)), MANAGER)
            return

        def without(each: JsonObject) -> JsonObject:
            metadata = {**meta(each), "ownerReferences": rest}
            if not rest:
                del metadata["ownerReferences"]
            return {**each, "metadata": metadata}

        registry.change(resource, *key_of(found), without, MANAGER)

    def _empty(self, namespace: str) -> None:
        for resource in r.STORED:
            if resource.namespaced:
                for found in self._context.registry.store.items(resource, namespace):
                    self._context.registry.delete(resource, *key_of(found), how=MANAGER)
        self._finish(namespace)

    def _finish(self, namespace: str) -> None:
        """Once nothing is left in a namespace that is going."""
        store = self._context.registry.store
        place = store.get(r.NAMESPACES, "", namespace)
        if place is None or "deletionTimestamp" not in meta(place):
            return
        if not any(store.items(resource, namespace) for resource in r.STORED if resource.namespaced):
            store.remove(r.NAMESPACES, ("", namespace))
