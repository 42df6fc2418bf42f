"""How soon a slash command is acknowledged when a hundred come at once, while their checks run.

Beside it, in the same run, a bare bolt app that does nothing but acknowledge: the floor. Measured in the Slack
stand-in, from sending the envelope to receiving its acknowledgement. Slack gives up after three seconds.

    python -m benchmarks.ack [KUBECONFIG NAMESPACE/POD]

Without a cluster the checks run against an API server that takes two seconds for each answer.
"""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from benchmarks.results import Row, Table, percentile, show
from demo.slack import SlackServer
from demo.slack import people as p

AT_ONCE = 100
ROUNDS = 5
GOAL_SECONDS = 0.1
_SLOW_SECONDS = 2.0


async def measure(kubeconfig: Path | None = None, target: str = "shop/checkout") -> Table:
    """Both programs, one after the other. `target` is a pod of the kubeconfig's cluster, as namespace/name."""
    with tempfile.TemporaryDirectory(prefix="token-doctor-") as folder:
        async with _slow_api(Path(folder)) as slow:
            cluster = {"KUBECONFIG": str(kubeconfig or slow)}
            floor = await _timed(["-m", "benchmarks.ack", "floor"], {}, target)
            bot = await _timed(["-m", "bot", "run"], cluster, target)
    return Table(
        f"Acknowledging {AT_ONCE} slash commands that come at once",
        [
            Row("a bolt app that only acknowledges (the floor)", floor, _p99(floor)),
            Row(
                "token-doctor, while the checks run",
                bot,
                _p99(bot),
                goal=f"p99 within {GOAL_SECONDS * 1000:.0f} ms",
                met=percentile(bot, 99) <= GOAL_SECONDS,
            ),
        ],
        [
            (
                "From the envelope on the wire to its acknowledgement, measured in the Slack stand-in. Slack itself "
                f"waits for three seconds. {ROUNDS} rounds, each begun while the checks of those before it still run."
            )
        ],
    )


def main(kubeconfig: str = "", target: str = "shop/checkout") -> int:
    table = asyncio.run(measure(Path(kubeconfig) if kubeconfig else None, target))
    show([table])
    return 1 if table.missed() else 0


async def _timed(program: Sequence[str], variables: Mapping[str, str], target: str) -> list[float]:
    """Seconds for each command. A fresh Slack and a fresh process; nobody waits for the answers."""
    async with SlackServer() as slack:
        own = {key: value for key, value in os.environ.items() if not key.startswith(("SLACK_", "TOKEN_DOCTOR_"))}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *program,
            env={
                **own,
                "SLACK_BOT_TOKEN": slack.bot_token,
                "SLACK_APP_TOKEN": slack.app_token,
                "TOKEN_DOCTOR_SLACK__API_URL": slack.api_url,
                **variables,
            },
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            await slack.wait_for(lambda: slack.socket.connections, 30)
            # Not measured: the first command loads what only a command needs.
            await slack.command("/token", "help", user=p.ENGINEER, channel=p.INCIDENT)
            slack.traffic.records.clear()
            for _ in range(ROUNDS):
                await asyncio.gather(*(_command(slack, target) for _ in range(AT_ONCE)))
            return list(_seconds(slack))
        finally:
            process.kill()
            await process.wait()


async def _command(slack: SlackServer, target: str) -> None:
    delivery = await slack.command("/token", f"check {target}", user=p.ENGINEER, channel=p.INCIDENT)
    if not delivery.acked:
        raise RuntimeError(f"A command was not acknowledged: {delivery.failure}.")


def _seconds(slack: SlackServer) -> Iterator[float]:
    """From the envelope on the wire to the frame that acknowledges it."""
    sent: dict[str, float] = {}
    for record in slack.traffic.at("websocket"):
        envelope = _envelope(record.data)
        if record.direction == "to_bot":
            sent[envelope] = record.at
        elif envelope and envelope in sent:
            yield record.at - sent[envelope]


def _envelope(data: bytes) -> str:
    try:
        return str(json.loads(data).get("envelope_id", ""))
    except ValueError:
        return ""  # a ping's text


def _p99(times: Sequence[float]) -> str:
    return f"p99 {percentile(times, 99) * 1000:.0f} ms"


@asynccontextmanager
async def _slow_api(folder: Path) -> AsyncIterator[Path]:
    """A kubeconfig for an API server that thinks for two seconds and then knows nothing."""

    async def answer(_: web.Request) -> web.Response:
        await asyncio.sleep(_SLOW_SECONDS)
        return web.json_response({"kind": "Status", "code": 404, "reason": "NotFound"}, status=404)

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    kubeconfig = {
        "current-context": "slow",
        "contexts": [{"name": "slow", "context": {"cluster": "slow", "user": "bench"}}],
        "clusters": [{"name": "slow", "cluster": {"server": f"http://127.0.0.1:{runner.addresses[0][1]}"}}],
        "users": [{"name": "bench", "user": {"token": "bench"}}],
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(kubeconfig), "utf-8")
    yield path
    await runner.cleanup()


async def _floor() -> None:
    """What bolt's own documentation shows, and nothing behind it."""
    from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler  # noqa: PLC0415  # only this process needs bolt
    from slack_bolt.app.async_app import AsyncApp  # noqa: PLC0415  # the same
    from slack_bolt.context.ack.async_ack import AsyncAck  # noqa: PLC0415  # the same
    from slack_sdk.web.async_client import AsyncWebClient  # noqa: PLC0415  # the same

    url = os.environ["TOKEN_DOCTOR_SLACK__API_URL"]
    bot_token, app_token = os.environ.pop("SLACK_BOT_TOKEN"), os.environ["SLACK_APP_TOKEN"]
    app = AsyncApp(client=AsyncWebClient(token=bot_token, base_url=url))

    async def token(ack: AsyncAck) -> None:
        await ack()

    app.command("/token")(token)
    client = AsyncWebClient(token=app_token, base_url=url)
    handler = AsyncSocketModeHandler(app, app_token, web_client=client)
    await handler.start_async()  # type: ignore[no-untyped-call]  # the SDK leaves it untyped


if __name__ == "__main__":
    if sys.argv[1:] == ["floor"]:
        asyncio.run(_floor())
    else:
        sys.exit(main(*sys.argv[1:]))
