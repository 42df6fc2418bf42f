"""When the database fails: one sentence and a next step, nothing half-written, and everything works again after."""

import asyncio
import gc
import signal
import sqlite3
import sys
import threading
import time
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import StoreUnavailableError
from bot.model import State
from bot.store import Store, migrate, open_store
from bot.store.engine import Database
from tests.store.conftest import Address
from tests.store.processes import started
from tests.store.samples import BOB, NOW, after, approved, request, vote
from tests.store.server import PASSWORD, Server

HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def own_server() -> Iterator[Server]:
    """One that the test may stop."""
    running = Server.create()
    yield running
    running.remove()


async def whole(store: Store) -> None:
    """Each request has the trail and the votes that its state says, and no other row exists."""
    stored = await store.requests.list_(limit=10_000)
    trail = await store.requests.trail(limit=10_000)
    assert {entry.request for entry in trail} == {found.id for found in stored}
    for found in stored:
        entries = [entry for entry in trail if entry.request == found.id]
        assert (entries[-1].became, len(entries)) == (found.state, found.version)
        votes = await store.requests.votes(found.id)
        assert len(votes) == (found.state is State.APPROVED)


async def test_a_locked_file_is_told_and_read_nevertheless(on_sqlite: Address) -> None:
    store = await open_store(on_sqlite.url)
    before = await approved(store, "r1")
    other = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLD, str(on_sqlite.file), stdin=PIPE, stdout=PIPE
    )
    try:
        assert other.stdout is not None
        assert await other.stdout.readline() == b"locked\n"
        with pytest.raises(StoreUnavailableError, match="is locked by another program") as raised:
            await store.requests.claim("worker", after(1), 30)
        assert raised.value.next_step
        assert await store.requests.get("r1") == before
    finally:
        await other.communicate(b"\n")
    claimed = await store.requests.claim("worker", after(1), 30)
    assert claimed is not None
    assert claimed.fence == 1
    await store.close()


async def test_a_failure_that_nobody_waits_for_any_more_is_told_in_a_line(
    on_sqlite: Address, capsys: pytest.CaptureFixture[str]
) -> None:
    database = Database(on_sqlite.url)
    began = asyncio.Event()

    async def fails(_: AsyncConnection) -> None:
        began.set()
        await asyncio.sleep(0)
        raise StoreUnavailableError("The disk is gone.", next_step="Find it.")

    caller = asyncio.create_task(database.write(fails))
    await began.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    await database.close()
    gc.collect()
    out = capsys.readouterr().out
    assert "nobody waited for" in out
    assert "The disk is gone." in out
    assert "never retrieved" not in out


async def test_a_full_disk_is_told_and_nothing_is_half_written(on_sqlite: Address) -> None:
    database = Database(on_sqlite.url)
    store = Store(database)

    async def limit(pages: int) -> None:
        async def work(connection: AsyncConnection) -> None:
            await connection.execute(text(f"PRAGMA max_page_count = {pages}"))  # of the one writing connection

        await database.write(work)

    async def fill() -> None:
        for number in range(1000):
            await store.requests.create(request(f"r{number}", reason="long " * 200), NOW)
            await store.requests.vote(vote(f"r{number}", reason="long " * 200), at=after(1))

    await limit(60)
    with pytest.raises(StoreUnavailableError, match="the disk is full") as raised:
        await fill()
    assert "Make room" in raised.value.next_step
    assert len(await store.requests.list_()) > 5
    for _ in range(3):
        with pytest.raises(StoreUnavailableError):
            await store.requests.create(request("more", reason="long " * 5000), NOW)
    await whole_but_votes(store)
    await limit(10_000)
    assert (await store.requests.create(request("more", reason="long " * 5000), NOW))[1]
    await store.close()


async def whole_but_votes(store: Store) -> None:
    """As `whole`; the last request may have been left without its vote."""
    pending = await store.requests.list_(states=[State.PENDING])
    assert len(pending) <= 1
    await whole(store)


@pytest.mark.parametrize(
    ("content", "sentence"), [(b"no database at all, just text " * 100, "is not an SQLite database")]
)
async def test_a_file_that_is_none_is_told(database_file: Address, content: bytes, sentence: str) -> None:
    database_file.file.parent.mkdir()
    database_file.file.write_bytes(content)
    with pytest.raises(StoreUnavailableError, match=sentence):
        await open_store(database_file.url)
    assert database_file.file.read_bytes() == content


async def test_what_cannot_be_opened_leaves_no_thread_behind(tmp_path: Path) -> None:
    """It would tell its outcome to a loop that is closed by then, with a traceback."""
    (tmp_path / "doctor.db").mkdir()
    for _ in range(20):
        with pytest.raises(StoreUnavailableError, match="cannot be opened"):
            await open_store(f"sqlite+aiosqlite:///{tmp_path}/doctor.db")
        assert not [thread for thread in threading.enumerate() if "_connection_worker" in thread.name]


async def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailableError, match=r"The folder of the database .* cannot be made: File exists"):
        await open_store(f"sqlite+aiosqlite:///{tmp_path}/file/doctor.db")
    with pytest.raises(StoreUnavailableError, match="cannot be opened"):
        await open_store(f"sqlite+aiosqlite:///{tmp_path}")


@pytest.mark.parametrize("milliseconds", [30, 170, 400])
async def test_kill_9_leaves_a_whole_database(address: Address, milliseconds: int) -> None:
    process = await started("writes", address, "worker")
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"\n")
    said = [await process.stdout.readline()]
    time.sleep(milliseconds / 1000)  # noqa: ASYNC251  # what it says meanwhile waits in the pipe
    process.send_signal(signal.SIGKILL)
    said += (await process.stdout.read()).splitlines(keepends=True)
    assert await process.wait() == -signal.SIGKILL
    if address.is_sqlite:
        connection = sqlite3.connect(address.file)
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        connection.close()
    store = await open_store(address.url, password=address.password)
    await whole_but_votes(store)
    stored = {found.id for found in await store.requests.list_(states=[State.APPROVED], limit=10_000)}
    assert {line.decode().strip() for line in said if line.endswith(b"\n")} <= stored
    assert await store.requests.claim("another", after(2), 30) is not None
    await store.close()


async def test_a_lost_server_is_told_and_found_again(own_server: Server) -> None:
    url = await own_server.create_database("doctor")
    await migrate(url, password=PASSWORD)
    store = await open_store(url, password=PASSWORD)
    before = await approved(store, "r1")
    await asyncio.to_thread(own_server.stop)
    for work in (
        store.requests.get("r1"),
        store.requests.claim("worker", after(1), 30),
        store.slots.last("daily", after(1)),
    ):
        with pytest.raises(StoreUnavailableError, match="cannot be reached") as raised:
            await work
        assert PASSWORD not in f"{raised.value} {raised.value.next_step} {raised.value.__cause__!r}"
    with pytest.raises(StoreUnavailableError, match=r"127\.0\.0\.1:\d+/doctor cannot be reached"):
        await open_store(url, password=PASSWORD)
    await asyncio.to_thread(own_server.start)
    assert await store.requests.get("r1") == before
    assert await store.requests.claim("worker", after(1), 30) is not None
    await store.close()


async def test_a_restart_under_load_loses_nothing_and_doubles_nothing(own_server: Server) -> None:
    """What was answered is stored; what was refused may be asked again."""
    url = await own_server.create_database("doctor")
    await migrate(url, password=PASSWORD)
    store = await open_store(url, password=PASSWORD)
    restarted = asyncio.Event()

    async def life(number: int) -> None:
        for turn in range(1000):
            id_ = f"r{number}-{turn}"
            for work in (store.requests.create(request(id_), NOW), store.requests.vote(vote(id_), at=after(1))):
                try:
                    await work
                except StoreUnavailableError:
                    await asyncio.sleep(0.2)
            if restarted.is_set() and turn > 20:
                return

    async def restart() -> None:
        await asyncio.sleep(0.3)
        for _ in range(2):
            await asyncio.to_thread(own_server.stop)
            await asyncio.to_thread(own_server.start)
            await asyncio.sleep(0.3)
        restarted.set()

    await asyncio.gather(restart(), *(life(number) for number in range(4)))
    await whole(store)
    assert len(await store.requests.list_(states=[State.APPROVED], limit=10_000)) > 80
    await store.close()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"password": "wrong-horse"}, "refuses the user or the password"),
        ({"url": "postgresql+asyncpg://doctor@127.0.0.1:{port}/nowhere"}, "does not exist on its server"),
        ({"url": "postgresql+asyncpg://doctor@no-such-host.invalid/doctor"}, "cannot be reached"),
    ],
)
async def test_a_wrong_address_is_told(
    on_postgresql: Address, server: Server, change: dict[str, str], sentence: str
) -> None:
    given = {"url": on_postgresql.url, "password": PASSWORD} | change
    with pytest.raises(StoreUnavailableError, match=sentence):
        await open_store(given["url"].format(port=server.port), password=given["password"])


async def test_a_row_that_another_program_holds_is_told(on_postgresql: Address, server: Server) -> None:
    store = await open_store(on_postgresql.url, password=PASSWORD)
    await store.requests.create(request("r1"), NOW)
    other = await asyncpg.connect(
        host="127.0.0.1",
        port=server.port,
        user="doctor",
        password=PASSWORD,
        database=on_postgresql.url.rpartition("/")[2],
    )
    transaction = other.transaction()
    await transaction.start()
    await other.execute("SELECT * FROM requests FOR UPDATE")
    with pytest.raises(StoreUnavailableError, match="is locked by another program"):
        await store.requests.vote(vote("r1", BOB), at=after(1))
    await transaction.rollback()
    await other.close()
    assert await store.requests.votes("r1") == ()
    assert (await store.requests.vote(vote("r1", BOB), at=after(1))).counted
    await store.close()
