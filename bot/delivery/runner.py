"""Runs the schedules: each slot is claimed, looked at, recorded and told once, whatever dies on the way.

Everything that was found is recorded together with what is to be told, in one transaction: whoever takes over after it
posts the same digest, and does not find that nothing is new any more. Whoever takes over before it begins anew.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from bot.delivery.hold import LEASE_SECONDS, SlotHold
from bot.delivery.looking import Census, look
from bot.delivery.posting import Posting
from bot.delivery.recording import Recorder
from bot.digest import routing, slots
from bot.digest.comparison import Unreached
from bot.digest.slots import Round
from bot.errors import StoreUnavailableError
from bot.lease import Clock, LostError
from bot.model import Inventory
from bot.store import LeftSlot, Store
from config import cron
from config.digests import Digest as Schedule

log = structlog.get_logger(__name__)

CHECKPOINTS = (
    "digest claimed",  # the slot is this worker's
    "digest looked",  # the clusters were read
    "digest recorded",  # what is to be told is stored, and nobody was told
    "digest trying",  # a page is about to be posted
    "digest posted",  # it stands in Slack, and nobody knows
    "digest noted",  # the store knows
    "digest told",  # every channel was told, and the slot is not done
    "digest done",
)
"""Where a process may die on the way of a slot; `checkpoint` is called with each name."""

_POLL_SECONDS = 30.0
_LONGEST_PAUSE_SECONDS = 120.0
_LEAST_PATIENCE = timedelta(hours=1)


class Runner:
    """`worker` names this process; `clusters` are the names of those that are configured, as they are known by now."""

    def __init__(
        self,
        store: Store,
        schedules: Sequence[Schedule],
        *,
        census: Census,
        recorder: Recorder,
        posting: Posting,
        clock: Clock,
        worker: str,
        clusters: Callable[[], Sequence[str]],
        checkpoint: Callable[[str], None],
    ) -> None:
        self._store = store
        self._schedules = schedules
        self._census = census
        self._recorder = recorder
        self._posting = posting
        self._clock = clock
        self._worker = worker
        self._clusters = clusters
        self._checkpoint = checkpoint
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._run(schedule)) for schedule in self._schedules]

    async def stop(self, seconds: float) -> None:
        """What is being posted is posted, for at most so long; a census is left to any other worker at once."""
        self._stop.set()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        for task in self._tasks:
            task.cancel()
        for outcome in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                log.error("a digest had broken off", exc_info=outcome)
        self._tasks = []

    async def _run(self, schedule: Schedule) -> None:
        """Each schedule waits for itself only. The wall clock is asked anew each time: it may have been set."""
        pause = _POLL_SECONDS
        while not self._stop.is_set():
            try:
                busy = await self.turn(schedule)
            except StoreUnavailableError as error:
                log.warning("a digest waits for the database", digest=schedule.name, error=str(error))
                busy, pause = False, min(2 * pause, _LONGEST_PAUSE_SECONDS)
            except Exception:
                log.exception("a digest broke", digest=schedule.name)
                busy = False
            else:
                pause = _POLL_SECONDS
            if not busy:
                await self._wait(min(pause, self._seconds_to_next(schedule)))

    async def turn(self, schedule: Schedule) -> bool:
        """Tells one slot, if one is due or was left; False if there was nothing to do, or another worker does it."""
        name, now = schedule.name, self._clock.now()
        await self._store.slots.begin(name, now)
        left = [slots.of_key(slot.minute, slot.due_at) for slot in await self._store.slots.left(name, now)]
        for slot in left:
            if await self._store.digests.recorded(name, slot.key):
                return await self._claimed(schedule, Round(slot=slot, missed=(), in_time=True))
        since = await self._store.slots.last(name, now) or now
        due = slots.due(cron.parse(schedule.cron), ZoneInfo(schedule.timezone), since, now)
        # A slot of the future was claimed while somebody's clock was wrong; its time will come.
        begun = [slot for slot in left if slot.at <= now]
        round_ = slots.chosen([*begun, *due], now, timedelta(hours=schedule.catch_up_hours))
        if round_ is None:
            return False
        missed = [LeftSlot(minute=slot.key, due_at=slot.at) for slot in round_.missed]
        await self._store.slots.missed(name, missed, now)
        return await self._claimed(schedule, round_)

    async def _claimed(self, schedule: Schedule, round_: Round) -> bool:
        owner, began, slot = f"{self._worker}/{secrets.token_hex(3)}", self._clock.monotonic(), round_.slot
        if not await self._store.slots.claim(
            schedule.name, slot.key, owner, self._clock.now(), LEASE_SECONDS, due_at=slot.at
        ):
            return False
        hold = SlotHold(self._store, schedule.name, slot, owner=owner, clock=self._clock, claimed_at=began)
        await self._carry(schedule, round_, hold)
        return True

    async def _carry(self, schedule: Schedule, round_: Round, hold: SlotHold) -> None:
        """Works at the slot while the heartbeats go on, and not a moment longer."""
        work = asyncio.ensure_future(self._told(schedule, round_, hold))
        beats = asyncio.ensure_future(hold.keep())
        released = False
        try:
            await asyncio.wait({work, beats}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                released = not await work
            else:
                log.warning("a slot is another worker's by now", digest=schedule.name, minute=round_.slot.key)
        except StoreUnavailableError:
            raise
        except LostError:
            log.warning("a slot was another worker's", digest=schedule.name, minute=round_.slot.key)
        except asyncio.CancelledError:
            released = True
            raise
        except Exception:
            number = secrets.token_hex(4)
            log.exception("a digest broke", incident=number, digest=schedule.name, minute=round_.slot.key)
            await self._failed(schedule, hold, number)
        finally:
            work.cancel()
            beats.cancel()
            await asyncio.gather(work, beats, return_exceptions=True)
            if released:  # after the last heartbeat, which would take it back
                await hold.release()

    async def _told(self, schedule: Schedule, round_: Round, hold: SlotHold) -> bool:
        """False if the bot stops before anything is recorded. Raises LostError."""
        self._checkpoint("digest claimed")
        name, slot = schedule.name, round_.slot
        log.info("a digest begins", digest=name, minute=slot.key, late=not round_.in_time, missed=len(round_.missed))
        if not await self._store.digests.recorded(name, slot.key):
            found = await self._looked(schedule) if round_.in_time else ()
            if found is None:
                return False
            self._checkpoint("digest looked")
            await self._recorder.record(schedule, found, hold, in_time=round_.in_time, next_at=self._next(schedule))
            self._checkpoint("digest recorded")
        patience = max(timedelta(hours=schedule.catch_up_hours), _LEAST_PATIENCE).total_seconds()
        kept = await self._store.digests.recorded(name, slot.key)
        failures = [await self._posting.post(one, hold, seconds=patience) for one in kept]
        self._checkpoint("digest told")
        failure = "; ".join(filter(None, failures))
        if not await self._store.slots.done(name, slot.key, hold.owner, self._clock.now(), failure=failure):
            raise LostError
        self._checkpoint("digest done")
        log.info("a digest ended", digest=name, minute=slot.key, channels=sum(one.is_told for one in kept))
        return True

    async def _failed(self, schedule: Schedule, hold: SlotHold, number: str) -> None:
        """An error of ours would come again with every try: the slot ends, and that is not kept silent."""
        failure = f"token-doctor itself failed (incident {number})"
        ended = self._store.slots.done(schedule.name, hold.slot.key, hold.owner, self._clock.now(), failure=failure)
        if await ended:
            await self._posting.failed(schedule.name, schedule.channel, hold.slot.minute, number)

    async def _looked(self, schedule: Schedule) -> tuple[Inventory | Unreached, ...] | None:
        """What every cluster has; None if the bot stops meanwhile."""
        at = self._clock.now()
        names = routing.covered(schedule.clusters, self._clusters())
        if not names:
            wanted = ", ".join(schedule.clusters)
            mend = f"Name one of {', '.join(self._clusters())} in the digest's clusters."
            return (Unreached(cluster=wanted, at=at, why="No configured cluster is called so.", mend=mend),)
        window = timedelta(days=schedule.window_days)
        work = asyncio.ensure_future(look(self._census, names, namespaces=schedule.namespaces, window=window, at=at))
        stop = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
            return await work if work.done() else None
        finally:
            work.cancel()
            stop.cancel()
            await asyncio.gather(work, stop, return_exceptions=True)

    def _next(self, schedule: Schedule) -> datetime | None:
        slot = slots.following(cron.parse(schedule.cron), ZoneInfo(schedule.timezone), self._clock.now())
        return slot.at if slot else None

    def _seconds_to_next(self, schedule: Schedule) -> float:
        at = self._next(schedule)
        return max((at - self._clock.now()).total_seconds(), 0.0) if at else _POLL_SECONDS

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stop.wait()
