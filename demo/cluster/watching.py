"""Watches: the changes since a revision, and then those to come."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from demo.cluster import failures
from demo.cluster.objects import JsonObject, namespace_of
from demo.cluster.resources import Resource
from demo.cluster.selectors import Wanted
from demo.cluster.store import Change, CompactedError, Store


@dataclass(frozen=True)
class Watch:
    store: Store
    resource: Resource
    namespace: str
    wanted: Wanted | None

    async def events(self, revision: str, *, marked: bool = False) -> AsyncGenerator[JsonObject, None]:
        """Until it is closed. Without a revision it begins with all that there is.

        `marked`: the same with any revision, and a bookmark where that ends (a streaming list).
        """
        queue: asyncio.Queue[Change] = asyncio.Queue()
        self.store.listeners.append(queue.put_nowait)
        try:
            for event in self._past("" if marked else revision):
                yield event
            if marked:
                yield self._bookmark()
            while True:
                if found := self._event(await queue.get()):
                    yield found
        finally:
            self.store.listeners.remove(queue.put_nowait)

    def _bookmark(self) -> JsonObject:
        annotations = {"k8s.io/initial-events-end": "true"}
        metadata = {"resourceVersion": str(self.store.revision), "annotations": annotations}
        kind, version = self.resource.kind, self.resource.api_version
        return {"type": "BOOKMARK", "object": {"kind": kind, "apiVersion": version, "metadata": metadata}}

    def _past(self, revision: str) -> list[JsonObject]:
        if revision in {"", "0"}:
            items = self.store.items(self.resource, self.namespace)
            return [{"type": "ADDED", "object": each} for each in items if self.wanted is None or self.wanted(each)]
        try:
            changes = self.store.since(self.resource, int(revision))
        except CompactedError:
            told = f"too old resource version: {revision} ({self.store.oldest})"
            return [{"type": "ERROR", "object": failures.expired(told).body}]
        return [event for change in changes if (event := self._event(change))]

    def _event(self, change: Change) -> JsonObject | None:
        """An object that comes to fit the selector is added, one that no longer fits is deleted."""
        if change.resource is not self.resource:
            return None
        if self.namespace and namespace_of(change.found) != self.namespace:
            return None
        fits = self.wanted is None or self.wanted(change.found)
        fitted = change.before is not None and (self.wanted is None or self.wanted(change.before))
        if change.kind == "DELETED" or (fitted and not fits):
            return {"type": "DELETED", "object": change.found} if fitted else None
        return {"type": "MODIFIED" if fitted else "ADDED", "object": change.found} if fits else None
