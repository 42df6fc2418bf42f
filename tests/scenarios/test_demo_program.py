"""The demo as a program: one address, and nothing left behind."""

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import aiohttp
import pytest

from tests.demo.running import ROOT, is_there, running

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the bot's process is found in /proc")


async def test_ctrl_c_ends_everything(tmp_path: Path) -> None:
    async with running(tmp_path, "empty") as demo:
        async with aiohttp.ClientSession() as session, session.get(demo.url) as page:
            assert "<title>" in await page.text()
        assert is_there(demo.bot)
        demo.process.send_signal(signal.SIGINT)
        assert await demo.exit() == (0, "")
        assert not is_there(demo.bot)
    assert left_in(tmp_path) == []


async def test_a_bot_that_ends_by_itself_is_told(tmp_path: Path) -> None:
    async with running(tmp_path, "empty") as demo:
        os.kill(demo.bot, signal.SIGKILL)
        code, said = await demo.exit()
    assert code == 1
    assert "The bot has ended by itself (exit code -9). Its last lines:" in said
    assert "ready: workspace Shop, clusters: prod" in said


async def test_the_bot_does_not_outlive_a_demo_that_was_killed(tmp_path: Path) -> None:
    async with running(tmp_path, "empty") as demo:
        bot = os.pidfd_open(demo.bot)
        demo.process.kill()
        await demo.exit()
        await ended(bot)


async def test_a_port_that_is_taken_is_told_in_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "demo", "--scenario", "empty", "--port", port),
            cwd=ROOT,
            env=os.environ | {"TMPDIR": str(tmp_path)},
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await process.communicate()
    expected = f"Port {port} is taken: give another one, or none, and the demo takes one that is free.\n"
    assert (process.returncode, said.decode()) == (2, expected)
    assert left_in(tmp_path) == []


async def ended(process: int) -> None:
    """Once it is gone, its descriptor can be read."""
    gone = asyncio.Event()
    asyncio.get_running_loop().add_reader(process, gone.set)
    try:
        async with asyncio.timeout(30):
            await gone.wait()
    finally:
        asyncio.get_running_loop().remove_reader(process)
        os.close(process)


def left_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]
