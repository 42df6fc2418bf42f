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
from datetime import timedelta

import structlog
from aiohttp import ClientSession
from slack_bolt.app.async_app import AsyncApp

from bot.clusters import Clusters, ways
from bot.digests import make_digests
from bot.jobs import Purge
from bot.kube.client import utc_now
from bot.listening import Counter, listen, routes_of
from bot.metrics import Metrics
from bot.remedy import STOP_SECONDS, make_remedy
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
from handlers.middleware import Doorkeeper, Heard
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
                routes=routes_of(settings),
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
        homes = listen(app, settings, identity, clusters, counter, remedy=remedy, digests=digests, store=store)
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


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
