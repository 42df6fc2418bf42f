"""Who wrote which field, and when: `metadata.managedFields`, as far as somebody reads them.

Known associative lists are told apart by their keys, every other list is one field (structured-merge-diff).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from demo.cluster.objects import Json, JsonObject, meta, stamp

Path: TypeAlias = tuple[str, ...]
Leaves: TypeAlias = dict[Path, str]

_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "volumes": "name",
    "env": "name",
    "volumeMounts": "mountPath",
    "conditions": "type",
    "ownerReferences": "uid",
    "secrets": "name",
    "imagePullSecrets": "name",
}
_WHOLE = {"ownerReferences"}
_ATOMIC = {"selector", "nodeSelector", "roleRef"}
# Maps: that there is one at all is a field too, of whoever made it.
_DOTTED = {"labels", "annotations", "data", "stringData", "conditions", "rollingUpdate", "ownerReferences"}
_UNOWNED = {"name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "managedFields",
            "deletionTimestamp", "deletionGracePeriodSeconds"}  # fmt: skip


@dataclass(frozen=True)
class Writer:
    """`name` is how the client calls itself."""

    name: str
    subresource: str = ""


def written(before: JsonObject | None, found: JsonObject, writer: Writer, now: datetime) -> list[JsonObject]:
    """The entries of the object as it is to be stored; none where nobody owns anything."""
    old, new = _leaves(before) if before else {}, _leaves(found)
    changed = {path for path, value in new.items() if old.get(path) != value}
    entries: list[JsonObject] = (meta(before).get("managedFields") or []) if before else []
    kept: list[JsonObject] = []
    own: set[Path] = set()
    last = stamp(now)
    for entry in entries:
        paths = set(_paths(entry["fieldsV1"]))
        if _is_of(entry, writer, found):
            own |= paths
            last = entry["time"]
            continue
        left = (paths & new.keys()) - changed
        if left:
            kept.append(entry if left == paths else {**entry, "fieldsV1": _tree(left)})
    mine = (own & new.keys()) | changed
    if mine:
        at = stamp(now) if changed or own - new.keys() or not own else last
        kept.append(_entry(mine, writer, found, at))
    return kept


def _is_of(entry: JsonObject, writer: Writer, found: JsonObject) -> bool:
    same = entry["manager"], entry.get("subresource", ""), entry["apiVersion"]
    return same == (writer.name, writer.subresource, found["apiVersion"])


def _entry(paths: set[Path], writer: Writer, found: JsonObject, at: str) -> JsonObject:
    entry = {
        "manager": writer.name,
        "operation": "Update",
        "apiVersion": found["apiVersion"],
        "time": at,
        "fieldsType": "FieldsV1",
        "fieldsV1": _tree(paths),
    }
    return {**entry, "subresource": writer.subresource} if writer.subresource else entry


def _leaves(found: JsonObject) -> Leaves:
    leaves: Leaves = {}
    for name, value in found.items():
        if name == "metadata":
            owned = {key: each for key, each in value.items() if key not in _UNOWNED}
            _collect(owned, ("f:metadata",), leaves)
        elif name not in {"apiVersion", "kind"}:
            _collect_field(name, value, (), leaves)
    return leaves


def _collect(found: Mapping[str, Any], path: Path, leaves: Leaves) -> None:
    for name, value in found.items():
        _collect_field(name, value, path, leaves)


def _collect_field(name: str, value: Json, path: Path, leaves: Leaves) -> None:
    here = (*path, f"f:{name}")
    is_list = isinstance(value, list) and name in _KEYS and all(_KEYS[name] in each for each in value)
    if not value or name in _ATOMIC or not (isinstance(value, dict) or is_list):
        leaves[here] = json.dumps(value, sort_keys=True)
        return
    if name in _DOTTED:
        leaves[*here, "."] = ""
    if isinstance(value, dict):
        _collect(value, here, leaves)
        return
    for each in value:
        key = f"k:{json.dumps({_KEYS[name]: each[_KEYS[name]]}, separators=(',', ':'))}"
        if name in _WHOLE:
            leaves[*here, key] = json.dumps(each, sort_keys=True)
        else:
            leaves[*here, key, "."] = ""
            _collect(each, (*here, key), leaves)


def _tree(paths: set[Path]) -> JsonObject:
    tree: JsonObject = {}
    for path in sorted(paths):
        place = tree
        for step in path:
            place = place.setdefault(step, {})
    return tree


def _paths(tree: JsonObject, path: Path = ()) -> Iterator[Path]:
    for step, below in tree.items():
        if below:
            yield from _paths(below, (*path, step))
        else:
            yield (*path, step)
