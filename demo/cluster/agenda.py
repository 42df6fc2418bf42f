"""What is to happen later: one timer of the event loop for all of it, and the past played in an instant."""

import asyncio
import heapq
import itertools
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from demo.cluster.clock import Clock

Work = Callable[[], None]


class Agenda:
    """Before `begin` time stands still and moves by `play` only; afterwards the event loop drives it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: list[tuple[datetime, int, Work]] = []
        self._soon: deque[Work] = deque()
        self._numbers = itertools.count()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.Handle | None = None

    def soon(self, work: Work) -> None:
        """After what is being done now."""
        self._soon.append(work)
        self._arm()

    def after(self, seconds: float, work: Work) -> None:
        heapq.heappush(self._due, (self._clock.now() + timedelta(seconds=seconds), next(self._numbers), work))
        self._arm()

    def play(self, until: datetime) -> None:
        """Does all that is due by then, each at its time; leaves the clock stopped there."""
        self._drain()
        while self._due and self._due[0][0] <= until:
            moment, _, work = heapq.heappop(self._due)
            self._clock.stopped_at = max(moment, self._clock.now())
            work()
            self._drain()
        self._clock.stopped_at = until

    def begin(self) -> None:
        """From now on time passes by itself."""
        self._clock.stopped_at = None
        self._loop = asyncio.get_running_loop()
        self._arm()

    def look_again(self) -> None:
        """After the clock was moved."""
        self._arm()

    def end(self) -> None:
        """Nothing more is done."""
        self._due.clear()
        self._soon.clear()
        self._loop = None
        if self._timer is not None:
            self._timer.cancel()

    def _drain(self) -> None:
        while self._soon:
            self._soon.popleft()()

    def _run(self) -> None:
        self._timer = None
        try:
            self._drain()
            while self._due and self._due[0][0] <= self._clock.now():
                _, _, work = heapq.heappop(self._due)
                work()
                self._drain()
        finally:
            self._arm()

    def _arm(self) -> None:
        """One timer, for the earliest of all."""
        if self._loop is None:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._soon:
            self._timer = self._loop.call_soon(self._run)
        elif self._due:
            seconds = (self._due[0][0] - self._clock.now()).total_seconds()
            self._timer = self._loop.call_later(max(0.0, seconds), self._run)
