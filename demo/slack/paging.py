"""Cursors: opaque to the app, an offset to us."""

import base64
import binascii
from typing import TypeVar

from demo.slack import arguments as args
from demo.slack.errors import JsonObject, SlackError

T = TypeVar("T")


def page(arguments: JsonObject, items: list[T], default: int) -> tuple[list[T], str]:
    """The page asked for and the next cursor, empty at the end. Raises SlackError `invalid_cursor`."""
    limit = max(1, min(1_000, args.number(arguments, "limit", default)))
    start = _offset(args.text(arguments, "cursor"))
    end = start + limit
    cursor = base64.b64encode(f"offset:{end}".encode()).decode() if end < len(items) else ""
    return items[start:end], cursor


def _offset(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        word, _, offset = base64.b64decode(cursor, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise SlackError("invalid_cursor") from error
    if word != "offset" or not offset.isdigit():
        raise SlackError("invalid_cursor")
    return int(offset)
