"""The cluster's clock: the machine's, moved by an offset, or stopped while a scenario's past is played."""

from datetime import UTC, datetime, timedelta


class Clock:
    """`offset` may be changed at any time. While `stopped_at` is set, that is the time."""

    def __init__(self) -> None:
        self.offset = timedelta()
        self.stopped_at: datetime | None = None

    def now(self) -> datetime:
        return self.stopped_at or datetime.now(UTC) + self.offset

    def seconds(self) -> int:
        """Since the epoch, as a token's claims count."""
        return int(self.now().timestamp())
