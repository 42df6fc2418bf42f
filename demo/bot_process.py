"""The bot as a subprocess, the same program that runs in a cluster: `token-doctor run --config FILE`."""

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
WITH_PARENT = Path(__file__).with_name("with_parent.py")
LAST_LINES = 12
STOP_SECONDS = 10.0


@dataclass
class BotProcess:
    """`last` are the last lines that it wrote; all of them are in the file `log`."""

    process: asyncio.subprocess.Process
    log: Path
    last: deque[str] = field(default_factory=lambda: deque(maxlen=LAST_LINES))
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    _reader: asyncio.Task[None] | None = None

    async def ended(self) -> int:
        """The exit code, once everything that it wrote is read."""
        code = await self.process.wait()
        if self._reader is not None:
            await self._reader
        return code

    async def stop(self) -> None:
        """Asks it to finish what it is doing; after a while, or when asked twice, it is killed."""
        if self.process.returncode is None:
            with suppress(ProcessLookupError):  # it went by itself meanwhile
                self.process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self.ended()
        except TimeoutError:
            with suppress(ProcessLookupError):  # the same
                self.process.kill()
            await self.ended()

    async def read(self) -> None:
        if self.process.stderr is None:
            return
        with self.log.open("wb") as log:
            async for line in self.process.stderr:
                log.write(line)
                log.flush()
                self.last.append(line.decode("utf-8", "replace").rstrip())
                if line.startswith(b"ready: "):
                    self.ready.set()


async def start_bot(config: Mapping[str, object], folder: Path, tokens: Mapping[str, str]) -> BotProcess:
    """A session of its own: Ctrl-C reaches the demo only, which then stops the bot."""
    path = folder / "token-doctor.yaml"
    path.write_text(yaml.safe_dump(dict(config), sort_keys=False), "utf-8")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(WITH_PARENT),
        str(os.getpid()),
        *(sys.executable, "-m", "bot", "run", "--config", str(path)),
        cwd=ROOT,
        env=_environment(tokens),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
        limit=1 << 20,
    )
    bot = BotProcess(process, folder / "bot.log")
    bot._reader = asyncio.create_task(bot.read())  # noqa: SLF001 - its own module
    return bot


def _environment(tokens: Mapping[str, str]) -> dict[str, str]:
    """This process's own, without anything that configures another bot or reaches another cluster."""
    foreign = ("SLACK_", "TOKEN_DOCTOR_", "KUBE", "DATABASE_")
    own = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return own | dict(tokens)
