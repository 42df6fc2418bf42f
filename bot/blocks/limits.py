"""Slack's limits, kept here and nowhere else.

Lengths are counted as they weigh on the wire: JSON-escaped, in UTF-16 units. That is never less than what
Slack counts, so what fits here fits there.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from bot.visible import visible

Block = dict[str, object]

BLOCKS = 50
BUDGET = 9_000  # of a message's blocks; undocumented: 9 597 passed and 11 341 were refused
FALLBACK = 1_000  # chat.update refuses texts over 4 000 bytes, so a quarter of that in characters
HEADER = 150
CONTEXT = 300
BUTTON = 70  # 75, less what emphasis and emoji may add
OPTION = 75
LABEL = 150
TITLE = 24
VALUE = 2_000  # of a button
METADATA = 3_000  # of a modal
REASON = 300
VIEW = 60_000  # of a modal or a home tab: Slack takes 250 kB, and nobody reads so much

_ELLIPSIS = "…"


@dataclass(frozen=True, slots=True)
class Message:
    """What a person sees; `text` is a full sentence for notifications and screen readers.

    `instead` is the same without charts, for a workspace that refuses them; () where there is none.
    """

    text: str
    blocks: tuple[Block, ...] = ()
    instead: tuple[Block, ...] = ()


def weight(text: str) -> int:
    """How much a string weighs on the wire: JSON-escaped UTF-16 units."""
    return _units(json.dumps(text, ensure_ascii=False)) - 2


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, most: int) -> str:
    """Visible text of at most this weight, with an ellipsis where it was cut. Never empty: Slack refuses that."""
    text = visible(text) or _ELLIPSIS
    if weight(text) <= most:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if weight(text[:middle]) + 1 <= most:
            low = middle
        else:
            high = middle - 1
    return f"{text[:low]}{_ELLIPSIS}"


def one_line(text: str, most: int) -> str:
    """The same on one line: for headers, captions and lists."""
    return cut(" ".join(text.split()), most)


def fallback(text: str) -> str:
    """A message's `text`: escaped, so that nothing in it can mention a channel or make a link."""
    escaped = one_line(text, FALLBACK).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped[:FALLBACK]


def size(blocks: Sequence[Block]) -> int:
    """What the blocks weigh together, as compact JSON."""
    return _units(json.dumps(blocks, ensure_ascii=False, separators=(",", ":")))


def pack(parts: Sequence[Sequence[Block]]) -> list[list[Block]]:
    """Fills messages with parts in their order; a part is never torn. Each part fits a message by itself."""
    messages: list[list[Block]] = []
    for part in parts:
        last = messages[-1] if messages else None
        if last is not None and len(last) + len(part) <= BLOCKS and size([*last, *part]) <= BUDGET:
            last.extend(part)
        else:
            messages.append(list(part))
    return messages
