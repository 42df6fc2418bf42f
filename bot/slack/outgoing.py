"""The last look at what goes out: nothing that looks like a token leaves for Slack."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import structlog

from bot.redact import holds_token, redact_each

log = structlog.get_logger(__name__)

HELD_BACK = "A part of this answer looked like a token and was held back; the log says so too."


class Rendering(Protocol):
    """What a message shows; `text` is for notifications, screen readers and clients without blocks.

    `instead` are the blocks for a workspace that refuses those (charts are not everywhere), () for none.
    """

    @property
    def text(self) -> str: ...

    @property
    def blocks(self) -> Sequence[Mapping[str, object]]: ...

    @property
    def instead(self) -> Sequence[Mapping[str, object]]: ...


def contents(rendering: Rendering) -> Iterator[dict[str, object]]:
    """`text` and `blocks` of a call, and then those of the call to make where Slack refuses these blocks."""
    yield content(rendering)
    if rendering.instead:
        yield _message(rendering.text, rendering.instead)


def content(rendering: Rendering) -> dict[str, object]:
    """`text` and `blocks` of a call."""
    return _message(rendering.text, rendering.blocks)


def safe(outgoing: dict[str, object], *, instead: dict[str, object]) -> dict[str, object]:
    """What leaves. A token in it is an error of ours: it is taken out and logged, or `instead` leaves."""
    if not holds_token(json.dumps(outgoing, ensure_ascii=False)):
        return outgoing
    log.error("a token was about to be sent to Slack and was taken out")
    # Slack takes no other keys than it knows: one that holds a token is not mended.
    without = redact_each(outgoing, keys=False)
    if isinstance(without, dict) and not holds_token(json.dumps(without, ensure_ascii=False)):
        return without
    return instead


def _message(text: str, blocks: Sequence[Mapping[str, object]]) -> dict[str, object]:
    return safe({"text": text, "blocks": list(blocks)}, instead={"text": HELD_BACK, "blocks": []})
