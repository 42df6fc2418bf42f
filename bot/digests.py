"""Everything behind the digests, put together: what is told by schedule, and what is told when somebody asks."""

import asyncio
import secrets
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from bot.blocks.digest import messages
from bot.blocks.digest_pages import page_of
from bot.census import Progress, census
from bot.clusters import Clusters
from bot.delivery.demand import Demand
from bot.delivery.looking import Census
from bot.delivery.posting import Posting
from bot.delivery.recording import Recorder
from bot.delivery.runner import Runner
from bot.delivery.showing import Showing
from bot.kube.client import utc_now
from bot.lease import Clock
from bot.model import Inventory
from bot.slack.door import Slack
from bot.store import Store
from config.settings import Settings

_ID_BYTES = 8


class Digests:
    """`demand` answers who asks; the schedules are told between `start` and `stop`, and `showing` edits what was told.

    Without a store there is neither: nothing was ever seen, and nothing is told by schedule.
    """

    def __init__(self, demand: Demand, runner: Runner | None = None, showing: Showing | None = None) -> None:
        self.demand = demand
        self.showing = showing
        self._runner = runner

    def start(self) -> None:
        if self._runner is not None:
            self._runner.start()

    async def stop(self, seconds: float = 0.0) -> None:
        """What is being posted is posted, for at most so long; the rest is left to another replica."""
        if self._runner is not None:
            await self._runner.stop(seconds)


def make_digests(
    settings: Settings,
    store: Store | None,
    clusters: Clusters,
    slack: Slack,
    *,
    worker: str,
    checkpoint: Callable[[str], None],
) -> Digests:
    """`worker` names this process. `checkpoint` is called with each of `bot.delivery.runner.CHECKPOINTS`."""
    clock = Clock(now=utc_now, monotonic=time.monotonic, sleep=asyncio.sleep)
    read = _census(settings, clusters)
    demand = Demand(read, settings.digests, store=store, clock=clock, new_id=_new_id)
    if store is None:
        return Digests(demand)
    acts = bool(settings.policy)
    runner = Runner(
        store,
        settings.digests,
        census=read,
        recorder=Recorder(store, clock, new_id=_new_id),
        posting=Posting(store, slack, partial(messages, acts=acts), clock, checkpoint),
        clock=clock,
        worker=worker,
        clusters=lambda: clusters.names,
        checkpoint=checkpoint,
    )
    showing = Showing(store, slack, partial(messages, acts=acts), partial(page_of, acts=acts), clock)
    return Digests(demand, runner, showing)


def _new_id() -> str:
    return secrets.token_hex(_ID_BYTES)


def _census(settings: Settings, clusters: Clusters) -> Census:
    async def read(
        cluster: str,
        *,
        namespaces: tuple[str, ...],
        window: timedelta,
        progress: Callable[[Progress], None] | None = None,
    ) -> Inventory:
        return await census(
            await clusters.reached(cluster),
            namespaces=namespaces,
            window=window,
            scan_secrets=settings.checks.read_secret_data,
            now=utc_now,
            monotonic=time.monotonic,
            progress=progress,
        )

    return read
