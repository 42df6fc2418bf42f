"""What people do without the bot: the whole list with kubectl, for jq or a script to look through."""

import asyncio
import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.by_hand import Kubectl

KIB = 1024


@dataclass(frozen=True)
class Listed:
    """How long it took, and how much memory at its highest, in bytes."""

    seconds: float
    memory: int


async def get_all(kubectl: Kubectl, resource: str) -> Listed:
    """`kubectl get RESOURCE -A -o json`, its output thrown away. Raises RuntimeError where it fails."""
    arguments = [
        str(kubectl.program),
        f"--kubeconfig={kubectl.kubeconfig}",
        f"--cache-dir={kubectl.cache}",
        *("get", resource, "--all-namespaces", "--output=json"),
    ]
    return await asyncio.to_thread(_run, arguments)


def _run(arguments: Sequence[str]) -> Listed:
    started = time.perf_counter()
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)  # noqa: S603  # kubectl, built here
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(arguments)}: exit code {process.returncode}")
    return Listed(time.perf_counter() - started, used.ru_maxrss * KIB)
