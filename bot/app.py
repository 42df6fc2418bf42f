"""The composition root: the only place that makes clients, clocks and tasks, and stops them in order."""

import asyncio
import gc
import os
import secrets
import signal
import socket as sockets
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog
from aiohttp import ClientSession
from slack_bolt.app.async_app import AsyncApp

from bot.actions.catalog import ACTIONS
from bot.actions.offers import offers
from bot.actions.planning import Planner
from bot.blocks.home import ClusterState
from bot.blocks.modals import refused, unknown
from bot.clusters import Clusters, ways
from bot.digests import Digests, make_digests
from bot.examine import examine
from bot.jobs import Purge
from bot.kube.client import utc_now
from bot.metrics import Metrics
from bot.model import Report, Routes, Target
from bot.remedy import STOP_SECONDS, Remedy, make_remedy
from bot.slack.bolt import bolt_app
from bot.slack.client import TIMEOUT, web_client
from bot.slack.door import Slack
from bot.slack.http import PATH, HttpMode
from bot.slack.remembered import Remembered
from bot.slack.socket import SocketMode
from bot.slack.verify import Identity, needed, verify
from bot.slack.views import Views
from bot.store import Store, open_store
from bot.web import Readiness, Web
from config import credentials
from config import settings as configured
from handlers import buttons, commands, home, mentions, modals, shortcuts
from handlers import digests as digest_buttons
from handlers.censuses import Censuses
from handlers.checks import Checks, Examine
from handlers.decisions import Decisions
from handlers.desk import Desk
from handlers.forms import Forms
from handlers.home import Homes
from handlers.middleware import ChannelRule, Doorkeeper, Heard
from handlers.overview import Overview
from handlers.remedies import Remedies
from handlers.requesting import ADD_ONE, NO_POLICY, Requesting
from handlers.snoozes import Snoozes
from handlers.work import Work

log = structlog.get_logger(__name__)

_FINISH_SECONDS = 5  # beyond the two deadlines of a check, for posting its answer
_DRAIN_SECONDS = 10
_GREETING_SECONDS = 10
_TELL_SECONDS = 20  # for the pages of a digest that has begun
_CLOSING_SECONDS = 10  # for what has bounds of its own: the connections to Slack, the database, whoever reads figures


def longest_stop(deadline_seconds: int, drain_seconds: int) -> float:
    """Within so many seconds of SIGTERM `run` has ended, with that `checks.deadline_seconds`.

    `drain_seconds` is how long Slack's requests are still taken, 0 over the websocket. A pod's
    terminationGracePeriodSeconds has to be longer.
    """
    finished = _answers(deadline_seconds) + _TELL_SECONDS + STOP_SECONDS + _DRAIN_SECONDS
    return drain_seconds + finished + _CLOSING_SECONDS


def _answers(deadline_seconds: int) -> float:
    return 2 * deadline_seconds + _FINISH_SECONDS


async def run(
    settings: configured.Settings, ready: Callable[[str], None], checkpoint: Callable[[str], None] = lambda _: None
) -> bool:
    """The bot, until SIGTERM or SIGINT; whether it finished what was underway. `ready` is told one line for people.

    `checkpoint` is called with each of the CHECKPOINTS of `bot.actions.executor` and `bot.delivery.runner` that is
    passed. Raises SlackRefusedError, WrongUsageError, StoreUnavailableError and StoreSchemaError before it serves. A
    second signal cuts everything short.
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
    credentials.hide(os.environ)
    clusters = Clusters(ways(settings.clusters))
    async with ClientSession(timeout=TIMEOUT) as session, AsyncExitStack() as closing:
        closing.push_async_callback(clusters.close)
        identity = await _verified(settings, session)
        await clusters.start()
        bot_token, app_token = settings.credentials.revealed()
        client = web_client(session, settings.slack.api_url, bot_token)
        slack = Slack(client, session, time.monotonic)
        user = Remembered(slack.user, time.monotonic)
        worker = _worker()
        store = await _store(settings, closing, worker)
        digests = make_digests(settings, store, clusters, slack, worker=worker, checkpoint=checkpoint)
        closing.push_async_callback(digests.stop)
        remedy = None
        if settings.policy and store:
            remedy = make_remedy(
                settings,
                store,
                clusters,
                slack,
                user=user,
                worker=worker,
                team_id=identity.team_id,
                routes=_routes(settings),
                checkpoint=checkpoint,
            )
            closing.push_async_callback(remedy.close)
        over_http = settings.slack.mode == "http"
        app = bolt_app(session, settings.slack.api_url, bot_token, identity, answers_last=over_http)
        http = _http_mode(settings, app) if over_http else None
        entrance = http or SocketMode(app, web_client(session, settings.slack.api_url, app_token))
        work = Work(first=entrance.acknowledged)
        heard = Heard(time.monotonic, _claimed(settings, store))
        counter = Counter(slack, Views(client), Doorkeeper(user, identity.team_id), heard, work)
        readiness = Readiness(stop.is_set, entrance.connected)
        await _web(settings, closing, store, clusters, readiness, http=http)
        homes = _listen(app, settings, identity, clusters, counter, remedy=remedy, digests=digests, store=store)
        closing.push_async_callback(_ended, asyncio.create_task(homes.run()))
        try:
            await entrance.start()
            if remedy is not None:
                remedy.start()
            digests.start()
            readiness.is_started = True
            gc.freeze()  # what was built up to here stays: the collector need not look at it again
            ready(f"ready: workspace {identity.team}, clusters: {', '.join(clusters.names)}")
            work.start(clusters.greet(_GREETING_SECONDS))
            if settings.checks.controller_probe:
                work.start(clusters.sweep(settings.checks.controller_probe, _GREETING_SECONDS))
            await stop.wait()
        finally:
            await entrance.stop()
        await work.finish(_answers(settings.checks.deadline_seconds))
        await digests.stop(_TELL_SECONDS)
        if remedy is not None:
            await remedy.stop()
        await slack.drain(_DRAIN_SECONDS)


def _worker() -> str:
    """This process, for the store's claims and the trail."""
    return f"{sockets.gethostname()}:{os.getpid()}:{secrets.token_hex(2)}"


async def _verified(settings: configured.Settings, session: ClientSession) -> Identity:
    """Who the bot is, by the tokens that its way to Slack needs. Raises SlackRefusedError."""
    bot_token, app_token = settings.credentials.revealed()
    over_http = settings.slack.mode == "http"
    return await verify(
        session,
        settings.slack.api_url,
        bot_token,
        app_token,
        scopes=needed(policy=bool(settings.policy)),
        signing_secret=settings.credentials.revealed_signing_secret() if over_http else None,
    )


def _http_mode(settings: configured.Settings, app: AsyncApp) -> HttpMode:
    return HttpMode(
        app,
        settings.credentials.revealed_signing_secret(),
        now=time.time,
        monotonic=time.monotonic,
        drain_seconds=settings.web.drain_seconds,
    )


def _claimed(settings: configured.Settings, store: Store | None) -> Callable[[str], Awaitable[bool]] | None:
    """Asks the other replicas whether this is heard for the first time. SQLite has none to ask."""
    if store is None or not settings.database.is_shared:
        return None
    once = store.once
    return lambda id_: once.first(id_, utc_now())


async def _store(settings: configured.Settings, closing: AsyncExitStack, worker: str) -> Store | None:
    """What is remembered, where anything has to be. Raises StoreUnavailableError and StoreSchemaError."""
    if not settings.remembers:
        return None
    store = await open_store(settings.database.url, password=settings.credentials.revealed_password())
    closing.push_async_callback(store.close)
    purge = Purge(store, worker=worker, now=utc_now, keep=timedelta(days=settings.database.keep_days))
    purge.start()
    closing.callback(purge.stop)
    return store


async def _web(
    settings: configured.Settings,
    closing: AsyncExitStack,
    store: Store | None,
    clusters: Clusters,
    readiness: Readiness,
    *,
    http: HttpMode | None,
) -> None:
    """Figures, probes and Slack's requests, where they have a port. Raises WrongUsageError."""
    if settings.web.port is None:
        return
    refused = (lambda: http.refusals.numbers) if http else None
    metrics = Metrics(store, settings.digests, now=utc_now, clusters=lambda: clusters.names, refused=refused)
    web = Web(
        settings.web.host,
        settings.web.port,
        metrics=metrics.text,
        not_ready=readiness.lacks,
        posts={PATH: http.answer} if http else {},
    )
    await web.start()
    closing.push_async_callback(web.stop)


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
    digests: Digests,
    store: Store | None,
) -> Homes:
    """Tells bolt who listens to what. Without a policy there are no remedies: nothing of theirs is offered."""
    rules = {channel: ChannelRule(rule.cluster or "", rule.namespaces) for channel, rule in settings.channels.items()}
    forms = Forms(counter.views, counter.slack, counter.doorkeeper, counter.heard, counter.work)
    checked: dict[str, datetime] = {}
    examine_ = _examination(settings, clusters, checked)
    checks = Checks(examine_, rules, identity.user, *([offers] if remedy else []))
    censuses = Censuses(
        digests.demand,
        rules,
        identity.user,
        clusters=lambda: clusters.names,
        store=store,
        acts=remedy is not None,
        monotonic=time.monotonic,
    )
    _listen_to_digests(app, settings, counter, forms, digests=digests, store=store)
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
        counter.work,
        checks=checks,
        censuses=censuses,
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


def _listen_to_digests(
    app: AsyncApp,
    settings: configured.Settings,
    counter: Counter,
    forms: Forms,
    *,
    digests: Digests,
    store: Store | None,
) -> None:
    """Their items' buttons. Without a store nothing is remembered, so nothing can be snoozed."""
    if store is None or digests.showing is None:
        digest_buttons.register_none(app, forms)
        return
    snoozes = Snoozes(
        store,
        digests.showing,
        counter.slack.user,
        zones={digest.name: digest.timezone for digest in settings.digests},
        now=utc_now,
        later=counter.work.start,
    )
    digest_buttons.register(app, forms, snoozes)


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
