"""Everything behind a remedy, put together: who may have it done, and what does it. Only where there is a policy."""

import asyncio
import secrets
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import structlog

from bot.actions import afterwards
from bot.actions.approvals import Approvals
from bot.actions.catalog import ACTIONS
from bot.actions.execution import Execution
from bot.actions.executor import Executor
from bot.actions.identity import Standings
from bot.announce import Announcer
from bot.clusters import Clusters
from bot.diagnosis.aftermath import Aftermath
from bot.examine import look_back
from bot.jobs import Jobs
from bot.kube.client import utc_now
from bot.lease import Clock
from bot.model import Request, Routes
from bot.slack.door import Slack, User
from bot.slack.remembered import Remembered
from bot.store import Store
from config.settings import Checks, Settings

log = structlog.get_logger(__name__)

_FINISH_SECONDS = 20.0
_SHOW_SECONDS = 5.0
_BEYOND_PROOF = 1.2  # a log's last line is never of this moment: at the first look it should be proof already
STOP_SECONDS = _FINISH_SECONDS + _SHOW_SECONDS


class Remedy:
    """`approvals` and `store` are what the handlers ask; the rest works by itself between `start` and `stop`."""

    def __init__(
        self, store: Store, approvals: Approvals, executor: Executor, announcer: Announcer, jobs: Jobs
    ) -> None:
        self.store = store
        self.approvals = approvals
        self._executor = executor
        self._announcer = announcer
        self._jobs = jobs
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._jobs.start()
        self._tasks = [asyncio.create_task(self._executor.run()), asyncio.create_task(self._announcer.run())]

    async def stop(self) -> None:
        """What is underway ends, or is left to another replica; what is to be shown is shown."""
        await self._jobs.stop()
        await self._executor.stop(_FINISH_SECONDS)
        self._announcer.stop()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_SHOW_SECONDS)

    async def close(self) -> None:
        """Ends what was not stopped."""
        await self._jobs.stop()
        for task in self._tasks:
            task.cancel()
        for outcome in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                log.error("what carries out or announces had broken off", exc_info=outcome)


def make_remedy(
    settings: Settings,
    store: Store,
    clusters: Clusters,
    slack: Slack,
    *,
    user: Remembered[User | None],
    worker: str,
    team_id: str,
    routes: Routes,
    checkpoint: Callable[[str], None],
) -> Remedy:
    """`worker` names this process. `checkpoint` is called with each of `bot.actions.executor.CHECKPOINTS`."""

    async def approvers(request: Request) -> tuple[str, ...] | None:
        return await approvals.approvers(request)

    announcer = Announcer(store, slack, worker=worker, now=utc_now, approvers=approvers)
    standings = Standings(
        settings.policy,
        settings.identity,
        team_id,
        user=user,
        members=Remembered(slack.members, time.monotonic),
        cluster=clusters.reached,
    )

    def changed() -> None:
        announcer.wake()
        executor.wake()

    clock = Clock(now=utc_now, monotonic=time.monotonic, sleep=asyncio.sleep)
    approvals = Approvals(
        store,
        settings.policy,
        ACTIONS,
        standing=standings.of,
        now=utc_now,
        new_id=lambda: secrets.token_hex(5),
        changed=changed,
    )
    execution = Execution(
        ACTIONS,
        clock,
        cluster=clusters.reached,
        may_run=approvals.may_run,
        look=partial(_looked_back, clusters, settings.checks, routes),
        checkpoint=checkpoint,
        look_every=_BEYOND_PROOF * timedelta(seconds=settings.checks.proof_seconds),
    )
    executor = Executor(store, execution, clock, worker=worker, show=approvals.show, checkpoint=checkpoint)
    return Remedy(store, approvals, executor, announcer, Jobs(approvals))


async def _looked_back(clusters: Clusters, checks: Checks, routes: Routes, request: Request) -> Aftermath:
    """Whether what was carried out has helped. Raises as `look_back` does."""
    target = afterwards.target(request.plan)
    if target is None:
        raise ValueError(f"Nothing shows whether {request.plan.kind} helped.")
    return await look_back(
        clusters.connected,
        target,
        since=request.applied_at or request.changed_at,
        cause=request.cause,
        proof=timedelta(seconds=checks.proof_seconds),
        routes=routes,
        now=utc_now,
        deadline_seconds=checks.deadline_seconds,
        log_lines=checks.log_lines,
    )
