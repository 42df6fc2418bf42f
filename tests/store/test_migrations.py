"""The tables: made by the migrations, as the code believes them to be; and who may bring them up when."""

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import StoreSchemaError, StoreUnavailableError
from bot.store import SchemaState, Store, migrate, open_store, schema
from bot.store.engine import Database
from bot.store.tables import METADATA, VOTES
from tests.store.conftest import Address
from tests.store.processes import ROOT, all_at_once
from tests.store.samples import NOW, after, approved, request
from tests.store.server import PASSWORD, Server

NEXT_STEP = '''"""A later version's step: a column more, with the table made anew where need be."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    with op.batch_alter_table("requests", recreate="auto") as table:
        table.add_column(sa.Column("colour", sa.Text(), nullable=False, server_default="red"))
        table.alter_column("rule", existing_type=sa.Text(), nullable=True)
'''


def tables(connection: Connection) -> dict[str, object]:
    """All that the database says of its tables, as plain text."""
    seen = inspect(connection)
    said: dict[str, object] = {}
    for name in sorted(set(seen.get_table_names()) - {"alembic_version"}):
        columns = [(column["name"], str(column["type"]), column["nullable"]) for column in seen.get_columns(name)]
        indexes = sorted(
            (
                str(index["name"]),
                str(index["column_names"]),
                bool(index["unique"]),
                sorted(f"{option}: {value}" for option, value in index.get("dialect_options", {}).items()),
            )
            for index in seen.get_indexes(name)
        )
        keys = [key["referred_table"] for key in seen.get_foreign_keys(name)]
        unique = [constraint["column_names"] for constraint in seen.get_unique_constraints(name)]
        said[name] = (columns, indexes, seen.get_pk_constraint(name)["constrained_columns"], keys, unique)
    return said


async def tables_of(address: Address) -> dict[str, object]:
    database = Database(address.url, address.password)
    try:
        return await database.read(lambda connection: connection.run_sync(tables))
    finally:
        await database.close()


async def run(address: Address, sql: str) -> None:
    database = Database(address.url, address.password)

    async def work(connection: AsyncConnection) -> None:
        await connection.execute(text(sql))

    try:
        await database.write(work)
    finally:
        await database.close()


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """The migrations of a later version."""
    folder = tmp_path / "migrations"
    shutil.copytree(Path(schema.__file__).parent / "migrations", folder)
    (folder / "versions" / "v0002_colour.py").write_text(NEXT_STEP, "utf-8")
    return folder


async def test_the_migrations_make_what_the_code_believes(bare: Address, server: Server, tmp_path: Path) -> None:
    if bare.is_sqlite:
        plain = Address(f"sqlite+aiosqlite:///{tmp_path}/plain.db")
    else:
        plain = Address(await server.create_database(f"plain_{bare.url.rpartition('/')[2]}"), PASSWORD)
    database = Database(plain.url, plain.password)
    await database.write(lambda connection: connection.run_sync(METADATA.create_all))
    await database.close()
    before, revision = await migrate(bare.url, password=bare.password)
    assert (before, revision) == (SchemaState.EMPTY, "0001")
    made = await tables_of(bare)
    assert made == await tables_of(plain)
    assert "WHERE" in str(made["requests"]) or "_where" in str(made["requests"])
    assert set(made) == set(METADATA.tables)


async def test_down_and_up_again(address: Address) -> None:
    before = await tables_of(address)
    database = Database(address.url, address.password, patient=True)
    await database.write(lambda connection: connection.run_sync(schema.downgrade, "base"))
    assert await schema.schema_state(database) is SchemaState.EMPTY
    await database.close()
    assert await tables_of(address) == {}
    await migrate(address.url, password=address.password)
    assert await tables_of(address) == before


async def test_several_at_once_are_safe(bare: Address) -> None:
    done = await asyncio.gather(*(migrate(bare.url, password=bare.password) for _ in range(4)))
    assert sorted(before for before, _ in done) == [SchemaState.CURRENT] * 3 + [SchemaState.EMPTY]


async def test_four_processes_start_on_a_new_file_at_once(database_file: Address) -> None:
    got = await all_at_once("slots", database_file, ("worker-1", "worker-2", "worker-3", "worker-4"))
    assert sum(map(len, got.values())) == 100


async def test_a_new_version_takes_over_the_old_one_s_rows(
    store: Store, address: Address, newer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await approved(store, "r1")
    await store.messages.want("r1", "approval", "C1")
    old = await store.requests.get("r1"), await store.requests.trail(), await store.messages.of("r1")
    await store.close()
    monkeypatch.setattr(schema, "_MIGRATIONS", newer)
    if not address.is_sqlite:  # other replicas may still run the old version
        with pytest.raises(StoreSchemaError, match="lacks the tables of this version") as raised:
            await open_store(address.url, password=address.password)
        assert "`token-doctor migrate`" in raised.value.next_step
        assert (await migrate(address.url, password=address.password))[0] is SchemaState.BEHIND
    opened = await open_store(address.url, password=address.password)
    assert await opened.schema_state() is SchemaState.CURRENT
    assert "colour" in str((await tables_of(address))["requests"])
    assert (await opened.requests.get("r1"), await opened.requests.trail(), await opened.messages.of("r1")) == old
    assert not (await opened.requests.create(request("r2", "workload-r1"), after(1)))[1], "the partial index is gone"
    await opened.close()


async def test_an_old_version_refuses_the_new_one_s_tables(
    address: Address, newer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as later:
        later.setattr(schema, "_MIGRATIONS", newer)
        await migrate(address.url, password=address.password)
    for work in (open_store, migrate):
        with pytest.raises(StoreSchemaError, match="made by a newer version") as raised:
            await work(address.url, password=address.password)
        assert raised.value.next_step.startswith("Install the newer version")


async def test_without_tables_sqlite_makes_them_and_postgresql_is_refused(bare: Address) -> None:
    if bare.is_sqlite:
        opened = await open_store(bare.url)
        assert await opened.schema_state() is SchemaState.CURRENT
        await opened.close()
        assert bare.file.parent.stat().st_mode & 0o777 == 0o700
    else:
        with pytest.raises(StoreSchemaError, match="lacks the tables"):
            await open_store(bare.url, password=bare.password)


async def test_the_trail_cannot_be_rewritten(store: Store, address: Address) -> None:
    await store.requests.create(request("r1"), NOW)
    with pytest.raises(StoreUnavailableError, match="broke off a statement"):
        await run(address, "UPDATE trail SET who = 'nobody'")
    assert [entry.who for entry in await store.requests.trail()] == ["U0ALICE00"]


async def test_votes_of_no_request_are_refused_by_the_database_too(address: Address) -> None:
    database = Database(address.url, address.password)
    lost = insert(VOTES).values(request="r9", approver_id="U1", approver_name="", approves=True, at=NOW, reason="")
    with pytest.raises(StoreUnavailableError, match="broke off a statement"):
        await database.write(lambda connection: connection.execute(lost))
    await database.close()


def command(address: Address, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    password = tmp_path / "password"
    password.write_text(f"{address.password}\n", "utf-8")
    given = {"DATABASE_PASSWORD_FILE": str(password)} if address.password else {}
    return subprocess.run(
        [sys.executable, "-m", "bot", "migrate"],
        env=os.environ | {"TOKEN_DOCTOR_DATABASE__URL": address.url} | given,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


async def test_the_command_says_what_it_did(bare: Address, tmp_path: Path) -> None:
    said = []
    for _ in range(2):
        done = await asyncio.to_thread(command, bare, tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        said.append(done.stdout)
    assert said == [
        f"The tables in {bare.url} are at revision 0001. {did}\n"
        for did in ("They were made.", "They were up to date already.")
    ]


async def test_the_command_says_what_is_wrong_and_not_the_password(server: Server, tmp_path: Path) -> None:
    url = server.url("nowhere")
    done = await asyncio.to_thread(command, Address(url, "wrong-horse"), tmp_path)
    place = url.partition("@")[2]
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        f"Error: The database {place} refuses the user or the password.\n"
        "       Check database.url and DATABASE_PASSWORD.\n"
    )
    wrong = await asyncio.to_thread(command, Address("sqlite:///x"), tmp_path)
    assert wrong.returncode == 2
    assert "TOKEN_DOCTOR_DATABASE__URL: database.url: must be sqlite+aiosqlite:///FILE or" in wrong.stderr
