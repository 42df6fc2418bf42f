"""Objects in memory, with resource versions and the changes that led to them."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from demo.cluster.objects import JsonObject, Key, key_of, meta
from demo.cluster.resources import STORED, Resource

MOST_CHANGES = 20_000


@dataclass(frozen=True, slots=True)
class Change:
    """`found` is the object afterwards, or as it last was; `before` is None of a new one."""

    kind: Literal["ADDED", "MODIFIED", "DELETED"]
    resource: Resource
    found: JsonObject
    before: JsonObject | None
    revision: int


Listener = Callable[[Change], None]


class CompactedError(Exception):
    """That revision is no longer known."""


class Store:
    """What is stored is never changed in place: whoever changes an object writes another one."""

    def __init__(self) -> None:
        self.revision = 1
        self.listeners: list[Listener] = []
        self._compacted = 0
        self._objects: dict[Resource, dict[Key, JsonObject]] = {resource: {} for resource in STORED}
        self._changes: deque[Change] = deque()

    @property
    def oldest(self) -> int:
        """The first revision that can still be read."""
        return self._compacted

    def get(self, resource: Resource, namespace: str, name: str) -> JsonObject | None:
        return self._objects[resource].get((namespace, name))

    def items(self, resource: Resource, namespace: str = "") -> list[JsonObject]:
        """By namespace and name, as etcd keeps them."""
        found = sorted(self._objects[resource].items(), key=_order)
        return [each for key, each in found if not namespace or key[0] == namespace]

    def write(self, resource: Resource, found: JsonObject) -> JsonObject:
        """The object, with its new resource version."""
        self.revision += 1
        key = key_of(found)
        before = self._objects[resource].get(key)
        stored = {**found, "metadata": {**meta(found), "resourceVersion": str(self.revision)}}
        self._objects[resource][key] = stored
        self._tell(Change("MODIFIED" if before else "ADDED", resource, stored, before, self.revision))
        return stored

    def remove(self, resource: Resource, key: Key) -> None:
        self.revision += 1
        before = self._objects[resource].pop(key)
        last = {**before, "metadata": {**meta(before), "resourceVersion": str(self.revision)}}
        self._tell(Change("DELETED", resource, last, before, self.revision))

    def at(self, resource: Resource, namespace: str, revision: int) -> list[JsonObject]:
        """The list as it was then. Raises CompactedError."""
        if revision < self._compacted:
            raise CompactedError
        objects = dict(self._objects[resource])
        for change in reversed(self._changes):
            if change.revision <= revision:
                break
            if change.resource is not resource:
                continue
            if change.before is None:
                del objects[key_of(change.found)]
            else:
                objects[key_of(change.found)] = change.before
        found = sorted(objects.items(), key=_order)
        return [each for key, each in found if not namespace or key[0] == namespace]

    def since(self, resource: Resource, revision: int) -> list[Change]:
        """What has happened since then. Raises CompactedError."""
        if revision < self._compacted:
            raise CompactedError
        return [each for each in self._changes if each.revision > revision and each.resource is resource]

    def compact(self) -> None:
        """Forgets what was: continuing an older list or watch is answered 410 from now on."""
        self._changes.clear()
        self._compacted = self.revision

    def _tell(self, change: Change) -> None:
        self._changes.append(change)
        if len(self._changes) > MOST_CHANGES:
            self._compacted = self._changes.popleft().revision
        for listener in tuple(self.listeners):
            listener(change)


def _order(item: tuple[Key, JsonObject]) -> str:
    namespace, name = item[0]
    return f"{namespace}/{name}" if namespace else name
