"""One clock for tickets, triggers, response_urls, rate limits and message timestamps."""

import time


class Clock:
    """The wall clock plus an offset that a test moves: it still runs between two moves."""

    def __init__(self) -> None:
        self.offset = 0.0

    def __call__(self) -> float:
        return time.time() + self.offset

    def advance(self, seconds: float) -> None:
        self.offset += seconds
