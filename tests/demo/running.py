"""`python -m demo` as a subprocess, as `make demo` runs it."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
READY_SECONDS = 90.0
EXIT_SECONDS = 30.0


@dataclass
class Demo:
    """`url` is what it printed; `bot` the process id of the bot that it started."""

    process: asyncio.subprocess.Process
    url: str = ""
    bot: int = 0

    async def exit(self) -> tuple[int, str]:
        """The exit code, and what it wrote against itself."""
        async with asyncio.timeout(EXIT_SECONDS):
            _, said = await self.process.communicate()
        return self.process.returncode or 0, said.decode()


@asynccontextmanager
async def running(folder: Path, scenario: str = "default") -> AsyncIterator[Demo]:
    """Interrupted at the end, as by Ctrl-C, where it still runs. What it writes is in the folder."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "demo", "--port", "0", "--scenario", scenario),
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(folder)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    demo = Demo(process)
    try:
        demo.url, demo.bot = await _ready(process)
        yield demo
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
            await demo.exit()


async def _ready(process: asyncio.subprocess.Process) -> tuple[str, int]:
    assert process.stdout is not None
    async with asyncio.timeout(READY_SECONDS):
        line = (await process.stdout.readline()).decode()
    found = re.search(r"http://\S+", line)
    if found is None:
        _, said = await process.communicate()
        raise AssertionError(f"the demo printed no address: {line!r}\n{said.decode()}")
    return found[0], _child(process.pid)


def _child(pid: int) -> int:
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    return int(child)


def is_there(pid: int) -> bool:
    return Path(f"/proc/{pid}/cmdline").exists()
