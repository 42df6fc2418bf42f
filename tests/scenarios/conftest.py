"""The whole bot over the Slack stand-in: started as a subprocess, stopped at the end, searched for leaks.

bot = await start_bot()                                   # ready, connected, cluster `prod` is `api`
await slack.command("/token", "check shop/checkout-1", user=p.ENGINEER, channel=p.INCIDENT)
message = await slack.wait_for(lambda: ...)
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from demo.slack import SlackServer, SocketTimes
from tests.cluster.conftest import control_plane_binaries, namespace, plane, private_plane
from tests.scenarios import running
from tests.scenarios.marks import Marks
from tests.unit.kube.fake_api import FakeApi, healthy, served

__all__ = ["control_plane_binaries", "namespace", "plane", "private_plane"]

MANIFEST = Path(__file__).parents[2] / "config" / "slack-manifest.yaml"

# What no run may write, whatever else went wrong.
_NEVER = ("Traceback", "Exception ignored", "Unclosed", "was never", "was destroyed", "Warning")

StartBot = Callable[..., Awaitable[running.Bot]]


@dataclass
class Collected:
    """All that left the bot in this worker's tests: Slack traffic and terminal output."""

    marks: Marks = field(default_factory=Marks)
    data: list[bytes] = field(default_factory=list)

    def keep(self, *data: bytes) -> None:
        """Kept for the search at the end of the run, and searched at once, so that it is known which test leaked."""
        self.data += data
        assert self.marks.found(b"\n".join(data)) == set()

    def leaks(self) -> set[str]:
        return self.marks.found(b"\n".join(self.data))


@pytest.fixture(scope="session")
def collected() -> Iterator[Collected]:
    """Searched again at the very end: a mark may have been planted after something that holds it was kept."""
    everything = Collected()
    yield everything
    assert everything.leaks() == set()


@pytest.fixture
def marks(collected: Collected) -> Marks:
    return collected.marks


@pytest.fixture(scope="session")
def scopes() -> tuple[str, ...]:
    """The manifest's: a call that needs another one fails in the stand-in as it would in Slack."""
    manifest = yaml.safe_load(MANIFEST.read_text("utf-8"))
    return tuple(manifest["oauth_config"]["scopes"]["bot"])


@pytest.fixture
async def slack(scopes: tuple[str, ...], collected: Collected) -> AsyncIterator[SlackServer]:
    times = SocketTimes(retries=(0.2, 0.5), farewell=0.5)
    async with SlackServer(bot_scopes=scopes, times=times) as server:
        yield server
    sent = [record for record in server.traffic.records if record.direction == "from_bot"]
    collected.keep(*(record.data for record in sent), *(record.where.encode() for record in sent))


@pytest.fixture
async def api() -> AsyncIterator[FakeApi]:
    """An API server with a healthy pod, shop/checkout-1; a test changes its answers."""
    api = FakeApi()
    healthy(api, datetime.now(UTC))
    server = await served(api)
    yield api
    await server.close()


@pytest.fixture
async def start_bot(slack: SlackServer, api: FakeApi, tmp_path: Path, collected: Collected) -> AsyncIterator[StartBot]:
    """Starts a bot: config and variables are laid over what makes the bot work. Stopped after the test."""
    bots: list[running.Bot] = []
    troubled: list[running.Bot] = []

    async def start(
        config: Mapping[str, object] | None = None,
        variables: Mapping[str, str] | None = None,
        *,
        ready: bool = True,
        may_fail: bool = False,
    ) -> running.Bot:
        settings = {
            "slack": {"api_url": slack.api_url},
            "clusters": [{"name": "prod", "kubeconfig": str(api.kubeconfig(tmp_path))}],
            **(config or {}),
        }
        tokens = {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token}
        bot = await running.start(settings, tmp_path, {**tokens, **(variables or {})})
        bots.append(bot)
        if may_fail:
            troubled.append(bot)
        if ready:
            await bot.says("ready: ")
        return bot

    yield start
    for bot in bots:
        code = await bot.stop()
        collected.keep(bot.output.encode())
        if bot not in troubled:
            assert code == 0, bot.output
            assert [words for words in _NEVER if words in bot.output] == [], bot.output
