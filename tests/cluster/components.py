"""The control plane's programs together: started in order, watched while they start, stopped and started again."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import aiohttp

from tests.cluster.commands import Command, Component, Flags
from tests.cluster.layout import Layout
from tests.cluster.processes import Program, start

START_SECONDS = 120
PAUSE_SECONDS = 0.05
SHOWN_LINES = 25
HEALTH: Mapping[Component, str] = {"etcd": "/health", "kube-apiserver": "/readyz"}


class EndedError(Exception):
    """A program ended, or did not become ready; the message has the last lines of its log."""

    def port_taken(self) -> bool:
        return "address already in use" in str(self)


@dataclass
class Components:
    """The programs by name; `urls` are those that are asked for their health, with this token if they want one."""

    layout: Layout
    commands: Mapping[Component, Command]
    session: aiohttp.ClientSession
    urls: Mapping[Component, str]
    token: str
    programs: dict[Component, Program] = field(default_factory=dict)

    async def start_all(self) -> None:
        """Returns once the API server is ready; the others come up by themselves."""
        for name in self.commands:
            await self.start(name, {})

    async def start(self, name: Component, changes: Flags) -> Command:
        """With the flags of its first start, changed; returns once it is healthy, where it can be asked."""
        present = self.programs.get(name)
        if present is not None and present.running():
            await present.stop()
        command = self.commands[name].changed(changes)
        self.programs[name] = await start(command, self.layout.log(name))
        if name in self.urls:
            await self._until_healthy(name)
        return command

    async def stop(self, name: Component) -> None:
        await self.programs[name].stop()

    async def stop_all(self) -> None:
        await asyncio.gather(*(program.stop() for program in self.programs.values()))

    def check(self) -> None:
        """Raises EndedError when a program has ended by itself."""
        for name, program in self.programs.items():
            if not program.running():
                status = program.process.returncode
                raise EndedError(f"{name} ended with status {status}.\n{self._tail(name)}")

    async def _until_healthy(self, name: Component) -> None:
        ends = time.monotonic() + START_SECONDS
        while not await self._healthy(name):
            self.check()
            if time.monotonic() > ends:
                raise EndedError(f"{name} was not ready within {START_SECONDS} s.\n{self._tail(name)}")
            await asyncio.sleep(PAUSE_SECONDS)

    async def _healthy(self, name: Component) -> bool:
        try:
            headers = {"Authorization": f"Bearer {self.token}"}
            async with self.session.get(self.urls[name] + HEALTH[name], headers=headers) as response:
                return response.ok
        except (aiohttp.ClientError, TimeoutError):
            return False

    def _tail(self, name: Component) -> str:
        path = self.layout.log(name)
        lines = path.read_text(errors="replace").splitlines() if path.exists() else []
        return "\n".join([f"The end of {path}:", *lines[-SHOWN_LINES:]])
