"""`python -m demo`: the bot with a Slack and a cluster to try it on. Prints one address; Ctrl-C ends everything."""

import argparse
import asyncio
import errno
import signal
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from demo.beginning import begin
from demo.bot_process import BotProcess, start_bot
from demo.cluster import ClusterServer
from demo.configuration import SOON, configuration, scopes
from demo.panel import ClusterPanel
from demo.slack import SlackServer

PORT = 8350
READY_SECONDS = 60.0
PORT_TAKEN = 2


async def main(port: int | None, scenario: str) -> int:
    """The exit code: 0 when it was stopped, 1 when the bot ended by itself, 2 when there is no such port."""
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    with tempfile.TemporaryDirectory(prefix="token-doctor-demo-") as folder:
        async with ClusterServer(scenario) as cluster:
            kubeconfig = Path(folder) / "kubeconfig"
            cluster.kubeconfig(kubeconfig)
            slack = await _slack(port, ClusterPanel(cluster))
            if slack is None:
                told = f"Port {port} is taken: give another one, or none, and the demo takes one that is free."
                print(told, file=sys.stderr)
                return PORT_TAKEN
            try:
                return await _serve(slack, kubeconfig, Path(folder), stop)
            finally:
                await slack.stop()


async def _slack(port: int | None, panel: ClusterPanel) -> SlackServer | None:
    """At the usual port, so that a bookmark works; at another one where that is taken and none was asked for.

    None where the one that was asked for is taken.
    """
    for each in (PORT, 0) if port is None else (port,):
        slack = SlackServer(port=each, bot_scopes=scopes(), panel=panel)
        try:
            await slack.start()
        except OSError as error:
            await slack.stop()
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            return slack
    return None


async def _serve(slack: SlackServer, kubeconfig: Path, folder: Path, stop: asyncio.Event) -> int:
    await begin(slack)
    config = configuration(slack.api_url, kubeconfig, folder / "token-doctor.db", datetime.now(UTC) + SOON)
    bot = await start_bot(config, folder, {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token})
    ended = asyncio.create_task(bot.ended())
    try:
        if not await _first(READY_SECONDS, ended, bot.ready, stop):
            return _tell(bot, ended, "did not get ready")
        if not stop.is_set():
            print(f"token-doctor is running. Open {slack.url}   (Ctrl-C ends it)", flush=True)
            await _first(None, ended, stop)
        return 0 if stop.is_set() else _tell(bot, ended, "has ended by itself")
    finally:
        await bot.stop()
        await ended


async def _first(seconds: float | None, ended: asyncio.Task[int], *events: asyncio.Event) -> bool:
    """Waits for the first of them: False where the bot ended before, or nothing happened in time."""
    waiting = {asyncio.create_task(event.wait()) for event in events}
    await asyncio.wait({ended, *waiting}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    return any(event.is_set() for event in events)


def _tell(bot: BotProcess, ended: asyncio.Task[int], what: str) -> int:
    code = f" (exit code {ended.result()})" if ended.done() else ""
    print(f"The bot {what}{code}. Its last lines:", file=sys.stderr)
    for line in bot.last:
        print(f"  {line}", file=sys.stderr)
    return 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--port", type=int, default=None, help=f"of the page; {PORT} where it is free")
    parser.add_argument("--scenario", default="default", help="a file's name in demo/cluster/scenarios")
    return parser.parse_args()


if __name__ == "__main__":
    given = _arguments()
    sys.exit(asyncio.run(main(given.port, given.scenario)))
