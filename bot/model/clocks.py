"""Clocks: whose they are, and how far apart. Always an interval: no clock here is read without an error bound."""

from datetime import datetime

from bot.model.noun import Noun

_CUT = 1.0
"""The `Date` header is cut to whole seconds."""


class Offset(Noun, frozen=True, kw_only=True):
    """How many seconds one clock is ahead of another: somewhere from `least` to `most`, as `source` shows.

    `most` None means that only the one bound is known.
    """

    least: float
    most: float | None
    source: str


class ServedDate(Noun, frozen=True, kw_only=True):
    """An answer's `Date` header: the API server's clock (or its proxy's), cut to whole seconds.

    `sent` and `received` are token-doctor's clock just before the request and just after the answer's head.
    """

    endpoint: str
    date: datetime
    sent: datetime
    received: datetime

    @property
    def ahead(self) -> Offset:
        """How far that clock is ahead of token-doctor's."""
        return Offset(
            least=(self.date - self.received).total_seconds(),
            most=(self.date - self.sent).total_seconds() + _CUT,
            source=f"Date of an answer from {self.endpoint}: {self.date:%H:%M:%S}, here {self.received:%H:%M:%S}",
        )


class Renewal(Noun, frozen=True, kw_only=True):
    """A Lease's last renewal, told by two clocks.

    `renewed` is the holder's clock (microseconds), just before it asked; `written` that of the API server that wrote
    it (whole seconds), None where managedFields do not tell. `revision` orders writes of one cluster, 0 where somebody
    else has written to the Lease since. `host` is the holder's machine, where a label names it.
    """

    holder: str
    renewed: datetime | None = None
    written: datetime | None = None
    duration_seconds: int = 0
    revision: int = 0
    host: str = ""


class Renewals(Noun, frozen=True, kw_only=True):
    """Leases read together; `sent` and `received` are token-doctor's clock around the reading."""

    sent: datetime
    received: datetime
    leases: tuple[Renewal, ...] = ()
