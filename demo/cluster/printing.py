"""Answers in the form that was asked for: whole objects, their metadata alone, or a table.

Columns as in `pkg/printers/internalversion/printers.go`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from demo.cluster import resources as r
from demo.cluster.objects import JsonObject, at_path, meta, moment_of, name_of
from demo.cluster.resources import Resource

Form = Literal["object", "metadata", "table"]
_META = "meta.k8s.io/v1"


@dataclass(frozen=True)
class Style:
    """`include` is the query's includeObject: what a table's rows carry (None, Metadata, Object)."""

    now: datetime
    include: str = ""


@dataclass(frozen=True)
class Column:
    """`kind` is the type of its cells; those of priority 1 are for wide tables."""

    name: str
    cell: Callable[[JsonObject, datetime], Any]
    kind: str = "string"
    priority: int = 0


def form_of(accept: str) -> Form | None:
    """The first form in an Accept header that this server has; None where it has none."""
    for part in (each.strip() for each in accept.split(",")):
        kind, *parameters = (each.strip() for each in part.split(";"))
        said = dict(each.partition("=")[::2] for each in parameters)
        if kind not in {"", "application/json", "application/*", "*/*"} or said.get("v", "v1") not in {"v1", "v2"}:
            continue
        match said.get("as", ""):
            case "":
                return "object"
            case "PartialObjectMetadata" | "PartialObjectMetadataList":
                return "metadata"
            case "Table":
                return "table"
    return None


def single(form: Form, resource: Resource, found: JsonObject, style: Style) -> JsonObject:
    if form == "object":
        return found
    if form == "metadata":
        return partial(found)
    return table(resource, [found], {"resourceVersion": meta(found)["resourceVersion"]}, style)


def listed(
    form: Form, resource: Resource, items: Sequence[JsonObject], metadata: JsonObject, style: Style
) -> JsonObject:
    if form == "table":
        return table(resource, items, metadata, style)
    if form == "metadata":
        # Go's nil: a list of metadata without items has `null` there, and one of whole objects `[]`.
        metas = [partial(each) for each in items] or None
        return {"kind": "PartialObjectMetadataList", "apiVersion": _META, "metadata": metadata, "items": metas}
    shown = [{name: value for name, value in each.items() if name not in {"apiVersion", "kind"}} for each in items]
    return {"kind": f"{resource.kind}List", "apiVersion": resource.api_version, "metadata": metadata, "items": shown}


def partial(found: JsonObject) -> JsonObject:
    return {"kind": "PartialObjectMetadata", "apiVersion": _META, "metadata": meta(found)}


def table(resource: Resource, items: Sequence[JsonObject], metadata: JsonObject, style: Style) -> JsonObject:
    columns = COLUMNS.get(resource, DEFAULT)
    return {
        "kind": "Table",
        "apiVersion": _META,
        "metadata": metadata,
        "columnDefinitions": [
            {
                "name": each.name,
                "type": each.kind,
                "format": "name" if each.name == "Name" else "",
                "description": "",
                "priority": each.priority,
            }
            for each in columns
        ],
        "rows": [_row(columns, each, style) for each in items],
    }


def _row(columns: Sequence[Column], found: JsonObject, style: Style) -> JsonObject:
    row: JsonObject = {"cells": [each.cell(found, style.now) for each in columns]}
    match style.include:
        case "None":
            return {**row, "object": None}
        case "Object":
            return {**row, "object": found}
        case _:
            return {**row, "object": partial(found)}


def span(of: timedelta) -> str:
    """As `duration.HumanDuration` of apimachinery: two units at most, and fewer the longer it is."""
    seconds = max(0, int(of.total_seconds()))
    for limit, unit, small in _SPANS:
        if seconds < limit:
            count, rest = divmod(seconds, _UNITS[unit])
            fine = rest // _UNITS[small] if small else 0
            return f"{count}{unit}{fine}{small}" if fine else f"{count}{unit}"
    return f"{seconds // _UNITS['y']}y{seconds % _UNITS['y'] // _UNITS['d']}d"


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "y": 365 * 86_400}
_SPANS = (
    (2 * 60, "s", ""),
    (10 * 60, "m", "s"),
    (3 * 3600, "m", ""),
    (8 * 3600, "h", "m"),
    (48 * 3600, "h", ""),
    (8 * 86_400, "d", "h"),
    (2 * 365 * 86_400, "d", ""),
)


def _age(found: JsonObject, now: datetime) -> str:
    return span(now - moment_of(meta(found)["creationTimestamp"]))


def _count(*path: str) -> Callable[[JsonObject, datetime], int]:
    return lambda found, _now: int(at_path(found, *path) or 0)


def _of(*path: str) -> Callable[[JsonObject, datetime], str]:
    return lambda found, _now: str(at_path(found, *path) or "<none>")


def _named(found: JsonObject, _now: datetime) -> str:
    return name_of(found)


def _keys(found: JsonObject, _now: datetime) -> int:
    return len(found.get("data") or {})


def _ready(found: JsonObject, _now: datetime) -> str:
    return f"{at_path(found, 'status', 'readyReplicas') or 0}/{at_path(found, 'spec', 'replicas') or 0}"


def _statuses(found: JsonObject) -> list[JsonObject]:
    return at_path(found, "status", "containerStatuses") or []


def _pod_ready(found: JsonObject, _now: datetime) -> str:
    return f"{sum(bool(each.get('ready')) for each in _statuses(found))}/{len(found['spec']['containers'])}"


def pod_status(found: JsonObject, _now: datetime) -> str:
    """One word for how a pod does, as kubectl shows it."""
    if "deletionTimestamp" in meta(found):
        return "Terminating"
    for each in _statuses(found):
        for state in ("waiting", "terminated"):
            if reason := at_path(each, "state", state, "reason"):
                return str(reason)
    return str(at_path(found, "status", "reason") or at_path(found, "status", "phase") or "Unknown")


def _restarts(found: JsonObject, _now: datetime) -> str:
    return str(sum(each.get("restartCount", 0) for each in _statuses(found)))


def _node_status(found: JsonObject, _now: datetime) -> str:
    conditions = at_path(found, "status", "conditions") or []
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    return "Ready" if ready else "NotReady"


def _roles(found: JsonObject, _now: datetime) -> str:
    prefix = "node-role.kubernetes.io/"
    labels = meta(found).get("labels") or {}
    return ",".join(each.removeprefix(prefix) for each in labels if each.startswith(prefix)) or "<none>"


def _seen(found: JsonObject, now: datetime) -> str:
    at = found.get("lastTimestamp") or found.get("eventTime") or meta(found)["creationTimestamp"]
    return span(now - moment_of(at))


def _about(found: JsonObject, _now: datetime) -> str:
    about = found["involvedObject"]
    return f"{about['kind'].lower()}/{about['name']}"


def _role_ref(found: JsonObject, _now: datetime) -> str:
    return f"{found['roleRef']['kind']}/{found['roleRef']['name']}"


def _created(found: JsonObject, _now: datetime) -> str:
    return str(meta(found)["creationTimestamp"])


_NAME, _AGE = Column("Name", _named), Column("Age", _age)
DEFAULT = (_NAME, Column("Created At", _created, "date"))
COLUMNS: dict[Resource, tuple[Column, ...]] = {
    r.PODS: (
        _NAME,
        Column("Ready", _pod_ready),
        Column("Status", pod_status),
        Column("Restarts", _restarts),
        _AGE,
        Column("IP", _of("status", "podIP"), priority=1),
        Column("Node", _of("spec", "nodeName"), priority=1),
        Column("Nominated Node", _of("status", "nominatedNodeName"), priority=1),
        Column("Readiness Gates", _of("spec", "readinessGates"), priority=1),
    ),
    r.SECRETS: (_NAME, Column("Type", _of("type")), Column("Data", _keys), _AGE),
    r.CONFIG_MAPS: (_NAME, Column("Data", _keys), _AGE),
    r.SERVICE_ACCOUNTS: (_NAME, _AGE),
    r.NAMESPACES: (_NAME, Column("Status", _of("status", "phase")), _AGE),
    r.NODES: (
        _NAME,
        Column("Status", _node_status),
        Column("Roles", _roles),
        _AGE,
        Column("Version", _of("status", "nodeInfo", "kubeletVersion")),
    ),
    r.DEPLOYMENTS: (
        _NAME,
        Column("Ready", _ready),
        Column("Up-to-date", _count("status", "updatedReplicas"), "integer"),
        Column("Available", _count("status", "availableReplicas"), "integer"),
        _AGE,
    ),
    r.REPLICA_SETS: (
        _NAME,
        Column("Desired", _count("spec", "replicas"), "integer"),
        Column("Current", _count("status", "replicas"), "integer"),
        Column("Ready", _count("status", "readyReplicas"), "integer"),
        _AGE,
    ),
    r.STATEFUL_SETS: (_NAME, Column("Ready", _ready), _AGE),
    r.DAEMON_SETS: (
        _NAME,
        Column("Desired", _count("status", "desiredNumberScheduled"), "integer"),
        Column("Current", _count("status", "currentNumberScheduled"), "integer"),
        Column("Ready", _count("status", "numberReady"), "integer"),
        Column("Up-to-date", _count("status", "updatedNumberScheduled"), "integer"),
        Column("Available", _count("status", "numberAvailable"), "integer"),
        _AGE,
    ),
    r.EVENTS: (
        Column("Last Seen", _seen),
        Column("Type", _of("type")),
        Column("Reason", _of("reason")),
        Column("Object", _about),
        Column("Message", _of("message")),
    ),
    r.LEASES: (_NAME, Column("Holder", _of("spec", "holderIdentity")), _AGE),
    r.ROLE_BINDINGS: (_NAME, Column("Role", _role_ref), _AGE),
    r.CLUSTER_ROLE_BINDINGS: (_NAME, Column("Role", _role_ref), _AGE),
}
