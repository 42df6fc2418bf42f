"""Each test that asks for `store` runs twice: on SQLite in a file, and on a real PostgreSQL server.

`address` is the database's URL and password, its tables made; `bare` the same without tables.
"""

import itertools
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import NamedTuple, NoReturn

import pytest

from bot.store import Store, migrate, open_store
from tests.store.server import PASSWORD, CannotServeError, Server


class Address(NamedTuple):
    url: str
    password: str = ""

    @property
    def is_sqlite(self) -> bool:
        return self.url.startswith("sqlite")

    @property
    def file(self) -> Path:
        return Path(self.url.removeprefix("sqlite+aiosqlite:///"))


def cannot(why: str) -> NoReturn:
    """Skips with a line that says what to install; where CI=true, a machine that cannot is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(why, pytrace=False)
    pytest.skip(why)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    try:
        running = Server.create()
    except CannotServeError as error:
        cannot(str(error))
    yield running
    running.remove()


MakeDatabase = Callable[[], Awaitable[Address]]


@pytest.fixture(scope="session")
def numbers() -> Iterator[int]:
    return itertools.count(1)


@pytest.fixture(scope="session")
async def migrated(server: Server) -> str:
    """The name of a database with all tables, to copy."""
    await migrate(await server.create_database("migrated"), password=PASSWORD)
    return "migrated"


@pytest.fixture
def database_file(tmp_path: Path) -> Address:
    return Address(f"sqlite+aiosqlite:///{tmp_path}/var/doctor.db")


@pytest.fixture(params=["sqlite", "postgresql"])
async def bare(request: pytest.FixtureRequest, numbers: Iterator[int]) -> Address:
    if request.param == "sqlite":
        file: Address = request.getfixturevalue("database_file")
        return file
    server: Server = request.getfixturevalue("server")
    return Address(await server.create_database(f"test_{next(numbers)}"), PASSWORD)


@pytest.fixture
async def on_postgresql(server: Server, migrated: str, numbers: Iterator[int]) -> Address:
    return Address(await server.create_database(f"test_{next(numbers)}", template=migrated), PASSWORD)


@pytest.fixture
async def on_sqlite(database_file: Address) -> Address:
    await migrate(database_file.url)
    return database_file


@pytest.fixture(params=["on_sqlite", "on_postgresql"], ids=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest) -> Address:
    found: Address = request.getfixturevalue(request.param)
    return found


@pytest.fixture
async def store(address: Address) -> AsyncIterator[Store]:
    opened = await open_store(address.url, password=address.password)
    yield opened
    await opened.close()
