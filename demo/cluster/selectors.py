"""Label and field selectors, and what an API server says of bad ones."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from demo.cluster.failures import StatusError, bad_request
from demo.cluster.objects import JsonObject, at_path, labels_of
from demo.cluster.resources import EVENTS, JOBS, NAMESPACES, NODES, PODS, REPLICA_SETS, SECRETS, Resource

Wanted = Callable[[JsonObject], bool]

_SET = re.compile(r"^(?P<key>[^\s,()!=]+)\s+(?P<operator>in|notin)\s*\((?P<values>[^()]*)\)$")
_EQUAL = re.compile(r"^(?P<key>[^\s,()!=]+)\s*(?P<operator>==|=|!=)\s*(?P<value>[^\s,()!=]*)$")
_EXISTS = re.compile(r"^(?P<absent>!?)\s*(?P<key>[^\s,()!=]+)$")

FIELDS: dict[Resource, dict[str, tuple[str, ...]]] = {
    PODS: {
        "spec.nodeName": ("spec", "nodeName"),
        "spec.restartPolicy": ("spec", "restartPolicy"),
        "spec.schedulerName": ("spec", "schedulerName"),
        "spec.serviceAccountName": ("spec", "serviceAccountName"),
        "spec.hostNetwork": ("spec", "hostNetwork"),
        "status.phase": ("status", "phase"),
        "status.podIP": ("status", "podIP"),
        "status.nominatedNodeName": ("status", "nominatedNodeName"),
    },
    SECRETS: {"type": ("type",)},
    EVENTS: {
        **{
            f"involvedObject.{name}": ("involvedObject", name)
            for name in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
        },
        "reason": ("reason",),
        "reportingComponent": ("reportingComponent",),
        "source": ("source", "component"),
        "type": ("type",),
    },
    NAMESPACES: {"status.phase": ("status", "phase")},
    NODES: {"spec.unschedulable": ("spec", "unschedulable")},
    REPLICA_SETS: {"status.replicas": ("status", "replicas")},
    JOBS: {"status.successful": ("status", "succeeded")},
}


@dataclass(frozen=True)
class Requirement:
    """`values` None: the label is there, whatever it says."""

    key: str
    values: tuple[str, ...] | None
    negated: bool

    def holds(self, labels: dict[str, str]) -> bool:
        if self.values is None:
            return (self.key in labels) is not self.negated
        return (labels.get(self.key) in self.values) is not self.negated


def labels(text: str) -> Wanted:
    """Raises StatusError (400) for what is no label selector."""
    requirements = [_requirement(part.strip(), text) for part in _parts(text)]
    return lambda found: all(each.holds(labels_of(found)) for each in requirements)


def by_labels(selector: JsonObject | None) -> Wanted:
    """Of a workload's `spec.selector`: matchLabels and matchExpressions."""
    wanted: dict[str, str] = (selector or {}).get("matchLabels") or {}
    operators = {"In": (False, False), "NotIn": (False, True), "Exists": (True, False), "DoesNotExist": (True, True)}
    requirements = [Requirement(key, (value,), negated=False) for key, value in wanted.items()]
    for each in (selector or {}).get("matchExpressions") or []:
        bare, negated = operators[each["operator"]]
        requirements.append(Requirement(each["key"], None if bare else tuple(each.get("values") or ()), negated))
    return lambda found: all(each.holds(labels_of(found)) for each in requirements)


def fields(resource: Resource, text: str) -> Wanted:
    """Raises StatusError (400) for a field that objects of this kind cannot be selected by."""
    known = {"metadata.name": ("metadata", "name"), **FIELDS.get(resource, {})}
    if resource.namespaced:
        known["metadata.namespace"] = ("metadata", "namespace")
    terms = [_term(part, text, known, resource) for part in _split_fields(text)]
    return lambda found: all((_text(at_path(found, *path)) == value) is equal for path, value, equal in terms)


def _parts(text: str) -> list[str]:
    """Split at commas outside of parentheses."""
    return [part for part in re.split(r",(?![^()]*\))", text) if part.strip()]


def _requirement(part: str, whole: str) -> Requirement:
    if found := _SET.match(part):
        values = tuple(each.strip() for each in found["values"].split(","))
        return Requirement(found["key"], values, found["operator"] == "notin")
    if found := _EQUAL.match(part):
        return Requirement(found["key"], (found["value"],), found["operator"] == "!=")
    if found := _EXISTS.match(part):
        return Requirement(found["key"], None, bool(found["absent"]))
    raise _unparsable(part, whole)


def _unparsable(part: str, whole: str) -> StatusError:
    return bad_request(f"unable to parse requirement: found '{part or whole}', expected: identifier")


def _split_fields(text: str) -> list[str]:
    return [part for part in re.split(r"(?<!\\),", text) if part]


def _term(
    part: str, whole: str, known: dict[str, tuple[str, ...]], resource: Resource
) -> tuple[tuple[str, ...], str, bool]:
    found = re.match(r"(?P<field>[^=!]+)(?P<operator>==|=|!=)(?P<value>.*)", part)
    if found is None:
        raise bad_request(f"invalid selector: '{whole}'; can't understand '{part}'")
    if found["field"] not in known:
        raise bad_request(_unknown(found["field"], resource))
    value = re.sub(r"\\(.)", r"\1", found["value"])
    return known[found["field"]], value, found["operator"] != "!="


def _unknown(name: str, resource: Resource) -> str:
    if resource not in FIELDS:
        return f'"{name}" is not a known field selector: only "metadata.name", "metadata.namespace"'
    return f"field label not supported: {name}"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
