"""A request is taken back, in Slack or in a terminal."""

from datetime import datetime
from typing import NamedTuple

from bot.model import Person, Request, State
from bot.redact import redact_line
from bot.store import Store

NONE = "There is no such request."
_LONGEST_REASON = 1000


class Decided(NamedTuple):
    """The request as it stands now, None if there is none; whether the word counted, and if not, why not."""

    request: Request | None
    counted: bool
    why: str = ""


async def withdrawn(store: Store, request: Request, person: Person, reason: str, at: datetime) -> Decided:
    """Cancels a request that nobody carries out yet, whoever asks for it. Raises StoreUnavailableError."""
    present: Request | None = request
    why = f"cancelled: {told}" if (told := shortened(reason)) else "cancelled"
    while present is not None and present.state in {State.PENDING, State.APPROVED}:
        cancelled = await store.requests.advance(
            present.id, present.state, State.CANCELLED, who=person.id, why=why, at=at
        )
        if cancelled is not None:
            return Decided(cancelled, counted=True)
        present = await store.requests.get(present.id)
    if present is None:
        return Decided(None, counted=False, why=NONE)
    word = "It is being carried out already." if present.state is State.RUNNING else f"It has ended: {present.state}."
    return Decided(present, counted=False, why=word)


def shortened(reason: str) -> str:
    """What a person typed: redacted, on one line, not too long."""
    return redact_line(reason, _LONGEST_REASON)
