"""The composition root: the only place that makes clients, clocks and tasks, and stops them in order."""

import asyncio
import gc
import os
import signal
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

import structlog
from aiohttp import ClientSession
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.response import BoltResponse

from bot.actions.catalog import ACTIONS
from bot.actions.offers import offers
from bot.actions.planning import Planner
from bot.blocks.home import ClusterState
from bot.blocks.modals import refused, unknown
from bot.clusters import Clusters, Connect
from bot.examine import examine
from bot.kube.client import Cluster, connect, utc_now
from bot.model import Report, Routes, Target
from bot.remedy import Remedy, open_remedy
from bot.slack.client import TIMEOUT, sdk_logger, web_client
from bot.slack.door import Slack
from bot.slack.remembered import Remembered
from bot.slack.socket import SocketMode
from bot.slack.verify import POLICY_SCOPES, SCOPES, Identity, verify
from bot.slack.views import Views
from config import settings as configured
from handlers import buttons, commands, home, mentions, modals, shortcuts
from handlers.checks import Checks, Examine
from handlers.decisions import Decisions
from handlers.desk import Desk
from handlers.forms import Forms
from handlers.home import Homes
from handlers.middleware import ChannelRule, Doorkeeper, Heard
from handlers.overview import Overview
from handlers.remedies import Remedies
from handlers.requesting import ADD_ONE, NO_POLICY, Requesting
from handlers.work import Work

log = structlog.get_logger(__name__)

_FINISH_SECONDS = 5  # beyond the two deadlines of a check, for posting its answer
_DRAIN_SECONDS = 10
_GREETING_SECONDS = 10


async def run(
    settings: configured.Settings, ready: Callable[[str], None], checkpoint: Callable[[str], None] = lambda _: None
) -> bool:
    """The bot, until SIGTERM or SIGINT; whether it finished what was underway. `ready` is told one line for people.

    `checkpoint` is called with each of `bot.actions.executor.CHECKPOINTS` that an execution passes. Raises
    SlackRefusedError, WrongUsageError, StoreUnavailableError and StoreSchemaError before it serves. A second signal
    cuts everything short.
    """
    stop, started = asyncio.Event(), asyncio.Event()

    def told(line: str) -> None:
        started.set()
        ready(line)

    serving = asyncio.create_task(_serve(settings, told, stop, checkpoint))

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


async def _serve(
    settings: configured.Settings, ready: Callable[[str], None], stop: asyncio.Event, checkpoint: Callable[[str], None]
) -> None:
    _hide_secrets()
    clusters = Clusters(_ways(settings))
    async with ClientSession(timeout=TIMEOUT) as session, AsyncExitStack() as closing:
        closing.push_async_callback(clusters.close)
        bot_token, app_token = settings.credentials.revealed()
        scopes = {**SCOPES, **POLICY_SCOPES} if settings.policy else SCOPES
        identity = await verify(session, settings.slack.api_url, bot_token, app_token, scopes=scopes)
        await clusters.start()
        client = web_client(session, settings.slack.api_url, bot_token)
        slack = Slack(client, session, time.monotonic)
        user = Remembered(slack.user, time.monotonic)
        remedy = None
        if settings.policy:
            remedy = await open_remedy(
                settings,
                clusters,
                slack,
                user,
                team_id=identity.team_id,
                routes=_routes(settings),
                checkpoint=checkpoint,
            )
            closing.push_async_callback(remedy.close)
        app = _bolt(session, settings.slack.api_url, bot_token, identity)
        socket = SocketMode(app, web_client(session, settings.slack.api_url, app_token))
        work = Work(first=socket.acknowledged)
        counter = Counter(slack, Views(client), Doorkeeper(user, identity.team_id), Heard(time.monotonic), work)
        homes = _listen(app, settings, identity, clusters, counter, remedy=remedy)
        closing.push_async_callback(_ended, asyncio.create_task(homes.run()))
        try:
            await socket.start()
            if remedy is not None:
                remedy.start()
            gc.freeze()  # what was built up to here stays: the collector need not look at it again
            ready(f"ready: workspace {identity.team}, clusters: {', '.join(clusters.names)}")
            work.start(clusters.greet(_GREETING_SECONDS))
            if settings.checks.controller_probe:
                work.start(clusters.sweep(settings.checks.controller_probe, _GREETING_SECONDS))
            await stop.wait()
        finally:
            await socket.stop()
        await work.finish(2 * settings.checks.deadline_seconds + _FINISH_SECONDS)
        if remedy is not None:
            await remedy.stop()
        await slack.drain(_DRAIN_SECONDS)


def _hide_secrets() -> None:
    """A kubeconfig's credential program inherits the environment, and must not see the tokens.

    And where SLACK_CLIENT_ID is set, bolt turns OAuth on and drops the token that it is given.
    """
    for name in [name for name in os.environ if name.startswith(("SLACK_", "DATABASE_PASSWORD"))]:
        del os.environ[name]


def _routes(settings: configured.Settings) -> Routes:
    checks = settings.checks
    return Routes(
        exec=checks.exec,
        probe=checks.probe,
        secret_data=checks.read_secret_data,
        controller_probe=checks.controller_probe,
    )


class Counter(NamedTuple):
    """What every listener works with."""

    slack: Slack
    views: Views
    doorkeeper: Doorkeeper
    heard: Heard
    work: Work


def _listen(
    app: AsyncApp,
    settings: configured.Settings,
    identity: Identity,
    clusters: Clusters,
    counter: Counter,
    *,
    remedy: Remedy | None,
) -> Homes:
    """Tells bolt who listens to what. Without a policy there are no remedies: nothing of theirs is offered."""
    rules = {channel: ChannelRule(rule.cluster or "", rule.namespaces) for channel, rule in settings.channels.items()}
    forms = Forms(counter.views, counter.slack, counter.doorkeeper, counter.heard, counter.work)
    checked: dict[str, datetime] = {}
    examine_ = _examination(settings, clusters, checked)
    checks = Checks(examine_, rules, identity.user, *([offers] if remedy else []))
    overview = requesting = None
    if remedy:
        remedies = Remedies(Planner(ACTIONS, clusters.reached), remedy.approvals, rules)
        overview = Overview(remedy.store, remedy.approvals, rules)
        requesting = Requesting(forms, remedies, overview, utc_now)
        decisions = Decisions(remedy.store, remedy.approvals)
        buttons.register(app, forms, remedies, decisions)
        modals.register(app, forms, remedies, decisions)
    desk = Desk(
        counter.slack,
        counter.doorkeeper,
        counter.heard,
        checks,
        counter.work,
        name=identity.user,
        requesting=requesting,
    )
    commands.register(app, desk)
    mentions.register(app, desk)
    shortcuts.register(app, shortcuts.Alerts(forms, desk, clusters.names))
    buttons.register_rest(app, forms, unknown() if remedy else refused("token-doctor", NO_POLICY, ADD_ONE))

    async def seen() -> tuple[ClusterState, ...]:
        found = await clusters.looked_at(_GREETING_SECONDS)
        return tuple(
            ClusterState(name, version, trouble, checked.get(name)) for name, (version, trouble) in found.items()
        )

    homes = Homes(counter.views, counter.doorkeeper, seen, overview, monotonic=time.monotonic, now=utc_now)
    home.register(app, homes, counter.work.start)
    return homes


def _examination(settings: configured.Settings, clusters: Clusters, checked: dict[str, datetime]) -> Examine:
    """How a target is examined; `checked` is told when a cluster was last asked."""
    checks, routes = settings.checks, _routes(settings)

    async def examined(target: Target) -> Report:
        chosen = await clusters.chosen(target)
        report = await examine(
            clusters.connected,
            chosen,
            routes=routes,
            now=utc_now,
            monotonic=time.monotonic,
            deadline_seconds=checks.deadline_seconds,
            log_lines=checks.log_lines,
        )
        checked[report.target.cluster] = report.taken_at
        return report

    return examined


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


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
