"""The composition root: the only place that makes clients, clocks and tasks, and stops them in order."""

import asyncio
import gc
import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import structlog
from aiohttp import ClientSession
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.response import BoltResponse

from bot.clusters import Clusters, Connect
from bot.examine import examine
from bot.kube.client import Cluster, connect, utc_now
from bot.model import Report, Routes, Target
from bot.slack.client import TIMEOUT, sdk_logger, web_client
from bot.slack.door import Slack
from bot.slack.socket import SocketMode
from bot.slack.verify import Identity, verify
from config import settings as configured
from handlers import commands, mentions
from handlers.checks import Checks
from handlers.desk import Desk
from handlers.middleware import ChannelRule, Doorkeeper, Heard
from handlers.work import Work

log = structlog.get_logger(__name__)

_FINISH_SECONDS = 5  # beyond the two deadlines of a check, for posting its answer
_DRAIN_SECONDS = 10
_GREETING_SECONDS = 10


async def run(settings: configured.Settings, ready: Callable[[str], None]) -> bool:
    """The bot, until SIGTERM or SIGINT; whether it finished what was underway. `ready` is told one line for people.

    Raises SlackRefusedError and WrongUsageError before it serves. A second signal cuts everything short.
    """
    stop, started = asyncio.Event(), asyncio.Event()

    def told(line: str) -> None:
        started.set()
        ready(line)

    serving = asyncio.create_task(_serve(settings, told, stop))

    def on_signal() -> None:
        if stop.is_set() or not started.is_set():
            serving.cancel()
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    try:
        await serving
    except asyncio.CancelledError:
        if not stop.is_set():
            raise
        return not started.is_set()
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
    return True


async def _serve(settings: configured.Settings, ready: Callable[[str], None], stop: asyncio.Event) -> None:
    # A kubeconfig's credential program inherits the environment, and must not see the tokens; and where
    # SLACK_CLIENT_ID is set, bolt turns OAuth on and drops the token that it is given.
    for name in [name for name in os.environ if name.startswith("SLACK_")]:
        del os.environ[name]
    clusters = Clusters(_ways(settings))
    async with ClientSession(timeout=TIMEOUT) as session:
        try:
            bot_token, app_token = settings.credentials.revealed()
            identity = await verify(session, settings.slack.api_url, bot_token, app_token)
            await clusters.start()
            slack = Slack(web_client(session, settings.slack.api_url, bot_token), session, time.monotonic)
            app = _bolt(session, settings.slack.api_url, bot_token, identity)
            socket = SocketMode(app, web_client(session, settings.slack.api_url, app_token))
            work = Work(first=socket.acknowledged)
            desk = _desk(settings, slack, identity, clusters, work)
            commands.register(app, desk)
            mentions.register(app, desk)
            try:
                await socket.start()
                gc.freeze()  # what was built up to here stays: the collector need not look at it again
                ready(f"ready: workspace {identity.team}, clusters: {', '.join(clusters.names)}")
                work.start(clusters.greet(_GREETING_SECONDS))
                if settings.checks.controller_probe:
                    work.start(clusters.sweep(settings.checks.controller_probe, _GREETING_SECONDS))
                await stop.wait()
            finally:
                await socket.stop()
            await work.finish(2 * settings.checks.deadline_seconds + _FINISH_SECONDS)
            await slack.drain(_DRAIN_SECONDS)
        finally:
            await clusters.close()


def _desk(settings: configured.Settings, slack: Slack, identity: Identity, clusters: Clusters, work: Work) -> Desk:
    checks = settings.checks
    routes = Routes(
        exec=checks.exec,
        probe=checks.probe,
        secret_data=checks.read_secret_data,
        controller_probe=checks.controller_probe,
    )

    async def examined(target: Target) -> Report:
        chosen = await clusters.chosen(target)
        return await examine(
            clusters.connected,
            chosen,
            routes=routes,
            now=utc_now,
            monotonic=time.monotonic,
            deadline_seconds=checks.deadline_seconds,
            log_lines=checks.log_lines,
        )

    rules = {channel: ChannelRule(rule.cluster or "", rule.namespaces) for channel, rule in settings.channels.items()}
    return Desk(
        slack,
        Doorkeeper(slack.user, identity.team_id, time.monotonic),
        Heard(time.monotonic),
        Checks(examined, rules, identity.user),
        work,
        name=identity.user,
    )


def _ways(settings: configured.Settings) -> dict[str, Connect]:
    """How to connect to each cluster; without any configured, to the one that the environment gives."""
    if not settings.clusters:
        return {"": partial(connect, "", now=utc_now)}
    return {cluster.name: partial(_connect, cluster) for cluster in settings.clusters}


async def _connect(cluster: configured.Cluster) -> Cluster:
    kubeconfig = Path(cluster.kubeconfig) if cluster.kubeconfig else None
    return await connect(
        cluster.name, kubeconfig=kubeconfig, context=cluster.context, endpoints=cluster.endpoints, now=utc_now
    )


def _bolt(session: ClientSession, api_url: str, bot_token: str, identity: Identity) -> AsyncApp:
    """Bolt's app, told who it is instead of asking Slack with every first event."""
    who = AuthorizeResult(
        enterprise_id=None,
        team_id=identity.team_id,
        bot_id=identity.bot_id,
        bot_user_id=identity.user_id,
        bot_token=bot_token,
    )

    async def authorize() -> AuthorizeResult:
        return who

    async def failed(error: Exception) -> BoltResponse | None:
        """An envelope of a kind that nobody here listens to is acknowledged, and not written into the log."""
        if isinstance(error, BoltUnhandledRequestError):
            return BoltResponse(status=200, body="")
        log.error("a listener broke", exc_info=error)
        return None

    app = AsyncApp(
        name="token-doctor",
        logger=sdk_logger(),
        client=web_client(session, api_url, None),
        authorize=authorize,
        raise_error_for_unhandled_request=True,
    )
    app.error(failed)
    return app
