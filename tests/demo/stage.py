"""The demo in this process: its Slack, its cluster and its bot, as `python -m demo` puts them together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from bot.store import open_store
from demo.beginning import begin
from demo.bot_process import BotProcess, start_bot
from demo.cluster import ClusterServer, Scenario, load
from demo.configuration import SCHEDULE, configuration, scopes
from demo.panel import ClusterPanel
from demo.slack import SlackServer

READY_SECONDS = 90.0
JUST_NOW = timedelta(minutes=2)
PROOF_SECONDS = 10


@dataclass(frozen=True)
class Stage:
    slack: SlackServer
    cluster: ClusterServer


def hurried(scenario: Scenario, image: str) -> Scenario:
    """The same with a program that works every two seconds instead of every minute: its log proves things soon."""
    programs = {name: replace(it, every=2) if image in name else it for name, it in scenario.programs.items()}
    return replace(scenario, programs=programs)


async def missed(database: Path) -> None:
    """As if the bot had run before, so that it catches up at once with a digest that was due just now."""
    store = await open_store(f"sqlite+aiosqlite:///{database}")
    await store.slots.begin(SCHEDULE, datetime.now(UTC) - timedelta(hours=1))
    await store.close()


async def is_ready(bot: BotProcess) -> None:
    ready, ended = asyncio.create_task(bot.ready.wait()), asyncio.create_task(bot.ended())
    await asyncio.wait({ready, ended}, timeout=READY_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    ready.cancel()
    assert bot.ready.is_set(), "\n".join(bot.last)


@asynccontextmanager
async def staged(folder: Path, scenario: Scenario | None = None) -> AsyncIterator[Stage]:
    """Serving, with the bot connected, which takes seconds for proof."""
    async with ClusterServer(scenario or load("default")) as cluster:
        panel = ClusterPanel(cluster)
        async with SlackServer(bot_scopes=scopes(), panel=panel) as slack:
            await begin(slack)
            kubeconfig = cluster.kubeconfig(folder / "kubeconfig")
            database = folder / "token-doctor.db"
            await missed(database)
            config = configuration(
                slack.api_url, kubeconfig, database, datetime.now(UTC) - JUST_NOW, proof_seconds=PROOF_SECONDS
            )
            tokens = {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token}
            bot = await start_bot(config, folder, tokens)
            try:
                await is_ready(bot)
                yield Stage(slack, cluster)
            finally:
                await bot.stop()
