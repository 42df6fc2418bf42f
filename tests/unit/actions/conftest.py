"""A store in a file of the test's own, its tables copied from one that was made once."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store import Store, open_store
from tests.unit.actions.world import World


@pytest.fixture(scope="session")
async def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with all tables, to copy."""
    file = tmp_path_factory.mktemp("store") / "empty.db"
    store = await open_store(f"sqlite+aiosqlite:///{file}")
    await store.close()
    return file


@pytest.fixture
async def store(empty_database: Path, tmp_path: Path) -> AsyncIterator[Store]:
    shutil.copy(empty_database, tmp_path / "doctor.db")
    opened = await open_store(f"sqlite+aiosqlite:///{tmp_path}/doctor.db")
    yield opened
    await opened.close()


@pytest.fixture
def world() -> World:
    return World()
