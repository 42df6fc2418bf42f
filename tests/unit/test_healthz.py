"""A container's health check asks the bot's own server, wherever the configuration has it."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from bot import healthz
from bot.web import Web


async def nothing() -> str:
    return ""


@pytest.fixture
def trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """What is said with this configuration; a proxy that the environment names would answer nothing."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    def said(settings: str) -> str:
        (tmp_path / "token-doctor.yaml").write_text(settings)
        return healthz.trouble(tmp_path / "token-doctor.yaml")

    return said


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])  # noqa: S104  # as the settings may have it
async def test_it_is_well_while_it_answers(trouble: Callable[[str], str], host: str) -> None:
    web = Web(host, 0, metrics=nothing, not_ready=nothing)
    port = await web.start()
    settings = f"web: {{host: {host}, port: {port}}}"
    try:
        assert await asyncio.to_thread(trouble, settings) == ""
    finally:
        await web.stop()
    assert trouble(settings).startswith(f"no answer on port {port}: ")


async def test_another_server_s_answer_is_none(trouble: Callable[[str], str]) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        settings = f"web: {{host: 127.0.0.1, port: {port}}}"
        assert await asyncio.to_thread(trouble, settings) == "/healthz answers 404"


def test_without_a_port_there_is_nothing_to_ask(trouble: Callable[[str], str]) -> None:
    assert trouble("checks: {log_lines: 100}") == ""


def test_a_configuration_that_cannot_be_used_is_told(trouble: Callable[[str], str]) -> None:
    assert trouble("web: {prot: 8080}") == "line 1: web.prot: no such setting; did you mean port?"
