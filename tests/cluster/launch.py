"""Starts supervisors of control planes, and lets the workers of one test run share one."""

import fcntl
import json
import os
import signal
import sys
import time
from pathlib import Path

from tests.cluster.layout import Layout
from tests.cluster.supervise import Ready, Wanted

ROOT = Path(__file__).parents[2]
START_SECONDS = 180
PAUSE_SECONDS = 0.05


class StartError(Exception):
    """The control plane did not start; the message has what its supervisor said."""


def shared(folder: Path, served: int, wanted: Wanted) -> Layout:
    """The run's one control plane: the first worker starts it, the others wait for it and join.

    Args:
        folder: the same one for all workers of this run, and for no other run.
        served: the process with whose end the control plane ends, whoever started it.
        wanted: what to run; the first worker's word counts.
    """
    layout = Layout(folder)
    folder.mkdir(parents=True, exist_ok=True)
    failed = folder / "failed.txt"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if failed.exists():
            raise StartError(failed.read_text())
        if not layout.ready.exists():
            try:
                start(layout, served, wanted)
            except StartError as error:
                failed.write_text(str(error))
                raise
    return layout


def start(layout: Layout, served: int, wanted: Wanted) -> int:
    """Returns the supervisor's process id when the control plane is ready."""
    layout.folder.mkdir(parents=True, exist_ok=True)
    told = layout.folder / "supervisor.log"
    command = [sys.executable, "-m", "tests.cluster.supervise", str(layout.folder)]
    command += ["--serve", str(served), "--binaries", str(wanted.binaries)]
    command += ["--flags", json.dumps(wanted.changes), "--address", wanted.address]
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    # not subprocess: the supervisor may outlive the worker that started it
    supervisor = os.posix_spawn(
        sys.executable,
        command,
        os.environ | {"PYTHONPATH": str(ROOT)},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(told), flags, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )
    ends = time.monotonic() + START_SECONDS
    while not layout.ready.exists():
        ended, _ = os.waitpid(supervisor, os.WNOHANG)
        if ended:
            raise StartError(f"The control plane did not start.\n{told.read_text()}")
        if time.monotonic() > ends:
            stop(supervisor)
            raise StartError(
                f"The control plane was not ready within {START_SECONDS} s; its logs are in {layout.logs}.\n"
                f"{told.read_text()}"
            )
        time.sleep(PAUSE_SECONDS)
    return supervisor


def stop(supervisor: int) -> None:
    """Ends a supervisor that this process started; its programs are gone when this returns."""
    os.kill(supervisor, signal.SIGTERM)
    os.waitpid(supervisor, 0)


def ready(layout: Layout) -> Ready:
    """How to reach a control plane that is ready."""
    return Ready(**json.loads(layout.ready.read_text()))
