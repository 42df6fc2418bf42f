"""Every setting as the models of `config` declare it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from config.settings import Settings

_KEYS = {"channels": "C0INCIDENT1"}
"""Sections whose entries have names of their own, with one of them."""


@dataclass(frozen=True, slots=True)
class Setting:
    """`variable` overrides it; `values` completes "must be …"; `default` is YAML, "" where there is none."""

    name: str
    variable: str
    values: str
    default: str


def sections() -> Mapping[str, tuple[Setting, ...]]:
    """The settings by section, in the order of the code."""
    return {
        section: tuple(_settings(_model(field), *_within(section, section, f"TOKEN_DOCTOR_{section}", field)))
        for section, field in Settings.model_fields.items()
    }


def _settings(model: type[BaseModel] | None, name: str, variable: str) -> Iterator[Setting]:
    for key, field in model.model_fields.items() if model else ():
        here, so = f"{name}.{key}", f"{variable}__{key}".upper()
        inner = _model(field)
        if inner:
            yield from _settings(inner, *_within(key, here, so, field))
        else:
            yield Setting(here, so, field.description or "", _default(field))


def _within(key: str, name: str, variable: str, field: FieldInfo) -> tuple[str, str]:
    """The name and the variable of what stands inside: of a list its first item, of a mapping an example's key."""
    if str(field.annotation).startswith("tuple["):
        return f"{name}[]", f"{variable}__0"
    if key in _KEYS:
        return f"{name}.{_KEYS[key]}", f"{variable}__{_KEYS[key]}"
    return name, variable


def _model(field: FieldInfo) -> type[BaseModel] | None:
    """The section that the field is, or is a list or a mapping of."""
    for kind in (field.annotation, *get_args(field.annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return ""
    value = field.get_default(call_default_factory=True)
    return value if isinstance(value, str) and value else json.dumps(value)
