"""Replicas of the bot, as something like Kubernetes keeps them: whatever ends is started again."""

import asyncio
import multiprocessing
import os
import signal
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from tests.crash import bot

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerProcess

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.crash.bot"])
_READY_SECONDS = 60.0
_STOP_SECONDS = 60.0
_AGAIN_SECONDS = 0.3


def prepare() -> None:
    """Starts the process from which the bots are forked. It imports everything: that takes a few seconds."""
    forkserver.ensure_running()


class Replica:
    """`wrong` has what a process did of its own accord that it should not have."""

    def __init__(self, number: int, life: bot.Life) -> None:
        self.number = number
        self.life = life
        self.pause = 0.0
        self.starts = 0
        self.refusals = 0
        self.wrong: list[str] = []
        self._process: ForkServerProcess | None = None
        self._ready = asyncio.Event()
        self._ended = asyncio.Event()
        self._asked = False
        self._last = False
        self._living: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._living = asyncio.create_task(self._live())

    async def ready(self) -> None:
        async with asyncio.timeout(_READY_SECONDS):
            await self._ready.wait()

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    async def ended(self) -> None:
        """Returns when the present process has."""
        await self._ended.wait()

    async def freeze(self, seconds: float) -> None:
        """It stands still, and goes on as if no time had passed."""
        self._signal(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        self._signal(signal.SIGCONT)

    async def restart(self) -> None:
        """As a rolling update would: SIGTERM, and then a new one."""
        self._asked = True
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await self.ended()
        except TimeoutError:
            self.wrong.append(f"replica {self.number} did not stop within {_STOP_SECONDS:.0f} s")
            self.kill()

    async def stop(self) -> None:
        """For good, and as a rolling update would."""
        await self.ready()
        self._last = True
        await self.restart()

    async def abandon(self) -> None:
        """For good, and at once."""
        if self._living is not None:
            self._last = True
            self._living.cancel()
            await asyncio.gather(self._living, return_exceptions=True)
        self.kill()

    async def _live(self) -> None:
        while not self._last:
            self._asked = False
            self._ended.clear()
            self._judge(await self._one_life())
            self._ready.clear()
            self._process = None
            self._ended.set()
            await asyncio.sleep(max(self.pause, _AGAIN_SECONDS))

    async def _one_life(self) -> int | None:
        reader, writer = _FORKS.Pipe(duplex=False)
        process = _FORKS.Process(target=bot.live, args=(self.life, writer), name=f"bot-{self.number}", daemon=True)
        await asyncio.to_thread(process.start)
        writer.close()
        self.starts += 1
        self._process = process
        told = asyncio.create_task(self._told(reader))
        await _readable(process.sentinel)
        process.join()
        await told
        return process.exitcode

    async def _told(self, reader: Connection) -> None:
        await _readable(reader.fileno())
        try:
            reader.recv()
        except EOFError:
            return
        finally:
            reader.close()
        self._ready.set()

    def _judge(self, code: int | None) -> None:
        if code == bot.REFUSED and not self._ready.is_set():
            self.refusals += 1
        elif code != -signal.SIGKILL and not (code == 0 and self._asked):
            self.wrong.append(f"replica {self.number} ended by itself, with {code}")

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.pid is not None and self._process.exitcode is None:
            os.kill(self._process.pid, number)


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    found: asyncio.Future[None] = loop.create_future()
    loop.add_reader(descriptor, _wake, found)
    try:
        await found
    finally:
        loop.remove_reader(descriptor)


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
