"""Runs one control plane until the process it serves is gone.

`python -m tests.cluster.supervise FOLDER --serve PID --binaries FOLDER`: a process of its own, so that
several pytest workers share what it runs. Whatever ends it, the kernel ends its programs with it. FOLDER/ready.json is
written when the control plane is ready. --flags changes those of programs: `{"kube-apiserver": {"v": "4"}}`.
"""

import argparse
import asyncio
import json
import logging
import os
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.cluster.api import connected
from tests.cluster.commands import Component, Flags, Ports, commands
from tests.cluster.components import Components, EndedError
from tests.cluster.control import Control, control_endpoint
from tests.cluster.kubelet.mounts import Mounts
from tests.cluster.kubelet.server import Kubelet, serving
from tests.cluster.kubelet.state import State
from tests.cluster.layout import ADMIN, LOOPBACK, Layout
from tests.cluster.nodes import first_nodes
from tests.cluster.ports import free_ports

log = logging.getLogger(__name__)

ATTEMPTS = 3
Changes = Mapping[Component, Flags]


@dataclass(frozen=True)
class Wanted:
    """What to run: the programs' folder, flags other than usual, and where the API server listens."""

    binaries: Path
    changes: Changes = field(default_factory=dict)
    address: str = LOOPBACK


@dataclass(frozen=True)
class Ready:
    """What ready.json tells."""

    url: str
    address: str
    admin_token: str
    etcd_url: str
    control_url: str
    supervisor: int
    start_seconds: float


async def supervise(layout: Layout, wanted: Wanted, when_ready: Callable[[Ready], None]) -> None:
    """Until cancelled. Another process may take a port that was free a moment ago: then it begins anew."""
    layout.create(wanted.address)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            async with running(layout, wanted) as ready:
                when_ready(ready)
                await asyncio.Event().wait()
        except EndedError as error:
            if attempt == ATTEMPTS or not error.port_taken():
                raise
            log.warning("A port was taken meanwhile, trying others.")


@asynccontextmanager
async def running(layout: Layout, wanted: Wanted) -> AsyncIterator[Ready]:
    """A control plane that is ready; it ends with the context."""
    started = time.monotonic()
    etcd, etcd_peer, api_server = free_ports(3)
    url, etcd_url = f"https://{wanted.address}:{api_server}", f"http://{LOOPBACK}:{etcd}"
    tokens = layout.create_clients(url)
    async with AsyncExitStack() as stack:
        connection = connected(url, tokens["kubelet"], layout.authority.certificate)
        api = await stack.enter_async_context(connection)
        state = State(layout.kubelet)
        kubelet = Kubelet(api, state, Mounts(api, state))
        port = await stack.enter_async_context(serving(kubelet, layout))
        lines = commands(wanted.binaries, layout, Ports(etcd, etcd_peer, api_server, port, wanted.address))
        lines = {name: line.changed(wanted.changes.get(name, {})) for name, line in lines.items()}
        urls: dict[Component, str] = {"etcd": etcd_url, "kube-apiserver": url}
        components = Components(layout, lines, api.session, urls, tokens["kubelet"])
        stack.push_async_callback(_clean_up, components, layout)
        await components.start_all()
        await first_nodes(api, state, lines, components.check, layout)
        renewing = asyncio.create_task(kubelet.renew_leases(), name="node leases")
        stack.callback(renewing.cancel)
        control = await stack.enter_async_context(control_endpoint(Control(components, kubelet), tokens[ADMIN]))
        took = time.monotonic() - started
        yield Ready(url, wanted.address, tokens[ADMIN], etcd_url, control, os.getpid(), took)


async def _clean_up(components: Components, layout: Layout) -> None:
    await components.stop_all()
    shutil.rmtree(layout.etcd_data, ignore_errors=True)


async def serve_process(pid: int | None, layout: Layout, wanted: Wanted, when_ready: Callable[[Ready], None]) -> None:
    """Supervises until the process has ended, or until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    ending = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, ending.set)
    watched = None if pid is None else os.pidfd_open(pid)
    if watched is not None:
        # readable once the process has ended, and never another process that got the same number
        loop.add_reader(watched, ending.set)
    supervising = asyncio.create_task(supervise(layout, wanted, when_ready))
    await asyncio.wait([supervising, asyncio.create_task(ending.wait())], return_when=asyncio.FIRST_COMPLETED)
    if watched is not None:
        loop.remove_reader(watched)
    supervising.cancel()
    await asyncio.wait([supervising])
    if not supervising.cancelled():
        supervising.result()


def announce(layout: Layout, ready: Ready) -> None:
    """Writes ready.json, whole or not at all."""
    scratch = layout.ready.with_suffix(".new")
    scratch.touch(mode=0o600)
    scratch.write_text(json.dumps(asdict(ready)))
    scratch.rename(layout.ready)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--serve", type=int, metavar="PID")
    parser.add_argument("--binaries", type=Path, required=True)
    parser.add_argument("--flags", type=json.loads, default={})
    parser.add_argument("--address", default=LOOPBACK)
    asked = parser.parse_args()
    logging.basicConfig(format="%(asctime)s %(name)s: %(message)s")
    layout, wanted = Layout(asked.folder), Wanted(asked.binaries, asked.flags, asked.address)
    try:
        asyncio.run(serve_process(asked.serve, layout, wanted, lambda ready: announce(layout, ready)))
    except EndedError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
