"""Messages as they should look, and the queue of each channel that makes Slack show them.

Level-triggered: a message that changed three times while it waited is sent once, as it looks by then.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog

from bot.slack.outgoing import Rendering
from bot.slack.pace import Pace

log = structlog.get_logger(__name__)

TRIES = 8  # three minutes in all, where Slack does not say how long to wait
_LONGEST_WAIT = 60.0


class PostRefusedError(Exception):
    """Slack will not show this message; `code` is its own word for why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class PostUncertainError(Exception):
    """Slack may or may not have made the message: it is not sent again, for it could then stand there twice."""


class LaterError(Exception):
    """Slack cannot take the call now; `seconds` is how long it asks to wait, 0 where it does not say."""

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class GoneError(Exception):
    """The message that was to be edited is no longer there."""


class Wire(Protocol):
    """Makes and edits messages. Raises the errors above."""

    async def create(self, channel: str, thread_ts: str, rendering: Rendering) -> str: ...

    async def edit(self, channel: str, ts: str, rendering: Rendering) -> None: ...


class Post:
    """One message. `show` may be called at any time; `settled` returns when Slack shows the newest."""

    def __init__(self, channel: str, thread_ts: str, rendering: Rendering, wake: Callable[["Post"], None]) -> None:
        self.channel = channel
        self.thread_ts = thread_ts
        self.ts = ""
        self._wake = wake
        self._wanted = rendering
        self._shown: Rendering | None = None
        self._error: Exception | None = None
        self._posted = asyncio.Event()
        self._settled = asyncio.Event()
        self._tries = 0
        wake(self)

    def show(self, rendering: Rendering) -> None:
        self._wanted = rendering
        if self._error is None:
            self._settled.clear()
            self._wake(self)

    async def posted(self) -> str:
        """The message's ts. Raises PostRefusedError or PostUncertainError."""
        await self._posted.wait()
        if self._error is not None:
            raise self._error
        return self.ts

    async def settled(self) -> str:
        """The ts once the newest rendering is shown. Raises PostRefusedError or PostUncertainError."""
        await self._settled.wait()
        if self._error is not None:
            raise self._error
        return self.ts

    async def send(self, wire: Wire) -> None:
        """Brings Slack up to the newest rendering. Raises LaterError."""
        if self._error is not None:
            return  # it was shown anew while the call was underway that failed for good
        wanted = self._wanted
        self._tries += 1
        try:
            if self.ts:
                await wire.edit(self.channel, self.ts, wanted)
            else:
                self.ts = await wire.create(self.channel, self.thread_ts, wanted)
        except GoneError:
            log.info("a message was deleted; it is posted again", channel=self.channel)
            self.ts = ""
            self._wake(self)
            return
        except LaterError:
            raise
        except Exception as error:  # noqa: BLE001  # whoever waits for the message gets it; the queue goes on
            self.fail(error)
            return
        self._tries = 0
        self._shown = wanted
        self._posted.set()
        if self._shown is self._wanted:
            self._settled.set()

    def fail(self, error: Exception) -> None:
        self._error = error
        self._posted.set()
        self._settled.set()

    @property
    def exhausted(self) -> bool:
        return self._tries >= TRIES

    @property
    def patience(self) -> float:
        """Seconds before the next try where Slack does not say: longer each time."""
        return float(min(_LONGEST_WAIT, 2**self._tries))


class Queue:
    """A channel's posts in the order in which they were first shown; one call at a time."""

    def __init__(self, wire: Wire, posts: Pace, updates: Pace, spawn: Callable[[Awaitable[None]], None]) -> None:
        self._wire = wire
        self._posts = posts
        self._updates = updates
        self._spawn = spawn
        self._waiting: dict[Post, None] = {}
        self._busy = False

    def wake(self, post: Post) -> None:
        self._waiting.setdefault(post)
        if not self._busy:
            self._busy = True
            self._spawn(self._work())

    async def turn(self, *, edits: bool) -> None:
        """Returns when one more call may be made beside those that wait here."""
        await (self._updates if edits else self._posts).turn()

    async def _work(self) -> None:
        try:
            while self._waiting:
                post = next(iter(self._waiting))
                await self.turn(edits=bool(post.ts))
                # Taken out before it is sent: what is shown meanwhile puts it back.
                del self._waiting[post]
                await self._send(post)
        finally:
            self._busy = False

    async def _send(self, post: Post) -> None:
        wait = await self._attempt(post)
        if not wait:
            return
        if post.exhausted:
            log.error("Slack did not take a message", channel=post.channel, tries=TRIES)
            post.fail(PostRefusedError("no answer in time"))
            return
        log.warning("Slack cannot take a message now", channel=post.channel, seconds=wait)
        self._waiting = {post: None, **self._waiting}
        await asyncio.sleep(wait)

    async def _attempt(self, post: Post) -> float:
        """Seconds to wait before the next try, 0 when none is needed."""
        try:
            await post.send(self._wire)
        except LaterError as later:
            return later.seconds or post.patience
        return 0.0
