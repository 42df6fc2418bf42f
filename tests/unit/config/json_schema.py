"""As much of JSON Schema (draft 7) as Slack's manifest schema uses. A keyword that is unknown here is an error."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}
_TOLD_ONLY = {"$schema", "title", "description", "default", "format", "definitions", "_note"}


def violations(value: object, schema: Schema, root: Schema, where: str = "") -> Iterator[str]:
    """What is wrong with the value, each with its place."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/definitions/")
        yield from violations(value, root["definitions"][name], root, where)
        return
    if unknown := set(schema) - _KNOWN:
        raise ValueError(f"a keyword that is unknown here: {unknown}")
    for keyword in _SIMPLE.keys() & schema.keys():
        kind, holds = _SIMPLE[keyword]
        if isinstance(value, kind) and not holds(value, schema[keyword]):
            yield f"{where}: breaks {keyword} {schema[keyword]}"
    kinds = schema.get("anyOf", ())
    if kinds and all(list(violations(value, each, root, where)) for each in kinds):
        yield f"{where}: is none of {len(kinds)} kinds"
    if isinstance(value, dict):
        yield from _members(value, schema, root, where)
    if isinstance(value, list) and "items" in schema:
        for number, item in enumerate(value):
            yield from violations(item, schema["items"], root, f"{where}[{number}]")


def _is_one_of(value: object, names: str | list[str]) -> bool:
    """True is no integer here, whatever Python says."""
    kinds = [names] if isinstance(names, str) else names
    if isinstance(value, bool):
        return "boolean" in kinds
    return any(isinstance(value, _TYPES[kind]) for kind in kinds)


def _members(value: Mapping[str, object], schema: Schema, root: Schema, where: str) -> Iterator[str]:
    for name, member in value.items():
        rules = [schema["properties"][name]] if name in schema.get("properties", {}) else []
        rules += [each for pattern, each in schema.get("patternProperties", {}).items() if re.search(pattern, name)]
        rest = schema.get("additionalProperties", True)
        if not rules and rest is False:
            yield f"{where}.{name}: is unknown"
        if not rules and isinstance(rest, Mapping):
            rules = [rest]
        for rule in rules:
            yield from violations(member, rule, root, f"{where}.{name}")


_SIMPLE: dict[str, tuple[type, Callable[[Any, Any], bool]]] = {
    "type": (object, _is_one_of),
    "enum": (object, lambda value, rule: value in rule),
    "required": (dict, lambda value, rule: set(rule) <= set(value)),
    "minProperties": (dict, lambda value, rule: len(value) >= rule),
    "maxProperties": (dict, lambda value, rule: len(value) <= rule),
    "minLength": (str, lambda value, rule: len(value) >= rule),
    "maxLength": (str, lambda value, rule: len(value) <= rule),
    "pattern": (str, lambda value, rule: re.search(rule, value) is not None),
    "regex": (str, lambda value, rule: re.search(rule, value) is not None),  # Slack's own word for a pattern
    "minItems": (list, lambda value, rule: len(value) >= rule),
    "maxItems": (list, lambda value, rule: len(value) <= rule),
    "uniqueItems": (list, lambda value, rule: not rule or len({repr(item) for item in value}) == len(value)),
}
_KNOWN = {*_SIMPLE, *_TOLD_ONLY, "anyOf", "properties", "patternProperties", "additionalProperties", "items"}
