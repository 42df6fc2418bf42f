"""The whole bot over HTTP: Slack is set up from the manifest that the program prints, and signs what it sends.

The fixtures have the names of those over Socket Mode, so that a scenario of the folder above runs here as it is.
"""

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator, Mapping

import pytest

from demo.slack import SlackServer, SocketTimes
from tests.scenarios import running
from tests.scenarios.conftest import Collected, StartBot

ADDRESS = "https://token-doctor.example.com"


@pytest.fixture
def web_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@pytest.fixture(scope="session")
async def printed_manifest() -> str:
    """What `token-doctor manifest --url` says."""
    words = ("manifest", "--url", ADDRESS, "-o", "json")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *words, stdout=asyncio.subprocess.PIPE, env=running.environment({})
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0
    return printed.decode()


@pytest.fixture
async def slack(printed_manifest: str, web_port: int, collected: Collected) -> AsyncIterator[SlackServer]:
    manifest = json.loads(printed_manifest.replace(ADDRESS, f"http://127.0.0.1:{web_port}"))
    times = SocketTimes(retries=(0.2, 0.5))
    async with SlackServer(manifest=manifest, times=times) as server:
        yield server
        assert server.socket.opened == 0
    sent = [record for record in server.traffic.records if record.direction == "from_bot"]
    collected.keep(*(record.data for record in sent), *(record.where.encode() for record in sent))


@pytest.fixture
def start_bot(start_bot: StartBot, slack: SlackServer, web_port: int) -> StartBot:
    """As over Socket Mode, but without an app-level token; it stops without waiting for any load balancer."""

    async def start(
        config: Mapping[str, object] | None = None,
        variables: Mapping[str, str] | None = None,
        *,
        ready: bool = True,
        may_fail: bool = False,
        port: int = web_port,
        drain_seconds: int = 0,
    ) -> running.Bot:
        over_http = {
            "slack": {"api_url": slack.api_url, "mode": "http"},
            "web": {"host": "127.0.0.1", "port": port, "drain_seconds": drain_seconds},
        }
        secrets = {"SLACK_APP_TOKEN": "", "SLACK_SIGNING_SECRET": slack.workspace.app.signing_secret}
        return await start_bot(
            {**over_http, **(config or {})}, {**secrets, **(variables or {})}, ready=ready, may_fail=may_fail
        )

    return start
