"""`python -m benchmarks`: the speed of token-doctor beside what a person would use instead, in the same run."""

import argparse
import asyncio
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from benchmarks import ack, census, census_table, check
from benchmarks.check import Runs
from benchmarks.contest import WrongAnswerError
from benchmarks.fill import Size, fill, grow, served
from benchmarks.plane import own_plane
from benchmarks.quiet import until_quiet
from benchmarks.results import Table, available_memory, show, write
from benchmarks.same import DifferentError
from benchmarks.target import prepare
from tests.cluster.binaries import CannotBuildError
from tests.cluster.launch import StartError

RESULTS = Path(__file__).with_name("results.md")
FULL = (
    Size(namespaces=50, teams_each=10),
    Runs(warm_up=10, pairs=30, by_hand=5, cold=5, blocks=10, slack=5),
    census.Runs(lists=2, pairs=7, alone=3),
)
QUICK = (
    Size(namespaces=5, teams_each=2),
    Runs(warm_up=1, pairs=3, by_hand=1, cold=1, blocks=1, slack=1),
    census.Runs(lists=1, pairs=1, alone=1),
)
TIMES_LARGER = 4

_MET = 0
_MISSED = 1
_NO_RESULTS = 3


def main() -> int:
    """0 when every goal is met (with --quick: when everything ran), 1 when one is missed, 3 without results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small cluster and few runs: only to see that it works")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the file to write (default: %(default)s)")
    asked = parser.parse_args()
    size, runs, census_runs = QUICK if asked.quick else FULL
    try:
        with tempfile.TemporaryDirectory(prefix="token-doctor-") as scratch:
            tables = asyncio.run(measure(Path(scratch) / "control-plane", size, runs, census_runs))
    except (CannotBuildError, StartError, WrongAnswerError, DifferentError) as error:
        _tell(str(error))
        return _NO_RESULTS
    show(tables)
    write(asked.results, tables, quick=asked.quick)
    missed = [row for table in tables for row in table.missed()]
    return _MISSED if missed and not asked.quick else _MET


async def measure(folder: Path, size: Size, runs: Runs, census_runs: census.Runs) -> list[Table]:
    """Everything, in one control plane of this size with its files in `folder`."""
    async with own_plane(folder) as plane:
        started = time.monotonic()
        team = await fill(plane, size)
        target = await prepare(plane, team)
        _tell(f"In {time.monotonic() - started:.0f} s filled with {size}.")
        if not await until_quiet(plane.api):
            _tell("The control plane is still busy with that; the times below suffer from it.")
        tables = [await check.measure(plane, target, size, runs)]
        _tell("Timed the check, the same requests bare, and kubectl.")
        tables.append(await ack.measure(plane.kubeconfig, f"{target.namespace}/{target.pod}"))
        _tell("Timed the acknowledgements.")
        figures = await census.measure(plane, team, census_runs)
        _tell("Timed the census, its pages bare, and kubectl's lists.")
        await served(plane.api, size)  # the cluster is still as large as the results say
        larger = replace(size, namespaces=TIMES_LARGER * size.namespaces)
        at_larger = None
        if larger.memory < available_memory():
            await grow(plane, size, larger)
            at_larger = await census.alone(plane, team, census_runs.alone)
            _tell("Measured the memory of a census in a larger cluster.")
        tables.append(census_table.table(size, figures, larger, at_larger))
    return tables


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
