"""Carries out what was approved, exactly once, whatever dies on the way.

A request is claimed with a lease and a fence; what a dead worker leaves behind any other takes up after the lease.
Who lost the claim stops at once: the fence keeps them from recording anything, and an action by its own preconditions
keeps two workers at the same time from doing it twice.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable

import structlog

from bot.actions.execution import DOUBT, Ending, Execution
from bot.actions.hold import LEASE_SECONDS, Hold
from bot.errors import StoreUnavailableError
from bot.lease import Clock, LostError
from bot.model import Request, State
from bot.store import Store

log = structlog.get_logger(__name__)

CHECKPOINTS = (
    "claimed",  # it is this worker's
    "looked",  # it is known whether it was done already
    "planned",  # the plan of now is the approved one
    "ruled",  # the policy agrees
    "applying",  # it is still this worker's; the effect comes next
    "applied",  # it has taken effect, and nobody knows
    "noted",  # the store knows
    "followed",  # it has come to its end
    "examined",  # it was looked whether it helped
    "recording",  # the outcome is known to this worker only
    "recorded",  # the outcome is stored, and not shown
)
"""Where a process may die between the claim and the record; `checkpoint` is called with each name."""

_AT_ONCE = 4
_POLL_SECONDS = 2.0
_STORE_RETRY_SECONDS = 2.0


class Executor:
    """`worker` names this process in the trail; `show` wants the messages of what has ended."""

    def __init__(
        self,
        store: Store,
        execution: Execution,
        clock: Clock,
        *,
        worker: str,
        show: Callable[[Request], Awaitable[None]],
        checkpoint: Callable[[str], None],
    ) -> None:
        self._store = store
        self._execution = execution
        self._clock = clock
        self._worker = worker
        self._show = show
        self._checkpoint = checkpoint
        self._wake = asyncio.Event()
        self._stop = asyncio.Event()
        self._waits_for_store = False
        self._underway: dict[asyncio.Task[None], Hold] = {}

    def wake(self) -> None:
        """There may be something to do."""
        self._wake.set()

    async def run(self) -> None:
        """Takes up requests, several at once, until it is stopped."""
        while not self._stop.is_set():
            self._wake.clear()
            hold = await self._claimed_or_told() if len(self._underway) < _AT_ONCE else None
            if hold is not None and self._stop.is_set():
                await _released(hold)
                return
            if hold is not None:
                task = asyncio.create_task(self._carry(hold))
                self._underway[task] = hold
                task.add_done_callback(self._ended)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_POLL_SECONDS):
                    await self._wake.wait()

    async def once(self) -> bool:
        """Takes up one request and carries it as far as it goes; False if there was none."""
        hold = await self._claimed()
        if hold is not None:
            await self._carry(hold)
        return hold is not None

    async def stop(self, seconds: float) -> None:
        """Lets what is underway end, for at most so long; what is left then is any other worker's at once."""
        self._stop.set()
        self.wake()
        if self._underway:
            await asyncio.wait(set(self._underway), timeout=seconds)
        left = dict(self._underway)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        for hold in left.values():
            await _released(hold)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._underway[task]
        if not task.cancelled() and (error := task.exception()):
            log.error("an execution broke off", exc_info=error)
        self.wake()

    async def _claimed_or_told(self) -> Hold | None:
        """A database that is away is told of once, and asked again; nothing ends the loop."""
        try:
            hold = await self._claimed()
        except StoreUnavailableError as error:
            if not self._waits_for_store:
                log.warning("requests cannot be taken up", error=str(error))
            self._waits_for_store = True
            return None
        except Exception:
            log.exception("a claim broke")
            return None
        self._waits_for_store = False
        return hold

    async def _claimed(self) -> Hold | None:
        began = self._clock.monotonic()
        request = await self._store.requests.claim(self._worker, self._clock.now(), LEASE_SECONDS)
        return Hold(self._store, request, self._clock, claimed_at=began) if request else None

    async def _carry(self, hold: Hold) -> None:
        """Carries it out while the heartbeats go on, and not a moment longer.

        How it ended is recorded even where a heartbeat came too late: the fence alone decides on that.
        """
        work = asyncio.ensure_future(self._carried_out(hold))
        beats = asyncio.ensure_future(hold.keep())
        try:
            await asyncio.wait({work, beats}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                await beats
                log.warning("a request is another worker's by now", request=hold.request.id)
            elif (ending := await work) is not None:
                await self._record(hold, ending)
        except LostError:
            log.warning("a request was another worker's", request=hold.request.id)
        except StoreUnavailableError as error:
            log.warning("a request is left to its lease", request=hold.request.id, error=str(error))
        finally:
            work.cancel()
            beats.cancel()
            await asyncio.gather(work, beats, return_exceptions=True)

    async def _carried_out(self, hold: Hold) -> Ending | None:
        self._checkpoint("claimed")
        request = hold.request
        log.info("carrying out", request=request.id, action=request.plan.kind, fence=request.fence)
        try:
            return await self._execution.ending(hold)
        except (LostError, StoreUnavailableError):
            raise
        except Exception:
            number = secrets.token_hex(4)
            log.exception("an execution broke", incident=number, request=request.id)
            sentence = f"token-doctor itself failed; its log says why (incident {number})."
            return Ending(State.FAILED, f"{sentence} {DOUBT}" if hold.in_doubt else sentence)

    async def _record(self, hold: Hold, ending: Ending) -> None:
        """Stores how it ended. A database that is away is waited for."""
        self._checkpoint("recording")
        ended = await self._stored(hold, ending)
        self._checkpoint("recorded")
        log.info("ended", request=ended.id, state=ending.state, outcome=ending.outcome)
        await self._show(ended)

    async def _stored(self, hold: Hold, ending: Ending) -> Request:
        """Raises LostError."""
        while True:
            try:
                ended = await self._store.requests.advance(
                    hold.request.id,
                    State.RUNNING,
                    ending.state,
                    who=self._worker,
                    why=ending.outcome,
                    at=self._clock.now(),
                    fence=hold.request.fence,
                    outcome=ending.outcome,
                )
            except StoreUnavailableError as error:
                log.warning("an outcome could not be stored yet", request=hold.request.id, error=str(error))
                await self._clock.sleep(_STORE_RETRY_SECONDS)
                continue
            if ended is None:
                raise LostError
            return ended


async def _released(hold: Hold) -> None:
    try:
        await hold.release()
    except StoreUnavailableError as error:
        log.warning("a request is free only when its lease has ended", request=hold.request.id, error=str(error))
