"""The work behind an acknowledged command: kept alive, limited, and waited for at the stop."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager

import structlog

log = structlog.get_logger(__name__)

AT_ONCE = 4


class Work:
    """Holds a strong reference to every task: the event loop itself keeps only weak ones.

    `first` is awaited before any work begins: what has arrived is acknowledged before it is worked on.
    """

    def __init__(self, first: Callable[[], Awaitable[None]]) -> None:
        self._first = first
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(self._begun(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _begun(self, work: Coroutine[object, object, None]) -> None:
        try:
            await self._first()
        except asyncio.CancelledError:
            work.close()
            raise
        await work

    async def finish(self, seconds: float) -> None:
        """Waits for what is underway, at most this long; then each is told to end."""
        if self._tasks:
            log.info("finishing what is underway", tasks=len(self._tasks))
            await asyncio.wait(self._tasks.copy(), timeout=seconds)
        left = self._tasks.copy()
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


class Turns:
    """At most so many checks at once. Who waits is served in turn by person: one cannot crowd out the rest."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._free = at_once
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    @asynccontextmanager
    async def turn(self, person: str) -> AsyncIterator[None]:
        await self._take(person)
        try:
            yield
        finally:
            self._give()

    async def _take(self, person: str) -> None:
        if self._free:
            self._free -= 1
            return
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(person, deque()).append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self._give()
            raise

    def _give(self) -> None:
        """Hands the turn on to the person who has waited longest since their last one."""
        while self._waiting:
            person = next(iter(self._waiting))
            queue = self._waiting.pop(person)
            next_one = queue.popleft()
            if queue:
                self._waiting[person] = queue
            if not next_one.done():
                next_one.set_result(None)
                return
        self._free += 1
