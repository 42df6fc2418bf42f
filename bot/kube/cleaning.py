"""Takes tokens out of everything a decoded object says."""

from typing import TypeVar

import msgspec

from bot.redact import redact_each

T = TypeVar("T")


def cleaned(value: T) -> T:
    """The same object, each text in it redacted; field names are left alone."""
    result: T = msgspec.convert(redact_each(msgspec.to_builtins(value), keys=False), type(value))
    return result
