"""Programs that run as long as this one, with their output kept as a container runtime keeps it."""

import asyncio
import datetime as dt
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.commands import Command

DIE_WITH_PARENT = Path(__file__).with_name("die_with_parent.py")
CHUNK = 64 * 1024


@dataclass(frozen=True)
class Program:
    """A running program; it dies with this process, even when that is killed."""

    command: Command
    log: Path
    process: asyncio.subprocess.Process
    copying: asyncio.Task[None]

    def running(self) -> bool:
        return self.process.returncode is None

    async def stop(self) -> None:
        """Ends it at once: nothing it holds is worth an orderly end."""
        if self.running():
            self.process.kill()
        await self.process.wait()
        await self.copying

    def pause(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)


async def start(command: Command, log: Path) -> Program:
    """Call it from the main thread: the kernel's promise is tied to the thread that starts the program."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-IS",
        str(DIE_WITH_PARENT),
        str(os.getpid()),
        *command.line(),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        # UTC: the programs' own lines bear the local time
        env={"HOME": str(log.parent), "PATH": os.environ.get("PATH", ""), "TZ": "UTC"},
    )
    if process.stdout is None:
        raise TypeError("asked for a pipe, got none")
    copying = asyncio.create_task(_copy(process.stdout, log), name=f"log of {command.program.name}")
    return Program(command, log, process, copying)


async def _copy(output: asyncio.StreamReader, log: Path) -> None:
    rest = b""
    with log.open("ab", buffering=0) as file:
        while chunk := await output.read(CHUNK):
            *lines, rest = (rest + chunk).split(b"\n")
            if lines:
                file.write(b"".join(_line(line) for line in lines))
        if rest:
            file.write(_line(rest))


def _line(text: bytes) -> bytes:
    """`2026-11-22T13:00:00.000000000Z stderr F text`, the container runtimes' format."""
    return f"{stamp(dt.datetime.now(dt.UTC))} stderr F ".encode() + text + b"\n"


def stamp(moment: dt.datetime) -> str:
    """RFC 3339 with the nine digits that container runtimes write; Python knows six of them."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
