"""Looks again and again at what was done, until there is nothing more to see."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime

from bot.actions.action import Progress
from bot.durations import utc
from bot.errors import DoctorError
from bot.kube.gaps import UnreadableError

_FIRST_PAUSE_SECONDS = 0.3
_LONGEST_PAUSE_SECONDS = 4.0
_SILENCE_SECONDS = 10.0


async def watch(
    now: Callable[[], datetime], until: datetime, look: Callable[[], Awaitable[Progress]]
) -> AsyncIterator[Progress]:
    """Each progress that says something new, and after ten seconds the same again; the last one has ended.

    An API server that is away, or does not know the bot's rights yet because it has just been started, is waited for.
    It is looked once at least, and `until` is waited for by a clock that nobody sets.
    """
    loop = asyncio.get_running_loop()
    ends = loop.time() + (until - now()).total_seconds()
    said, said_at, pause = Progress(text=""), float("-inf"), _FIRST_PAUSE_SECONDS
    while not said.ended:
        progress = await _seen(look)
        if not progress.ended and loop.time() >= ends:
            progress = _late(progress, until)
        if progress != said:
            pause = _FIRST_PAUSE_SECONDS
        if progress != said or loop.time() - said_at >= _SILENCE_SECONDS:
            said, said_at = progress, loop.time()
            yield progress
        if not progress.ended:
            await asyncio.sleep(max(0.0, min(pause, ends - loop.time())))
            pause = min(1.5 * pause, _LONGEST_PAUSE_SECONDS)


async def _seen(look: Callable[[], Awaitable[Progress]]) -> Progress:
    try:
        return await look()
    except (UnreadableError, DoctorError) as error:
        why = str(error).rstrip(".")
        return Progress(text="It cannot be seen at the moment how it goes.", stuck=why)


def _late(progress: Progress, until: datetime) -> Progress:
    why = f": {progress.stuck}" if progress.stuck else ""
    return Progress(text=progress.text, ended=True, failed=f"It had not come to its end by {utc(until)}{why}.")
