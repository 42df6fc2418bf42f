"""Takes tokens out of everything a decoded object says."""

from typing import Any, TypeVar

import msgspec

from bot.redact import redact

T = TypeVar("T")


def cleaned(value: T) -> T:
    """The same object, each text in it redacted; field names are left alone."""
    result: T = msgspec.convert(_walk(msgspec.to_builtins(value)), type(value))
    return result


def _walk(value: Any) -> Any:  # noqa: ANN401  # JSON: any of str, number, list, dict, None
    match value:
        case str():
            return redact(value)
        case list() | tuple():
            return [_walk(item) for item in value]
        case dict():
            return {name: _walk(item) for name, item in value.items()}
        case _:
            return value
