"""The three ways to patch: merge (RFC 7386), JSON (RFC 6902), and Kubernetes' strategic merge."""

from collections.abc import Mapping, Sequence
from typing import Any

from demo.cluster.failures import StatusError, bad_request
from demo.cluster.objects import Json, JsonObject, clone

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"

_MERGE_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "ephemeralContainers": "name",
    "volumes": "name",
    "env": "name",
    "volumeMounts": "mountPath",
    "ports": "containerPort",
    "imagePullSecrets": "name",
    "secrets": "name",
    "ownerReferences": "uid",
    "conditions": "type",
    "hostAliases": "ip",
    "addresses": "type",
    "taints": "key",
}
_MERGED_VALUES = {"finalizers"}
_DIRECTIVES = ("$patch", "$retainKeys", "$setElementOrder/", "$deleteFromPrimitiveList/")


def merged(target: Json, patch: Json) -> Json:
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def strategically_merged(target: Mapping[str, Any], patch: Mapping[str, Any]) -> JsonObject:
    """Raises StatusError (500, as the API server) for a list's element without its key."""
    if patch.get("$patch") == "replace":
        return {name: value for name, value in patch.items() if not name.startswith("$")}
    result = dict(target)
    if retained := patch.get("$retainKeys"):
        result = {name: value for name, value in result.items() if name in retained}
    for name, value in patch.items():
        if name.startswith("$deleteFromPrimitiveList/"):
            of = name.partition("/")[2]
            result[of] = [each for each in result.get(of) or [] if each not in value]
        elif name.startswith(_DIRECTIVES):
            continue
        elif value is None:
            result.pop(name, None)
        elif isinstance(value, dict):
            below = result.get(name)
            result[name] = strategically_merged(below if isinstance(below, dict) else {}, value)
        elif isinstance(value, list):
            result[name] = _merged_list(name, result.get(name) or [], value)
        else:
            result[name] = value
    return result


def _merged_list(name: str, target: Sequence[Any], patch: Sequence[Any]) -> list[Any]:
    if name in _MERGED_VALUES:
        return [*target, *(each for each in patch if each not in target)]
    key = _MERGE_KEYS.get(name)
    if key is None or not all(isinstance(each, dict) for each in (*target, *patch)):
        return list(patch)
    if any(each.get("$patch") == "replace" for each in patch):
        return [each for each in patch if "$patch" not in each]
    result = list(target)
    for each in patch:
        if key not in each:
            shown = " ".join(f"{name}:{value}" for name, value in each.items())
            raise StatusError(500, "", f"map: map[{shown}] does not contain declared merge key: {key}")
        place = next((at for at, one in enumerate(result) if one.get(key) == each[key]), None)
        if each.get("$patch") == "delete":
            result = [one for one in result if one.get(key) != each[key]]
        elif place is None:
            result.append(strategically_merged({}, each))
        else:
            result[place] = strategically_merged(result[place], each)
    return result


class _CannotApplyError(Exception):
    """An operation whose path is not there, or a test that fails."""


def json_patched(target: JsonObject, operations: object) -> JsonObject:
    """Raises StatusError: 400 for what is no patch, 422 where it cannot be applied."""
    if not isinstance(operations, list):
        kind = "object" if isinstance(operations, dict) else "string" if isinstance(operations, str) else "number"
        raise bad_request(
            f"error decoding patch: json: cannot unmarshal {kind} into Go value of type []handlers.jsonPatchOp"
        )
    result = clone(target)
    try:
        for each in operations:
            _apply(result, each)
    except (_CannotApplyError, KeyError, TypeError):
        message = "the server rejected our request due to an error in our request"
        raise StatusError(422, "Invalid", message, {}) from None
    return result


def _apply(document: JsonObject, operation: Mapping[str, Any]) -> None:
    kind, path = operation["op"], _steps(operation["path"])
    match kind:
        case "add":
            _add(document, path, operation["value"])
        case "remove":
            _take(document, path)
        case "replace":
            _take(document, path)
            _add(document, path, operation["value"])
        case "test":
            if _get(document, path) != operation.get("value"):
                raise _CannotApplyError
        case "copy":
            _add(document, path, _get(document, _steps(operation["from"])))
        case "move":
            _add(document, path, _take(document, _steps(operation["from"])))
        case _:
            raise _CannotApplyError


def _steps(path: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:]]


def _get(document: Json, steps: Sequence[str]) -> Json:
    place = document
    for step in steps:
        if isinstance(place, list):
            place = place[_index(place, step)]
        elif isinstance(place, dict) and step in place:
            place = place[step]
        else:
            raise _CannotApplyError
    return place


def _add(document: JsonObject, steps: Sequence[str], value: Json) -> None:
    place = _get(document, steps[:-1])
    if isinstance(place, list):
        place.insert(len(place) if steps[-1] == "-" else _index(place, steps[-1], more=1), value)
    else:
        place[steps[-1]] = value


def _take(document: JsonObject, steps: Sequence[str]) -> Json:
    place = _get(document, steps[:-1])
    if isinstance(place, list):
        return place.pop(_index(place, steps[-1]))
    if steps[-1] not in place:
        raise _CannotApplyError
    return place.pop(steps[-1])


def _index(place: Sequence[Any], step: str, *, more: int = 0) -> int:
    if not step.isdigit() or int(step) >= len(place) + more:
        raise _CannotApplyError
    return int(step)
