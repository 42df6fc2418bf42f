"""What every controller works with."""

from dataclasses import dataclass

from demo.cluster.agenda import Agenda
from demo.cluster.clock import Clock
from demo.cluster.events import Recorder
from demo.cluster.managed_fields import Writer
from demo.cluster.objects import JsonObject, at_path, is_leaving, is_made_by, namespace_of
from demo.cluster.registry import How, Registry
from demo.cluster.resources import PODS, Resource

MANAGER = How(Writer("kube-controller-manager"))


@dataclass(frozen=True)
class Context:
    registry: Registry
    agenda: Agenda
    clock: Clock
    events: Recorder

    def made_by(self, owner: JsonObject, resource: Resource = PODS) -> list[JsonObject]:
        """The objects that it controls."""
        found = self.registry.store.items(resource, namespace_of(owner))
        return [each for each in found if is_made_by(each, owner)]


def is_active(pod: JsonObject) -> bool:
    """Neither ended nor on its way out."""
    return not is_leaving(pod) and at_path(pod, "status", "phase") not in {"Succeeded", "Failed"}


def is_ready(pod: JsonObject) -> bool:
    conditions = at_path(pod, "status", "conditions") or []
    return not is_leaving(pod) and any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def share(value: int | str, of: int, *, up: bool) -> int:
    """A number, or a percentage of one, rounded up or down."""
    if isinstance(value, int):
        return value
    percent = int(value.removesuffix("%"))
    return -(-of * percent // 100) if up else of * percent // 100
