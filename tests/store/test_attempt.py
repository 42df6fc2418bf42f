"""The database, tried and left as it was: on SQLite and on PostgreSQL."""

import asyncio
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import asyncpg
import pytest
import yaml

from bot.errors import StoreUnavailableError, StoreUnreachableError
from bot.preflight.database import trials
from bot.preflight.trial import Outcome
from bot.store import SchemaState, attempt, migrate
from config.settings import load
from tests.store.conftest import Address
from tests.store.processes import ROOT
from tests.store.server import PASSWORD, Server

AS_NOBODY = """
import asyncio, os, sys
from bot.errors import DoctorError
from bot.store import attempt
asyncio.run(attempt(sys.argv[1]))  # whatever is imported late is there now: nobody may not read the interpreter's files
os.setuid(65534)
try:
    print(asyncio.run(attempt(sys.argv[1])))
except DoctorError as error:
    print(error, error.next_step)
"""


async def tables(address: Address) -> list[tuple[str, int]]:
    connection = await asyncpg.connect(address.url.replace("+asyncpg", ""), password=address.password)
    try:
        names = [
            row["tablename"]
            for row in await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        ]
        return [(name, await connection.fetchval(f'SELECT count(*) FROM "{name}"')) for name in sorted(names)]  # noqa: S608  # the database's own names
    finally:
        await connection.close()


async def test_tables_of_this_version_may_be_written(address: Address) -> None:
    standing = await attempt(address.url, password=address.password)
    assert (standing.state, standing.is_sqlite) == (SchemaState.CURRENT, address.is_sqlite)


async def test_where_there_is_nothing_nothing_is_made(bare: Address) -> None:
    standing = await attempt(bare.url, password=bare.password)
    assert standing.state is (None if bare.is_sqlite else SchemaState.EMPTY)
    if bare.is_sqlite:
        assert not bare.file.parent.exists()
    else:
        assert await tables(bare) == []


async def test_postgresql_is_left_as_it_was(on_postgresql: Address) -> None:
    before = await tables(on_postgresql)
    await attempt(on_postgresql.url, password=on_postgresql.password)
    assert await tables(on_postgresql) == before


async def test_a_right_that_postgresql_does_not_give_is_named(on_postgresql: Address, server: Server) -> None:
    administrator = await asyncpg.connect(on_postgresql.url.replace("+asyncpg", ""), password=PASSWORD)
    user = f"reader_{server.port}"
    try:
        await administrator.execute(f"CREATE ROLE {user} LOGIN PASSWORD 'x'")
        await administrator.execute(f"GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO {user}")
        with pytest.raises(
            StoreUnavailableError, match="does not permit the bot's user to DELETE in the table"
        ) as raised:
            await attempt(on_postgresql.url.replace("doctor@", f"{user}@"), password="x")
        assert not isinstance(raised.value, StoreUnreachableError)
        await administrator.execute(f"GRANT DELETE ON ALL TABLES IN SCHEMA public TO {user}")
        await attempt(on_postgresql.url.replace("doctor@", f"{user}@"), password="x")
    finally:
        await administrator.execute(f"DROP OWNED BY {user}")
        await administrator.execute(f"DROP ROLE {user}")
        await administrator.close()


async def test_a_wrong_password_is_refused_and_a_server_that_is_away_only_not_reached(on_postgresql: Address) -> None:
    with pytest.raises(StoreUnavailableError, match="refuses the user or the password") as refused:
        await attempt(on_postgresql.url, password="wrong")
    assert not isinstance(refused.value, StoreUnreachableError)
    with pytest.raises(StoreUnreachableError):
        await attempt("postgresql+asyncpg://doctor@127.0.0.1:1/doctor", password="x")


async def test_a_postgresql_without_tables_is_told_to_migrate(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As preflight tells it: other than SQLite's, the bot does not make these."""
    monkeypatch.setenv("DATABASE_PASSWORD", PASSWORD)
    url = await server.create_database("never_migrated")
    rule = {
        "actions": ["delete-pod"],
        "namespaces": ["shop"],
        "requesters": ["S012USERGROUP"],
        "approvers": ["S034GROUP"],
    }
    file = tmp_path / "token-doctor.yaml"
    file.write_text(yaml.safe_dump({"database": {"url": url}, "policy": [rule]}))
    (trial,) = await trials(load(file), 10)
    assert trial.outcome is Outcome.FAILED
    assert trial.text.endswith("lacks the tables of this version of token-doctor")
    assert "`token-doctor migrate`" in trial.mend
    await migrate(url, password=PASSWORD)
    (trial,) = await trials(load(file), 10)
    assert trial.text.endswith("(PostgreSQL): the tables are this version's, and may be written")


def as_nobody(url: str) -> str:
    command = [sys.executable, "-c", AS_NOBODY, url]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_file_or_folder_that_is_somebody_else_s() -> None:
    """Not under pytest's own folder, which nobody else may look into."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        url, file = f"sqlite+aiosqlite:///{folder}/doctor.db", folder / "doctor.db"
        asyncio.run(migrate(url))
        said = as_nobody(url)
        assert f"The folder {folder} of the database {file} may not be written: Permission denied. Give" in said
        folder.chmod(0o777)
        file.chmod(0o644)
        said = as_nobody(url)
        assert f"The database {file} may not be written. Give the bot's user the right" in said
        file.chmod(0o666)
        assert "state=<SchemaState.CURRENT" in as_nobody(url)
