"""What was written into a modal, and what is wrong with it."""

from collections.abc import Mapping
from typing import Any

from bot.blocks.limits import REASON
from bot.redact import holds_token


def field(view: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """What stands in the field: Slack sorts it by block and by field, which have one name here."""
    entered = ((view.get("state") or {}).get("values") or {}).get(name) or {}
    return entered.get(name) or {}


def written(view: Mapping[str, Any], name: str) -> str:
    """A text field's, on one line; "" where it is empty."""
    return " ".join(str(field(view, name).get("value") or "").split())


def mistake(reason: str, *, unsaid: str) -> str:
    """What is wrong with a reason, "" for nothing. A token is neither kept nor shown.

    `unsaid` is what an empty one is answered with, "" where it may be empty.
    """
    if holds_token(reason):
        return "That looks like a token, and Slack is never given one. Revoke it, and write the reason without it."
    if not reason:
        return unsaid
    return f"At most {REASON} characters." if len(reason) > REASON else ""
