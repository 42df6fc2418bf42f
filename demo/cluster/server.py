"""ClusterServer: the whole stand-in, started and stopped with `async with`."""

import asyncio
import json
import secrets
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from demo.cluster import resources as r
from demo.cluster.authentication import User
from demo.cluster.authorization import ADMINISTRATORS
from demo.cluster.clock import Clock
from demo.cluster.durations import duration
from demo.cluster.faults import Fault, Faults
from demo.cluster.http_api import HttpApi
from demo.cluster.issuing import TokenSpec
from demo.cluster.kubelet import Pace
from demo.cluster.machinery import Machinery
from demo.cluster.objects import JsonObject
from demo.cluster.resource_api import ResourceApi
from demo.cluster.scenario import Act, Scenario, load
from demo.cluster.secret_data import encoded
from demo.cluster.stage import Stage
from demo.cluster.summary import Summary

LARGEST_BODY = 4 * 1024 * 1024  # bytes
_YEARS = 10 * 365 * 24 * 3600


class ClusterServer:
    """One cluster on a free port of 127.0.0.1, by its scenario's name, file, or the scenario itself."""

    def __init__(self, scenario: str | Path | Scenario = "default", *, port: int = 0, pace: Pace | None = None) -> None:
        self.scenario = scenario if isinstance(scenario, Scenario) else load(scenario)
        self.faults = Faults()
        self.admin_token = secrets.token_urlsafe(24)
        self.url = ""
        self._port = port
        self._runner: web.AppRunner | None = None
        start = datetime.now(UTC)
        self.machinery = Machinery(start, self.scenario.programs, self.scenario.nodes, pace or Pace())
        self.machinery.authenticator.users[self.admin_token] = User("admin", (ADMINISTRATORS,))
        self.stage = Stage(self.machinery, self.faults)
        self._summary = Summary(self.machinery, self.scenario, self.faults)
        self._context = self.machinery.authority.serving_context()
        machinery = self.machinery
        api = ResourceApi(machinery.registry, machinery.minter, machinery.authenticator, machinery.authorizer)
        self._http = HttpApi(api, machinery.logs, machinery.mounts, machinery.log, self.faults, start)

    @property
    def clock(self) -> Clock:
        return self.machinery.clock

    async def start(self) -> None:
        self.stage.play(self.scenario)
        await self._listen()
        self.machinery.begin(f"127.0.0.1:{self._port}")

    async def _listen(self) -> None:
        app = web.Application(client_max_size=LARGEST_BODY)
        app.add_routes(self._http.routes())
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self._port, ssl_context=self._context).start()
        self._runner = runner
        self._port = runner.addresses[0][1]
        self.url = self._http.url = f"https://127.0.0.1:{self._port}"

    async def stop(self) -> None:
        self.machinery.agenda.end()
        await self._close()

    async def _close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def restart(self, seconds: float = 1.0) -> None:
        """The API server is away for so long, and comes back at the same address; what is stored stays."""
        await self._close()
        await asyncio.sleep(seconds)
        await self._listen()

    def move_clock(self, by: timedelta) -> None:
        """The cluster's time jumps: what falls due by that is done at once."""
        self.clock.offset += by
        self.machinery.agenda.look_again()

    def fault(self, fault: Fault) -> None:
        """The next requests that fit it meet it."""
        self.faults.add(fault)

    def kubeconfig(self, path: Path, *, admin: bool = False) -> Path:
        """Writes one with the bot's own rights (or an administrator's), and gives the path back."""
        token = self.admin_token if admin else self.token(self.scenario.identity)
        path.touch(mode=0o600)
        path.write_text(json.dumps(self._config(token), indent=2), "utf-8")
        return path

    def token(self, account: str, *, seconds: int = _YEARS) -> str:
        """A token of a service account, `namespace/name`, for so long."""
        namespace, _, name = account.partition("/")
        found = self.machinery.registry.get(r.SERVICE_ACCOUNTS, namespace, name)
        return self.machinery.minter.bound(found, TokenSpec(seconds=seconds))

    def _config(self, token: str) -> JsonObject:
        """JSON is YAML."""
        authority = self.machinery.authority.pem
        cluster = {"server": self.url, "certificate-authority-data": encoded(authority)}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "demo", "cluster": cluster}],
            "users": [{"name": "token-doctor", "user": {"token": token}}],
            "contexts": [{"name": "demo", "context": {"cluster": "demo", "user": "token-doctor"}}],
            "current-context": "demo",
        }

    def state(self) -> JsonObject:
        """What a page shows of it; plain JSON."""
        return self._summary.told()

    @property
    def acts(self) -> tuple[Act, ...]:
        return self.scenario.acts

    async def act(self, name: str) -> None:
        """Does one of the scenario's acts. Raises LookupError, and StatusError where it cannot be done."""
        act = next((each for each in self.acts if each.name == name), None)
        if act is None:
            raise LookupError(f"There is no act {name}; known are: {', '.join(each.name for each in self.acts)}.")
        for step in act.does:
            if seconds := duration(step.after).total_seconds():
                self.machinery.agenda.after(seconds, partial(self.stage.do, step))
                continue
            self.stage.do(step)
            # What controllers do soon is done before the next step.
            await asyncio.sleep(0)
