"""Waits until the control plane has digested what was filled into it."""

import asyncio
import re
import time

from tests.cluster.api import Api

CPU = re.compile(r"^process_cpu_seconds_total (\S+)$", re.MULTILINE)
BUSY = 0.08
"""Share of one core that the API server may use meanwhile; idle it uses 0.02."""

PAUSE_SECONDS = 2.0
QUIET_TIMES = 2
MOST_SECONDS = 90.0


async def until_quiet(api: Api) -> bool:
    """Whether the API server came to rest: then its controllers, whom it serves, have as well."""
    ends = time.monotonic() + MOST_SECONDS
    quiet = 0
    while quiet < QUIET_TIMES and time.monotonic() < ends:
        before, began = await _cpu_seconds(api), time.monotonic()
        await asyncio.sleep(PAUSE_SECONDS)
        share = (await _cpu_seconds(api) - before) / (time.monotonic() - began)
        quiet = quiet + 1 if share < BUSY else 0
    return quiet == QUIET_TIMES


async def _cpu_seconds(api: Api) -> float:
    found = CPU.search(await api.text("/metrics"))
    if found is None:
        raise LookupError("the API server's metrics do not have process_cpu_seconds_total")
    return float(found[1])
