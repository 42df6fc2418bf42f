"""`python -m benchmarks.census_process KUBECONFIG RUNS`: the bot's process, with nothing in it but a census.

It has loaded all that a running bot has. It prints a line of JSON: how much memory it had before and at its highest,
in bytes, and for how long the event loop was kept from everybody else, in seconds.
"""

import asyncio
import gc
import json
import sys
import time
from pathlib import Path

import bot.app
from benchmarks.timing import longest_blocks
from bot.census import census
from bot.kube.client import connect, utc_now

KIB = 1024


def peak() -> int:
    """Of this program alone: what `getrusage` says counts the parent's too, until this one was loaded."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) * KIB for line in lines if line.startswith("VmHWM:"))


async def main(kubeconfig: Path, runs: int) -> dict[str, object]:
    """Everything is scanned, as often as asked."""
    cluster = await connect("prod", kubeconfig=kubeconfig)
    gc.collect()
    gc.freeze()  # as the bot does once it is ready
    before = peak()

    async def everything() -> None:
        await census(cluster, scan_secrets=True, now=utc_now, monotonic=time.monotonic)

    try:
        blocks = [await longest_blocks(everything) for _ in range(runs)]
    finally:
        await cluster.close()
    return {"loaded": bot.app.__name__, "before": before, "peak": peak(), "blocks": blocks}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))))
