"""A control plane of the benchmarks' own: the tests' machinery, outside of pytest."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.cluster import binaries, launch
from tests.cluster.layout import Layout
from tests.cluster.plane import Plane, opened
from tests.cluster.supervise import Wanted


@asynccontextmanager
async def own_plane(folder: Path) -> AsyncIterator[Plane]:
    """Started in `folder`, which must not exist; stopped with the context. Raises CannotBuildError and StartError."""
    programs = await asyncio.to_thread(binaries.ensure)
    layout = Layout(folder)
    supervisor = await asyncio.to_thread(launch.start, layout, os.getpid(), Wanted(programs))
    try:
        async with opened(layout, programs, private=True) as plane:
            yield plane
    finally:
        await asyncio.to_thread(launch.stop, supervisor)
