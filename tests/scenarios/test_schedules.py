"""Digests by schedule, told by the whole bot: once by two replicas, and not again after a restart."""

import asyncio
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import ClientSession

from bot.store import open_store
from demo.slack import Message, SlackServer
from demo.slack import people as p
from tests.scenarios.conftest import StartBot

TIME_TO_TELL = 30


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


async def configured(tmp_path: Path) -> dict[str, object]:
    """A digest that was due at midnight, when no bot was there."""
    url = f"sqlite+aiosqlite:///{tmp_path}/doctor.db"
    store = await open_store(url)
    await store.slots.begin("daily", datetime.now(UTC) - timedelta(days=1, hours=1))
    await store.close()
    digest = {"name": "daily", "cron": "0 0 * * *", "channel": p.INCIDENT, "catch_up_hours": 24}
    return {"database": {"url": url}, "digests": [digest]}


def told(slack: SlackServer) -> list[Message]:
    return [message for message in slack.messages(p.INCIDENT) if not message.thread_ts and message.metadata]


async def test_two_replicas_tell_a_digest_once_and_a_restart_does_not_tell_it_again(
    slack: SlackServer, start_bot: StartBot, tmp_path: Path
) -> None:
    config = await configured(tmp_path)
    port = free_port()
    web = {"TOKEN_DOCTOR_WEB__HOST": "127.0.0.1", "TOKEN_DOCTOR_WEB__PORT": str(port)}
    bots = await asyncio.gather(start_bot(config, web), start_bot(config))
    await slack.wait_for(lambda: told(slack), TIME_TO_TELL)
    assert [
        await asyncio.wait_for(bot.says("a digest ended"), TIME_TO_TELL)
        for bot in bots
        if "a digest begins" in bot.output
    ]
    assert (await get(port, "healthz"), await get(port, "readyz")) == ("ok\n", "ok\n")
    metrics = await get(port, "metrics")
    assert "token_doctor_database_up 1.0" in metrics
    assert 'token_doctor_digest_failures_total{digest="daily"} 0.0' in metrics
    for bot in bots:
        assert await bot.stop() == 0
    again = await start_bot(config)
    await again.says("a cluster answers")
    await again.stop()
    (message,) = told(slack)
    assert "daily" in f"{message.text} {message.blocks}"


async def get(port: int, path: str) -> str:
    async with ClientSession() as session, session.get(f"http://127.0.0.1:{port}/{path}") as answer:
        assert answer.status == 200
        return await answer.text()


async def test_a_port_that_is_taken_is_said_at_the_start(start_bot: StartBot) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        bot = await start_bot({"web": {"host": "127.0.0.1", "port": port}}, ready=False, may_fail=True)
        assert await bot.exit() == 2, bot.output
    assert f"cannot listen on 127.0.0.1:{port}" in bot.output
