"""A restart carried out on a real control plane whose API server goes away in the middle: it is done once, and told."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from bot.actions.approvals import Approvals, Ask
from bot.actions.catalog import ACTIONS
from bot.actions.execution import Execution
from bot.actions.executor import Executor
from bot.actions.policy import Matter, Ruling, Standing
from bot.diagnosis.aftermath import Aftermath
from bot.kube.client import Cluster, connect, utc_now
from bot.lease import Clock
from bot.model import ActionKind, Person, Request, Rule, State
from bot.objects import REQUEST
from bot.store import Store, open_store
from config.policy import Rule as PolicyRule
from tests.cluster.actions.acting import ref_of
from tests.cluster.actions.made import manifest
from tests.cluster.api import JsonObject
from tests.cluster.plane import MakePlane, Plane
from tests.cluster.workloads import path_of

ERIN, AVERY = Person(id="U0ERIN000"), Person(id="U0AVERY00")
RULES = (
    PolicyRule(actions=("restart-workload",), namespaces=("*",), requesters=("U0ERIN000",), approvers=("U0AVERY00",)),
)
Gone = Callable[[], Awaitable[None]]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(f"sqlite+aiosqlite:///{tmp_path}/doctor.db")
    yield opened
    await opened.close()


@dataclass
class Bench:
    """An executor on a cluster. `before` is awaited just before the effect, `after` once it is noted."""

    store: Store
    cluster: Cluster
    before: Gone | None = None
    after: Gone | None = None
    left: asyncio.Task[None] | None = None

    async def standing(self, person: Person, _: Matter, needs: Sequence[Rule]) -> Standing:
        assert needs
        return Standing(person=person)

    def approvals(self) -> Approvals:
        return Approvals(
            self.store, RULES, ACTIONS, standing=self.standing, now=utc_now, new_id=lambda: "r1", changed=lambda: None
        )

    async def approved(self, found: JsonObject) -> None:
        plan = await ACTIONS[ActionKind.RESTART_WORKLOAD].plan(self.cluster, ref_of(found), {})
        ask = Ask(plan=plan, requester=ERIN, reason="401s", channel="C0INCIDENT", cause="token-expired")
        request = (await self.approvals().propose(ask)).request
        assert request is not None
        assert (await self.approvals().decide(request.id, AVERY, approves=True)).counted

    async def carried_out(self) -> Request:
        clock = Clock(now=utc_now, monotonic=time.monotonic, sleep=asyncio.sleep)
        approvals = self.approvals()

        async def reached(_: str) -> Cluster:
            return self.cluster

        async def look(_: Request) -> Aftermath:
            return Aftermath(proven=True, text="The 401s have stopped.")

        async def may_run(request: Request) -> Ruling:
            ruling = await approvals.may_run(request)
            if self.before is not None:
                gone, self.before = self.before, None
                await gone()
            return ruling

        def checkpoint(name: str) -> None:
            if name == "noted" and self.after is not None:
                self.left = asyncio.ensure_future(self.after())

        execution = Execution(
            ACTIONS,
            clock,
            cluster=reached,
            may_run=may_run,
            look=look,
            checkpoint=checkpoint,
            look_every=timedelta(minutes=5),
        )
        executor = Executor(self.store, execution, clock, worker="w1", show=approvals.show, checkpoint=checkpoint)
        async with asyncio.timeout(120):
            assert await executor.once()
        found = await self.store.requests.get("r1")
        assert found is not None
        return found


@pytest.mark.parametrize("when", ["before the effect", "in the middle of the rollout"])
async def test_an_api_server_that_restarts_delays_the_restart_and_does_not_double_it(
    when: str, private_plane: MakePlane, store: Store
) -> None:
    plane = await private_plane()
    namespace = await plane.create_namespace()
    found = await plane.workloads.run(manifest(namespace))
    cluster = await connect("test", kubeconfig=plane.kubeconfig)
    bench = Bench(store, cluster)
    back: list[asyncio.Task[None]] = []

    async def gone() -> None:
        await plane.stop("kube-apiserver")
        back.append(asyncio.ensure_future(returns(plane)))

    if when == "before the effect":
        bench.before = gone
    else:
        bench.after = gone
    await bench.approved(found)
    ended = await bench.carried_out()
    await asyncio.gather(*back, *([bench.left] if bench.left else []))
    assert (ended.state, ended.outcome) == (State.SUCCEEDED, "2 of 2 new pods are ready. The 401s have stopped.")
    live = await plane.api.get(path_of(found))
    assert live["spec"]["template"]["metadata"]["annotations"][REQUEST] == "r1"
    assert live["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"
    await cluster.close()


async def returns(plane: Plane) -> None:
    await asyncio.sleep(3)
    await plane.start("kube-apiserver")
