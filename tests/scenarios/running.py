"""The whole bot as a subprocess, as `token-doctor run` starts it."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

READY_SECONDS = 60.0
EXIT_SECONDS = 60.0


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """This process's own, without anything that configures the bot; warnings count as errors in it."""
    own = {
        name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "TOKEN_DOCTOR_", "KUBE"))
    }
    return {**own, "PYTHONWARNINGS": "error", **extra}


@dataclass
class Bot:
    """`output` is everything that it wrote, `log` its structured lines."""

    process: asyncio.subprocess.Process
    lines: list[str] = field(default_factory=list)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _reader: asyncio.Task[None] | None = None

    @property
    def output(self) -> str:
        return "".join(self.lines)

    @property
    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines if line.startswith("{")]

    def events(self, level: str) -> list[str]:
        return [entry["event"] for entry in self.log if entry["level"] == level]

    async def says(self, words: str, seconds: float = READY_SECONDS) -> str:
        """The first line with these words in it, also one that is still to come."""

        def found() -> str:
            return next((line for line in self.lines if words in line), "")

        try:
            async with asyncio.timeout(seconds), self._changed:
                return await self._changed.wait_for(found)
        except TimeoutError:
            raise AssertionError(f"the bot did not say {words!r}:\n{self.output}") from None

    async def stop(self, signals: int = 1) -> int:
        """SIGTERM, and the exit code."""
        for _ in range(signals):
            if self.process.returncode is None:
                self.process.terminate()
                await asyncio.sleep(0.05)
        return await self.exit()

    async def exit(self) -> int:
        async with asyncio.timeout(EXIT_SECONDS):
            code = await self.process.wait()
            if self._reader is not None:
                await self._reader
        return code

    async def kill(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.exit()

    async def read(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            async with self._changed:
                self.lines.append(line.decode("utf-8", "replace"))
                self._changed.notify_all()


async def start(config: Mapping[str, object], folder: Path, variables: Mapping[str, str]) -> Bot:
    """`python -m bot run --config FILE`."""
    path = folder / "token-doctor.yaml"
    path.write_text(yaml.safe_dump(dict(config)), "utf-8")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "run",
        "--config",
        str(path),
        env=environment(variables),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        limit=1 << 22,
    )
    bot = Bot(process)
    bot._reader = asyncio.create_task(bot.read())  # noqa: SLF001  # its own module
    return bot
