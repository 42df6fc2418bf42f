"""A small world for executions: people, objects, a clock that stands still, and a cluster that fails as it is told."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import cast

from bot.actions.action import Action, Parameters, PlanChangedError, Progress, fingerprint, unchanged
from bot.actions.approvals import Approvals
from bot.actions.execution import Execution
from bot.actions.executor import Executor
from bot.actions.policy import Matter, Standing
from bot.diagnosis.aftermath import Aftermath
from bot.errors import ClusterUnreachableError
from bot.kube.client import Cluster
from bot.lease import Clock
from bot.model import ActionKind, ObjectRef, Person, Plan, Request, Risk, Rule
from bot.store import Store
from config.policy import Rule as PolicyRule

START = datetime(2026, 3, 29, 9, 0, tzinfo=UTC)
ERIN, AVERY, SAM = Person(id="U0ERIN000"), Person(id="U0AVERY00"), Person(id="U0SAM0000")
ON_CALL, APPROVERS = "S0ONCALL0", "S0APPROV0"
CHANNEL, APPROVALS = "C0INCIDENT", "C0APPROVALS"
RULE = PolicyRule(
    actions=("restart-workload",),
    namespaces=("shop",),
    requesters=(ON_CALL,),
    approvers=(APPROVERS,),
    approval_channel=APPROVALS,
    ttl_minutes=30,
)


WHO: ContextVar[str] = ContextVar("WHO", default="")
"""The worker in whose name something is done."""

_STUCK_SECONDS = 60.0


class Crash(BaseException):
    """The process is gone: nobody catches this, and nothing is tidied up."""


class Time:
    """`advance` moves both clocks; `wall` alone is set by hand, as an administrator or NTP would."""

    def __init__(self) -> None:
        self.wall = START
        self.seconds = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        until: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.seconds + seconds, until))
        await until

    def advance(self, seconds: float) -> None:
        self.seconds += seconds
        self.wall += timedelta(seconds=seconds)
        due = [until for at, until in self._sleepers if at <= self.seconds]
        self._sleepers = [sleeper for sleeper in self._sleepers if sleeper[0] > self.seconds]
        for until in due:
            if not until.done():
                until.set_result(None)


@dataclass
class Thing:
    """An object of the API server. `version` makes every write conditional, as resourceVersion does."""

    uid: str
    template: str = "v1"
    version: int = 1
    carries: str = ""


@dataclass
class World:
    """`effects` counts the writes that took place, by request; `meanwhile` is what happens during a step, once."""

    time: Time = field(default_factory=Time)
    things: dict[str, Thing] = field(default_factory=dict)
    groups: dict[str, set[str]] = field(default_factory=lambda: {ON_CALL: {ERIN.id}, APPROVERS: {AVERY.id, SAM.id}})
    effects: Counter[str] = field(default_factory=Counter)
    down: bool = False
    slack_down: bool = False
    answers_get_lost: bool = False
    answers_come_late: bool = False
    stalls: bool = False
    rollout_fails: bool = False
    proven_after: int = 1
    progress: str = "2 pods are ready."
    stalled: list[tuple[str, asyncio.Future[None]]] = field(default_factory=list)
    late: list[tuple[str, str, int]] = field(default_factory=list)
    uids: "count[int]" = field(default_factory=lambda: count(1))
    ids: "count[int]" = field(default_factory=lambda: count(1))
    applies: list[str] = field(default_factory=list)
    meanwhile: dict[str, Callable[[], Awaitable[None]]] = field(default_factory=dict)
    applying: Callable[[str], None] = lambda _: None

    def thing(self, name: str) -> Thing:
        if name not in self.things:
            self.replace(name)
        return self.things[name]

    def replace(self, name: str) -> None:
        self.things[name] = Thing(f"uid-{next(self.uids)}")

    def edit(self, name: str) -> None:
        thing = self.thing(name)
        thing.template, thing.version = f"v{thing.version + 1}", thing.version + 1

    def write(self, request: str, name: str, version: int) -> bool:
        thing = self.thing(name)
        if thing.version != version:
            return False
        thing.version, thing.carries = version + 1, request
        self.effects[request] += 1
        return True

    async def happens(self, step: str) -> None:
        if step in self.meanwhile:
            await self.meanwhile.pop(step)()

    def deliver_late(self) -> None:
        late, self.late = self.late, []
        for request, name, version in late:
            self.write(request, name, version)

    def reach(self) -> None:
        if self.down:
            raise ClusterUnreachableError("The API server is away.")

    async def standing(self, person: Person, matter: Matter, needs: Sequence[Rule]) -> Standing:
        assert matter.namespace == "shop"
        assert needs
        await self.happens("standing")
        if self.slack_down:
            return Standing(person=person, refusal="Slack is away.", passing=True)
        theirs = frozenset(group for group, members in self.groups.items() if person.id in members)
        return Standing(person=person, groups=theirs)

    def approvals(self, store: Store, rules: Sequence[PolicyRule] = (RULE,)) -> Approvals:
        return Approvals(
            store,
            rules,
            {ActionKind.RESTART_WORKLOAD: self.action()},
            standing=self.standing,
            now=self.time.now,
            new_id=lambda: f"r{next(self.ids)}",
            changed=lambda: None,
        )

    def plan(self, name: str) -> Plan:
        """Refreshing its parameters is no part of it: a plan is what the object was like when it was made."""
        thing = self.thing(name)
        ref = ObjectRef(
            cluster="prod", api_version="apps/v1", kind="Deployment", namespace="shop", name=name, uid=thing.uid
        )
        return Plan(
            kind=ActionKind.RESTART_WORKLOAD,
            ref=ref,
            summary=f"Restart {name}",
            difference=(f"+ {thing.template}",),
            fingerprint=fingerprint(ActionKind.RESTART_WORKLOAD, thing.uid, thing.template),
            risk=Risk.LOW,
        )

    def action(self) -> Action:
        return Action(
            kind=ActionKind.RESTART_WORKLOAD,
            title="Restart",
            of=frozenset({"Deployment"}),
            risk=Risk.LOW,
            patience=timedelta(minutes=10),
            plan=self._plan,
            apply=self._apply,
            is_done=self._is_done,
            follow=self._follow,
            needs=lambda plan: (
                Rule(verb="patch", resource="deployments", group="apps", namespace=plan.ref.namespace),
            ),
        )

    async def _plan(self, _: Cluster, ref: ObjectRef, __: Parameters) -> Plan:
        self.reach()
        await self.happens("plan")
        if self.thing(ref.name).uid != ref.uid:
            raise PlanChangedError("It is another object by now.")
        return self.plan(ref.name)

    async def _apply(self, _: Cluster, plan: Plan, request: str) -> None:
        """Looks and writes that very version, as every real action does."""
        self.applies.append(request)
        self.applying(request)
        self.reach()
        thing = self.thing(plan.ref.name)
        if thing.carries == request:
            return
        unchanged(plan, self.plan(plan.ref.name))
        version = thing.version
        if self.stalls:
            self.stalls = False
            gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.stalled.append((WHO.get(), gate))
            await gate
        if self.answers_come_late:
            self.answers_come_late = False
            self.late.append((request, plan.ref.name, version))
            raise ClusterUnreachableError("No answer in time.")
        if not self.write(request, plan.ref.name, version):
            raise PlanChangedError("It was changed meanwhile.")
        if self.answers_get_lost:
            self.answers_get_lost = False
            raise ClusterUnreachableError("The connection broke off.")

    async def _is_done(self, _: Cluster, plan: Plan, request: str) -> bool:
        self.reach()
        thing = self.thing(plan.ref.name)
        return (thing.uid, thing.carries) == (plan.ref.uid, request)

    async def _follow(self, _: Cluster, __: Plan, ___: str, until: datetime) -> AsyncIterator[Progress]:
        assert until > self.time.now()
        yield Progress(text="0 of 2 pods are ready.")
        yield Progress(text=self.progress, ended=True, failed="They crash." if self.rollout_fails else "")

    async def look(self, request: Request) -> Aftermath:
        assert request.applied_at is not None
        await self.happens("look")
        if request.looks + 1 >= self.proven_after:
            return Aftermath(proven=True, text="The 401s have stopped.")
        return Aftermath(proven=False, text="No new evidence yet.")


class Worker:
    """One replica: an executor that is killed where it is told to be, and what it is doing."""

    def __init__(self, world: World, store: Store, approvals: Approvals, name: str) -> None:
        self.dies_at = ""
        self.passed: list[str] = []
        self.task: asyncio.Task[bool] | None = None
        self._world = world
        self._name = name
        self._asleep = 0
        clock = Clock(now=world.time.now, monotonic=world.time.monotonic, sleep=self._sleep)

        async def cluster(_: str) -> Cluster:
            world.reach()
            return cast("Cluster", None)  # the world's action asks none

        execution = Execution(
            {ActionKind.RESTART_WORKLOAD: world.action()},
            clock,
            cluster=cluster,
            may_run=approvals.may_run,
            look=world.look,
            checkpoint=self._checkpoint,
            look_every=timedelta(minutes=5),
        )
        self.executor = Executor(store, execution, clock, worker=name, show=approvals.show, checkpoint=self._checkpoint)

    def start(self) -> None:
        """Takes up one request, if it is not at one already."""
        if self.task is None or self.task.done():
            WHO.set(self._name)
            self.task = asyncio.ensure_future(self.executor.once())

    async def settled(self) -> None:
        """Returns when it has ended, or waits for the time or for an answer."""
        for _ in range(5):  # whom the time has just woken is up after that
            await asyncio.sleep(0)
        async with asyncio.timeout(_STUCK_SECONDS):
            while self.task and not self.task.done() and not self._waits():  # noqa: ASYNC110  # several tasks and threads
                await asyncio.sleep(0.0005)
        if self.task and self.task.done():
            task, self.task = self.task, None
            error = task.exception()
            if error is not None and not isinstance(error, Crash):
                raise error

    def busy(self) -> bool:
        return self.task is not None

    async def killed(self) -> None:
        """Gone in the middle of whatever it waited for."""
        if self.task is not None:
            task, self.task = self.task, None
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _waits(self) -> bool:
        """Heartbeats sleep; the work sleeps, too, or has stalled."""
        return self._asleep + sum(who == self._name and not gate.done() for who, gate in self._world.stalled) > 1

    def _checkpoint(self, name: str) -> None:
        self.passed.append(name)
        if name == self.dies_at:
            self.dies_at = ""
            raise Crash

    async def _sleep(self, seconds: float) -> None:
        self._asleep += 1
        try:
            await self._world.time.sleep(seconds)
        finally:
            self._asleep -= 1
