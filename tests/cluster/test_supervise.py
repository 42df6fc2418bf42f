"""Whatever ends, the control plane's processes end with it; whatever fails says why; workers share one."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.cluster import launch
from tests.cluster.layout import Layout
from tests.cluster.supervise import Wanted
from tests.cluster.waiting import eventually

PROCESSES = {"supervisor", "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok"}

JOIN = """
import sys
from pathlib import Path
from tests.cluster import launch
from tests.cluster.supervise import Wanted
folder, served, binaries = sys.argv[1:]
print(launch.ready(launch.shared(Path(folder), int(served), Wanted(Path(binaries)))).supervisor)
"""


@pytest.fixture
async def served() -> AsyncIterator[asyncio.subprocess.Process]:
    """A process for a control plane to serve."""
    process = await asyncio.create_subprocess_exec("sleep", "600")
    yield process
    if process.returncode is None:
        process.kill()
        await process.wait()


def processes_of(folder: Path) -> set[int]:
    """All whose command line names something in the folder, the supervisor too."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if str(folder).encode() in line:
                found.add(int(entry.name))
    return found


async def gone(folder: Path) -> None:
    async def alive() -> set[int]:
        return processes_of(folder)

    await eventually(alive, lambda found: not found, f"no process uses {folder}")


async def test_the_served_process_s_end_ends_all(
    control_plane_binaries: Path, tmp_path: Path, served: asyncio.subprocess.Process
) -> None:
    layout = Layout(tmp_path / "plane")
    supervisor = await asyncio.to_thread(launch.start, layout, served.pid, Wanted(control_plane_binaries))
    assert len(processes_of(layout.folder)) == len(PROCESSES)

    served.kill()
    await served.wait()

    await gone(layout.folder)
    await asyncio.to_thread(os.waitpid, supervisor, 0)  # gone already, but not yet reaped
    assert not layout.etcd_data.exists()


async def test_a_killed_supervisor_takes_its_programs_along(control_plane_binaries: Path, tmp_path: Path) -> None:
    layout = Layout(tmp_path / "plane")
    supervisor = await asyncio.to_thread(launch.start, layout, os.getpid(), Wanted(control_plane_binaries))

    os.kill(supervisor, signal.SIGKILL)
    await asyncio.to_thread(os.waitpid, supervisor, 0)

    await gone(layout.folder)


async def test_workers_share_one(
    control_plane_binaries: Path, tmp_path: Path, served: asyncio.subprocess.Process
) -> None:
    folder = tmp_path / "plane"
    command = [sys.executable, "-c", JOIN, str(folder), str(served.pid), str(control_plane_binaries)]
    pipe = asyncio.subprocess.PIPE
    workers = [await asyncio.create_subprocess_exec(*command, stdout=pipe, cwd=launch.ROOT) for _ in range(3)]

    told = [(await worker.communicate())[0] for worker in workers]

    assert len(set(told)) == 1
    assert len(processes_of(folder)) == len(PROCESSES)  # though the worker that started it has ended
    served.kill()
    await gone(folder)


@pytest.mark.parametrize(
    ("flag", "value", "told"), [("nonesuch", "1", "unknown flag: --nonesuch"), ("v", "x", "invalid")]
)
def test_a_start_that_fails_shows_the_program_s_log(
    control_plane_binaries: Path, tmp_path: Path, flag: str, value: str, told: str
) -> None:
    wanted = Wanted(control_plane_binaries, {"kube-apiserver": {flag: value}})

    with pytest.raises(launch.StartError, match=told):
        launch.start(Layout(tmp_path / "plane"), os.getpid(), wanted)

    assert processes_of(tmp_path) == set()


def test_a_taken_port_is_tried_again_then_told(control_plane_binaries: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        wanted = Wanted(control_plane_binaries, {"kube-apiserver": {"secure-port": port}})

        with pytest.raises(launch.StartError, match="address already in use") as raised:
            launch.start(Layout(tmp_path / "plane"), os.getpid(), wanted)

    assert str(raised.value).count("A port was taken meanwhile, trying others.") == 2


def test_a_second_worker_is_told_the_first_one_s_failure(control_plane_binaries: Path, tmp_path: Path) -> None:
    wanted = Wanted(control_plane_binaries, {"etcd": {"nonesuch": "1"}})
    with pytest.raises(launch.StartError, match="etcd ended with status"):
        launch.shared(tmp_path / "plane", os.getpid(), wanted)

    with pytest.raises(launch.StartError, match="etcd ended with status"):
        launch.shared(tmp_path / "plane", os.getpid(), Wanted(control_plane_binaries))
