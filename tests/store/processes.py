"""Starts `tests.store.worker` several times over, on one database."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from pathlib import Path

from tests.store.conftest import Address

ROOT = Path(__file__).parents[2]


async def started(job: str, address: Address, name: str) -> Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-W", "error", "-m", "tests.store.worker", job, address.url, name),
        stdin=PIPE,
        stdout=PIPE,
        cwd=ROOT,
        env=os.environ | {"DATABASE_PASSWORD": address.password},
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    return process


async def all_at_once(job: str, address: Address, names: Sequence[str]) -> dict[str, list[str]]:
    """What each process got; they begin together."""
    processes = await asyncio.gather(*(started(job, address, name) for name in names))
    ended = await asyncio.gather(*(process.communicate(b"\n") for process in processes))
    assert [process.returncode for process in processes] == [0] * len(processes)
    return {name: json.loads(output) for name, (output, _) in zip(names, ended, strict=True)}
