"""Brings each message about a request up to what the store says: there is no queue of old payloads.

A message is claimed, rendered as the request stands, posted or edited, and noted with the version that it shows. A
process that dies in between leaves it to any other; one that dies between Slack's yes and the note leaves a message
that nobody knows of. The next one looks for it by its metadata; where the bot may not look (it has no scope to read
channels by default) the message is posted once more, and the unknown one stays as it was: its buttons still answer.
"""

import asyncio
import contextlib
import dataclasses
import re
from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog
from msgspec.structs import replace

from bot.blocks import request as blocks
from bot.blocks.limits import Message as Rendered
from bot.errors import StoreUnavailableError
from bot.model import Purpose, Request, State
from bot.slack.door import Slack
from bot.slack.marks import Mark
from bot.slack.posts import GoneError, LaterError, PostRefusedError, PostUncertainError
from bot.store import Message, Store

log = structlog.get_logger(__name__)

_LEASE_SECONDS = 90.0
_PATIENCE_SECONDS = 60.0  # less than the lease: a call that is still on its way could undo a later one
_POLL_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0
_AT_ONCE = 20
_MOST_LINKS = 500
_CLOCKS_DIFFER_SECONDS = 60.0
_DOUBLINGS = 5  # a try every half minute: Slack is back in minutes, not in hours
_CANNOT_POST = {"not_in_channel", "channel_not_found", "is_archived", "restricted_action", "cannot_dm_bot"}
_PERSON = re.compile(r"[UW][A-Z0-9]{6,}")


class Announcer:
    """`worker` names this process, `approvers` are the people and user groups who are to decide on a request.

    `wake` is called when something may have changed; else it looks every second.
    """

    def __init__(
        self,
        store: Store,
        slack: Slack,
        *,
        worker: str,
        now: Callable[[], datetime],
        approvers: Callable[[Request], Awaitable[tuple[str, ...] | None]],
    ) -> None:
        self._store = store
        self._slack = slack
        self._worker = worker
        self._now = now
        self._approvers = approvers
        self._wake = asyncio.Event()
        self._stopping = False
        self._links: dict[tuple[str, str], str] = {}

    def wake(self) -> None:
        self._wake.set()

    def stop(self) -> None:
        """`run` returns once everything shows the present, or cannot for now."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        pause = _POLL_SECONDS
        while True:
            self._wake.clear()
            try:
                busy = await self.once()
            except StoreUnavailableError as error:
                log.warning("messages cannot be brought up to date", error=str(error), seconds=pause)
                busy, pause = False, min(2 * pause, _LONGEST_PAUSE_SECONDS)
            else:
                pause = _POLL_SECONDS
            if busy:
                continue
            if self._stopping:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()

    async def once(self) -> bool:
        """Brings up to date what is behind, at most twenty messages; False if there were none."""
        behind = await self._store.messages.behind(self._now(), self._worker, _LEASE_SECONDS, limit=_AT_ONCE)
        outcomes = await asyncio.gather(*map(self._bring, behind), return_exceptions=True)
        broken = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        for error in broken:
            if not isinstance(error, StoreUnavailableError):
                log.error("a message could not be brought up to date", exc_info=error)
        if unavailable := next((each for each in broken if isinstance(each, StoreUnavailableError)), None):
            raise unavailable
        return bool(behind)

    async def _bring(self, message: Message) -> None:
        request = await self._store.requests.get(message.request)
        if request is None:
            return
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                ts = await self._put(message, request)
        except GoneError:
            await self._give_up(message, "it was deleted")
        except PostRefusedError as refused:
            await self._refused(message, request, refused.code)
        except LaterError as later:
            await self._later(message, "Slack cannot take it now", later.seconds)
        except (PostUncertainError, TimeoutError) as error:
            await self._later(message, f"Slack did not confirm it: {error}")
        else:
            await self._shown(message, request, ts)

    async def _put(self, message: Message, request: Request) -> str:
        """Slack shows the request as it stands; the message's ts."""
        purpose = Purpose(message.purpose)
        thread_ts = await self._thread(message, purpose)
        mark = Mark(request.id, message.purpose)
        ts = message.ts
        if not ts and message.claim > 1:
            since = request.created_at.timestamp() - _CLOCKS_DIFFER_SECONDS
            ts = await self._slack.find(message.channel, thread_ts, mark, since)
        if ts and purpose in {Purpose.OUTCOME, Purpose.UNASKED}:
            return ts  # said once: it does not change
        return await self._slack.put(message.channel, thread_ts, ts, await self._rendered(purpose, request), mark)

    async def _thread(self, message: Message, purpose: Purpose) -> str:
        """An outcome stands under the message that told of it first, where it was asked for in no thread."""
        if purpose is not Purpose.OUTCOME or message.thread_ts or _PERSON.fullmatch(message.channel):
            return message.thread_ts
        others = [each for each in await self._store.messages.of(message.request) if each.channel == message.channel]
        first = next((each for each in others if each.id != message.id and not each.thread_ts), None)
        if first is None or first.ts or first.given_up:
            return first.ts if first else ""
        raise LaterError(_POLL_SECONDS)

    async def _rendered(self, purpose: Purpose, request: Request) -> Rendered:
        cancelled = request.state is State.CANCELLED
        trail = await self._store.requests.trail(request=request.id, limit=1) if cancelled else ()
        shown = blocks.Shown(request, await self._store.requests.votes(request.id), end=trail[0] if trail else None)
        match purpose:
            case Purpose.DECISION:
                approvers = await self._approvers(request) if request.state is State.PENDING else ()
                if approvers is None:  # whom nobody names now is not notified by a later edit either
                    raise LaterError(_POLL_SECONDS)
                link = await self._link(request)
                return blocks.decision(dataclasses.replace(shown, thread=link, approvers=approvers))
            case Purpose.PROGRESS:
                return blocks.progress(shown)
            case Purpose.OUTCOME:
                return blocks.outcome(shown)
            case Purpose.UNASKED:
                return blocks.unasked(shown)

    async def _link(self, request: Request) -> str:
        """Where it was asked for, for whoever reads of it elsewhere; not worth waiting for."""
        if not request.thread_ts or request.approval_channel == request.channel:
            return ""
        place = (request.channel, request.thread_ts)
        if place not in self._links:
            try:
                self._links[place] = await self._slack.permalink(*place)
            except LaterError:
                return ""
            if len(self._links) > _MOST_LINKS:
                del self._links[next(iter(self._links))]
        return self._links[place]

    async def _shown(self, message: Message, request: Request, ts: str) -> None:
        if request.state.is_final and message.purpose == Purpose.PROGRESS:
            # Also where somebody joined from: `approvals` knows only of the first place.
            await self._store.messages.want(request.id, Purpose.OUTCOME, message.channel, message.thread_ts)
        if await self._store.messages.shown(message, ts=ts, version=request.version):
            return
        log.warning("a message stands there twice, one is removed", channel=message.channel, request=request.id)
        with contextlib.suppress(GoneError, LaterError, PostRefusedError):
            await self._slack.remove(message.channel, ts)

    async def _refused(self, message: Message, request: Request, code: str) -> None:
        """Slack will not have it there: who asked is told in a direct message what matters to them."""
        log.warning("Slack refused a message", code=code, channel=message.channel, request=request.id)
        requester = request.requester.id
        reachable = _PERSON.fullmatch(requester) is not None and message.channel != requester
        waits = message.purpose == Purpose.DECISION and not request.state.is_final and code in _CANNOT_POST
        if reachable and waits:
            await self._store.messages.want(request.id, Purpose.UNASKED, requester)
        elif reachable and message.purpose == Purpose.OUTCOME:
            await self._store.messages.want(request.id, Purpose.OUTCOME, requester)
        if waits:  # until somebody has invited the bot
            await self._store.messages.failed(message, at=self._now(), why=code)
        else:
            await self._give_up(message, code)

    async def _later(self, message: Message, why: str, seconds: float = 0.0) -> None:
        log.info("a message is brought up to date later", channel=message.channel, why=why, seconds=seconds)
        tried = replace(message, failures=min(message.failures, _DOUBLINGS))
        await self._store.messages.failed(tried, at=self._now(), why=why, retry_after=seconds)

    async def _give_up(self, message: Message, why: str) -> None:
        log.warning("a message is given up", channel=message.channel, request=message.request, why=why)
        await self._store.messages.failed(message, at=self._now(), why=why, for_good=True)
