"""What travels with a button or a modal, out and back again: names and numbers, as JSON.

Slack hands back what it was given, and any replica may get it; what cannot be read is a button of another version.
"""

from collections.abc import Mapping
from typing import TypeVar

import msgspec
from msgspec import Struct

from bot.blocks.limits import METADATA, VALUE, cut, weight
from bot.model import ActionKind, ObjectRef, Offer, Plan, Target
from bot.redact import holds_token

T = TypeVar("T")

EVIDENCE = 700  # of a finding, as it travels with a form


class Wanted(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """What a form asks for, and where it was opened. `seen` is the fingerprint of the plan that it showed."""

    kind: ActionKind
    ref: ObjectRef
    parameters: Mapping[str, str] = {}
    seen: str = ""
    cause: str = ""
    evidence: str = ""
    channel: str = ""
    thread_ts: str = ""


class Chosen(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """The targets that were found in a message, and the thread in which one of them is to be checked."""

    targets: tuple[Target, ...]
    channel: str
    thread_ts: str
    response_url: str = ""


class Question(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """What a person is about to say of a request: approve, deny or cancel."""

    request: str
    verb: str


class Watched(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """An item that a schedule watches, and the digest from which somebody wants to keep it quiet.

    A form brings back whether it is `acknowledged`, else snoozed.
    """

    digest: str
    schedule: str
    cluster: str
    key: str
    acknowledged: bool = False


def of_offer(offer: Offer, most: int = VALUE) -> str:
    """A button's value, "" where it does not fit: such a button is left out."""
    return of_button(Wanted(kind=offer.kind, ref=offer.ref, parameters=offer.parameters, cause=offer.cause), most)


def of_button(value: Struct, most: int = VALUE) -> str:
    """The same for any value. What looks like a token is not given out, not even to be brought back."""
    try:
        text = _written(value)
    except UnicodeEncodeError:  # half a character, which no object's name has
        return ""
    return text if weight(text) <= most and not holds_token(text) else ""


def wanted(plan: Plan, asked: Wanted) -> str:
    """A form's metadata: the plan as it was shown, made again at the end with the same parameters."""
    shown = Wanted(
        kind=plan.kind,
        ref=plan.ref,
        parameters=plan.parameters,
        seen=plan.fingerprint,
        cause=asked.cause,
        evidence=cut(asked.evidence, EVIDENCE) if asked.evidence else "",
        channel=asked.channel,
        thread_ts=asked.thread_ts,
    )
    value = _written(shown)
    return value if weight(value) <= METADATA else _written(msgspec.structs.replace(shown, evidence=""))


def written(value: Struct) -> str:
    return _written(value)


def read(text: object, kind: type[T]) -> T | None:
    """None where it is no value of this kind and version."""
    try:
        return msgspec.json.decode(text, type=kind) if isinstance(text, str) else None
    except (msgspec.DecodeError, UnicodeEncodeError):
        return None


def _written(value: Struct) -> str:
    return msgspec.json.encode(value).decode()
