"""The database's part, on SQLite; PostgreSQL's is in tests/store."""

import sqlite3
from pathlib import Path

import pytest

from bot.preflight.trial import Outcome, exit_code
from bot.store import migrate
from tests.unit.preflight.conftest import Preflight, only


async def database(preflight: Preflight, file: Path | str) -> tuple[Outcome, str, str]:
    """What trying this file came to, as the bot's start would have it too."""
    changes = {"database": {"url": f"sqlite+aiosqlite:///{file}"}}
    found = [each for each in await preflight(changes) if each.section.value == "database"]
    assert [each for each in await preflight(changes, only_required=True) if each.section.value == "database"] == found
    (trial,) = found
    return trial.outcome, trial.text, trial.mend


async def test_tables_of_this_version(preflight: Preflight, tmp_path: Path) -> None:
    file = tmp_path / "doctor.db"
    await migrate(f"sqlite+aiosqlite:///{file}")
    before = file.read_bytes()
    outcome, text, _ = await database(preflight, file)
    assert outcome is Outcome.OK
    assert text.startswith(f"{file} (SQLite, for one replica; for more take PostgreSQL): ")
    assert text.endswith("the tables are this version's, and may be written")
    assert file.read_bytes() == before


async def test_nothing_is_left_where_there_is_no_database_yet(preflight: Preflight, tmp_path: Path) -> None:
    place = tmp_path / "deep"
    assert (await database(preflight, place / "er" / "doctor.db"))[0] is Outcome.OK
    assert not place.exists()


@pytest.mark.parametrize("folder", ["/proc/1/nowhere", "/sys/kernel"])
async def test_a_folder_that_may_not_be_written(preflight: Preflight, folder: str) -> None:
    outcome, text, mend = await database(preflight, f"/{folder}/doctor.db".replace("//", "/"))
    assert outcome is Outcome.FAILED
    assert "may not be written: " in text
    assert "mount a volume" in mend


async def test_a_folder_that_is_a_file(preflight: Preflight, tmp_path: Path) -> None:
    (tmp_path / "var").write_text("")
    outcome, text, _ = await database(preflight, tmp_path / "var" / "doctor.db")
    assert (outcome, "Not a directory" in text) == (Outcome.FAILED, True)


async def test_a_file_that_is_no_database(preflight: Preflight, tmp_path: Path) -> None:
    (tmp_path / "doctor.db").write_bytes(b"no database at all, just text " * 100)
    outcome, text, mend = await database(preflight, tmp_path / "doctor.db")
    assert (outcome, text) == (Outcome.FAILED, f"The database {tmp_path}/doctor.db is not an SQLite database")
    assert mend == "Check database.url in the configuration."


async def test_a_policy_s_trials_do_without_a_database(preflight: Preflight) -> None:
    trials = await preflight({"database": {"url": "sqlite+aiosqlite:////proc/nowhere/doctor.db"}})
    assert only(trials).outcome is Outcome.FAILED


async def test_tables_of_another_version(preflight: Preflight, tmp_path: Path) -> None:
    """An older one's are brought up by the start itself; a newer one's are left alone."""
    file = tmp_path / "doctor.db"
    await migrate(f"sqlite+aiosqlite:///{file}")
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    outcome, text, mend = await database(preflight, file)
    assert outcome is Outcome.FAILED
    assert text == f"The tables of the database {file} were made by a newer version of token-doctor than this one"
    assert mend.startswith("Install the newer version again")
    with sqlite3.connect(file) as connection:
        connection.execute("DELETE FROM alembic_version")
    connection.close()
    outcome, text, _ = await database(preflight, file)
    assert (outcome, text.partition("): ")[2]) == (
        Outcome.OK,
        "the tables will be brought up to this version at the start",
    )


async def test_a_postgresql_server_that_is_away_is_no_verdict(preflight: Preflight) -> None:
    trials = await preflight({"database": {"url": "postgresql+asyncpg://doctor@127.0.0.1:1/doctor"}})
    assert only(trials).text == "The database 127.0.0.1:1/doctor cannot be reached"
    assert exit_code(trials) == 3
