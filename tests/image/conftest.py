"""`image`: what the Dockerfile's own steps leave, done here without an engine; once for all workers.

What this does not show: that the base image can be pulled and has what this machine's Python has, and what an engine
makes of layers, of the health check's timing and of EXPOSE.
"""

import fcntl
import os
from typing import NoReturn

import pytest

from tests.image.building import Image, build, built
from tests.image.room import CannotMakeRoomError, possible


def cannot(why: str) -> NoReturn:
    """Skips with a line that says what to install; where CI=true, a machine that cannot is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(why, pytrace=False)
    pytest.skip(why)


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    try:
        possible()
    except CannotMakeRoomError as error:
        cannot(str(error))
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "image"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return build(folder) if not folder.exists() else built(folder)
