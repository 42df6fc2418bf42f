"""What is done again and again: expiry, messages that nobody wanted yet, and what ended long ago is forgotten."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger

from bot.actions.approvals import Approvals
from bot.errors import StoreUnavailableError
from bot.store import Store

log = structlog.get_logger(__name__)

_EXPIRY_SECONDS = 5.0
_RECOVERY_SECONDS = 60.0
_LATELY = timedelta(minutes=10)
_WHILE_DOWN = timedelta(days=1)
_PURGE = ":purge"  # no digest has such a name
_PURGE_HOUR, _PURGE_MINUTE = 3, 17
_PURGE_LEASE_SECONDS = 600.0
_LATE_SECONDS = 6 * 3600


class Jobs:
    """What comes every few seconds, counted by a clock that nobody sets.

    (A scheduler that knows the wall clock only would stand still for an hour when that is set back by one.)
    """

    def __init__(self, approvals: Approvals) -> None:
        self._approvals = approvals
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._again("expiry", _EXPIRY_SECONDS, self._approvals.expire)),
            asyncio.create_task(self._recovery()),
        ]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _recovery(self) -> None:
        """At the start for what happened while nobody was there, then for what a dying replica left behind."""
        await _told("recovery", lambda: self._approvals.show_all(_WHILE_DOWN))
        await self._again("recovery", _RECOVERY_SECONDS, lambda: self._approvals.show_all(_LATELY))

    async def _again(self, name: str, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            await _told(name, work)


class Purge:
    """What ended long ago is forgotten, once a day by the wall clock."""

    def __init__(self, store: Store, *, worker: str, now: Callable[[], datetime], keep: timedelta) -> None:
        self._store = store
        self._worker = worker
        self._now = now
        self._keep = keep
        logging.getLogger("apscheduler").setLevel(logging.WARNING)
        self._scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"misfire_grace_time": _LATE_SECONDS, "coalesce": True, "max_instances": 1}
        )

    def start(self) -> None:
        daily = CronTrigger(hour=_PURGE_HOUR, minute=_PURGE_MINUTE, timezone=UTC)
        self._scheduler.add_job(self.purge, daily, id=_PURGE)
        self._scheduler.start()

    def stop(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    async def purge(self) -> None:
        """By whichever replica comes first."""
        at = self._now()
        day = f"{at:%Y-%m-%d}T{_PURGE_HOUR:02}:{_PURGE_MINUTE:02}"
        try:
            if not await self._store.slots.claim(_PURGE, day, self._worker, at, _PURGE_LEASE_SECONDS, due_at=at):
                return
            removed = await self._store.forget(self._now() - self._keep)
            await self._store.slots.done(_PURGE, day, self._worker, self._now())
        except StoreUnavailableError as error:
            log.warning("what ended long ago could not be removed", error=str(error))
        else:
            log.info("what ended long ago was removed", requests=removed)


async def _told(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """One failure ends no job."""
    try:
        await work()
    except StoreUnavailableError as error:
        log.warning("a job waits for the database", job=name, error=str(error))
    except Exception:
        log.exception("a job broke", job=name)
