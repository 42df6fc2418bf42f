"""The whole way: a slash command sent, the bot in a process of its own, its answer shown in the channel."""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import yaml

from benchmarks.target import Target
from demo.slack import Message, SlackServer
from demo.slack import people as p
from tests.cluster.plane import Plane
from tests.scenarios import running

MANIFEST = Path(__file__).parents[1] / "config" / "slack-manifest.yaml"
PAUSE_SECONDS = 4.0
"""Slack takes about a message a second in a channel, and the bot keeps to that: a thread must not slow the next run."""

ANSWER_SECONDS = 30.0


async def timed(plane: Plane, target: Target, runs: int) -> list[float]:
    """Seconds from the command to the answer, after one run that is not counted."""
    scopes = yaml.safe_load(MANIFEST.read_text("utf-8"))["oauth_config"]["scopes"]["bot"]
    async with SlackServer(bot_scopes=scopes) as slack:
        config = {
            "slack": {"api_url": slack.api_url},
            "clusters": [{"name": "prod", "kubeconfig": str(plane.kubeconfig)}],
        }
        tokens = {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token}
        with tempfile.TemporaryDirectory() as folder:
            bot = await running.start(config, Path(folder), tokens)
            try:
                await bot.says("ready: ")
                await _seconds(slack, target)
                times = []
                for _ in range(runs):
                    await asyncio.sleep(PAUSE_SECONDS)
                    times.append(await _seconds(slack, target))
            finally:
                await bot.stop()
    return times


async def _seconds(slack: SlackServer, target: Target) -> float:
    before = len(_answers(slack.messages(p.INCIDENT)))
    started = time.perf_counter()
    await slack.command("/token", f"check {target.namespace}/{target.pod}", user=p.ENGINEER, channel=p.INCIDENT)
    await slack.wait_for(lambda: len(_answers(slack.messages(p.INCIDENT))) > before, ANSWER_SECONDS)
    return time.perf_counter() - started


def _answers(messages: Sequence[Message]) -> list[Message]:
    """The bot's messages that were edited into an answer with a verdict."""
    return [each for each in messages if each.bot_id and each.history and "Critical" in each.text]
