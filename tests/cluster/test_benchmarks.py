"""The benchmarks run from end to end; how fast anything is, nobody asks here."""

import asyncio
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TIMED = {
    "a check in a running bot",
    "ten kubectl calls, one after another",
    "the same requests, bare",
    "a check with no connection open",
    "the same requests, bare, with no connection open",
    "the event loop's longest block during a check",
    "a slash command, until the answer stands in the channel",
    "a bolt app that only acknowledges (the floor)",
    "token-doctor, while the checks run",
    "kubectl get secrets -A -o json",
    "kubectl get pods -A -o json",
    "a census of metadata",
    "the pages of metadata, bare",
    "a census of everything",
    "the pages of everything, bare",
    "the event loop's longest block during it",
}
UNTIMED = {
    "lists over a whole cluster",
    "the whole process's memory at its highest",
    "the same, of a cluster four times as large",
}


@pytest.mark.usefixtures("control_plane_binaries")
async def test_a_quick_run_fills_the_table(tmp_path: Path) -> None:
    results = tmp_path / "results.md"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "benchmarks", "--quick", "--results", str(results)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(400):
        output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()

    cells = [line.strip("| ").split(" | ") for line in results.read_text("utf-8").splitlines() if line.startswith("| ")]
    rows = {each[0]: each[1:] for each in cells if each[0] not in {"what", "---"}}
    assert set(rows) == TIMED | UNTIMED
    for name in TIMED:
        assert [each[-3:] for each in rows[name][1:4]] == [" ms"] * 3, name
    assert rows["lists over a whole cluster"][-1] == "yes"
    assert all(name in output.decode() for name in rows)
