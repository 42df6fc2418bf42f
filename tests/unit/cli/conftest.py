"""The program as a person calls it: in this process, with its own standard streams."""

import io
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from bot import cli
from tests.unit.kube.fake_api import FakeApi, healthy, served


@dataclass(frozen=True, slots=True)
class Ended:
    code: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`run("decode", stdin=token)` gives the exit code and what was written."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("HOME", "/nonexistent")

    def call(*words: str, stdin: str | bytes = b"", called_as: str = "token-doctor") -> Ended:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
        code = cli.main(list(words), called_as=called_as)
        written = capsys.readouterr()
        return Ended(code, written.out, written.err)

    return call


@pytest.fixture
async def api() -> AsyncIterator[FakeApi]:
    """An API server that answers as for a healthy pod, until the test says otherwise."""
    fake = FakeApi()
    healthy(fake, datetime.now(UTC))
    server = await served(fake)
    yield fake
    await server.close()
