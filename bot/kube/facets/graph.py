"""Facets and the order they are read in: each starts as soon as those it needs are there."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from msgspec.structs import replace

from bot.errors import DoctorError
from bot.kube.client import Cluster
from bot.kube.connection import Connection
from bot.kube.gaps import UnreadableError, follows, gap_of, late
from bot.model import NOT_READ, Facet, Gap, GapKind, ObjectRef, Routes
from bot.tokens import RawToken

T = TypeVar("T")

POD = frozenset({"Pod"})
WORKLOADS = frozenset(
    {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob"}
)
SERVICE_ACCOUNT = frozenset({"ServiceAccount"})
SECRET = frozenset({"Secret"})
NAMESPACE = frozenset({"Namespace"})
RUNNING = POD | WORKLOADS
"""Targets with containers: a workload without any pod is judged by its pod template."""
EVERYTHING = RUNNING | SERVICE_ACCOUNT | SECRET | NAMESPACE


@dataclass(frozen=True, kw_only=True)
class Switch:
    """A route that is off until somebody switches it on: its flag, its setting, and what it would add."""

    is_on: Callable[[Routes], bool]
    flag: str
    setting: str
    adds: str

    def gap(self, facet: str) -> Gap:
        return Gap(
            facet=facet,
            kind=GapKind.SWITCHED_OFF,
            reason=f"switched off; it would add {self.adds}",
            mend=f"switch it on with `{self.flag}` or `{self.setting}: true`",
        )


@dataclass(frozen=True, kw_only=True)
class FoundToken:
    """A token in a container's environment, taken out of the pod when it was decoded."""

    raw: RawToken
    container: str
    variable: str


@dataclass(kw_only=True)
class Asking:
    """One gathering: what was asked for, and what has been read so far."""

    cluster: Cluster
    ref: ObjectRef
    routes: Routes
    log_lines: int
    others: tuple[Cluster, ...]
    now: Callable[[], datetime]
    facets: dict[str, Facet[Any]] = field(default_factory=dict)
    environment_tokens: list[FoundToken] = field(default_factory=list)

    @property
    def api(self) -> Connection:
        return self.cluster.main

    def value(self, spec: "Spec[T]") -> T:
        """What a facet that was declared as a need holds."""
        return self.facet(spec).read()

    def facet(self, spec: "Spec[T]") -> Facet[T]:
        """A declared facet, read or not."""
        return self.facets.get(spec.name, NOT_READ)


Reading = Callable[[Asking], Awaitable[T]]


@dataclass(frozen=True, kw_only=True)
class Spec(Generic[T]):
    """A facet's declaration. It is not read without its `needs`; `uses` are waited for, read or not.

    `of` are the kinds of target that it is read for; a need that is not read for a kind is not waited for.
    One that is `shared` stands in no Snapshot: it is read for others, and its Gap becomes theirs.
    """

    name: str
    read: Reading[T]
    of: frozenset[str]
    needs: tuple["Spec[Any]", ...]
    uses: tuple["Spec[Any]", ...]
    seconds: float
    switch: Switch | None
    shared: bool


def facet(  # each has a default, and none goes with another
    *,
    of: frozenset[str] = RUNNING,
    needs: tuple[Spec[Any], ...] = (),
    uses: tuple[Spec[Any], ...] = (),
    seconds: float = 5,
    switch: Switch | None = None,
    shared: bool = False,
) -> Callable[[Reading[T]], Spec[T]]:
    """Declares the function as a facet with its name. `seconds` is its own deadline, from when its needs are there."""

    def declare(read: Reading[T]) -> Spec[T]:
        name: str = getattr(read, "__name__")  # noqa: B009  # a Callable is not known to have one
        return Spec(name=name, read=read, of=of, needs=needs, uses=uses, seconds=seconds, switch=switch, shared=shared)

    return declare


async def read_all(specs: Sequence[Spec[Any]], asking: Asking, deadline: float) -> None:
    """Reads every facet into `asking.facets`, all of them by `deadline` (the loop's time).

    Raises DoctorError where the bot's own credentials fail; cancelled, it leaves no task.
    """
    tasks: dict[str, asyncio.Task[None]] = {}
    try:
        async with asyncio.TaskGroup() as group:
            for spec in specs:
                tasks[spec.name] = group.create_task(_settle(spec, asking, tasks, deadline), name=spec.name)
    except ExceptionGroup as failed:
        refused = next((error for error in failed.exceptions if isinstance(error, DoctorError)), None)
        raise refused or failed from None


async def _settle(spec: Spec[Any], asking: Asking, tasks: Mapping[str, asyncio.Task[None]], deadline: float) -> None:
    if spec.switch is not None and not spec.switch.is_on(asking.routes):
        asking.facets[spec.name] = Facet(gap=spec.switch.gap(spec.name))
        return
    needs = [need for need in spec.needs if need.name in tasks]
    waited_for = [tasks[need.name] for need in (*needs, *spec.uses) if need.name in tasks]
    if waited_for:
        # Not awaited one by one: cancelling this task must not cancel those that others wait for too.
        await asyncio.wait(waited_for)
    for need in needs:
        if (gap := asking.facet(need).gap) is not None:
            own = replace(gap, facet=spec.name) if need.shared else follows(spec.name, gap)
            asking.facets[spec.name] = Facet(gap=own)
            return
    asking.facets[spec.name] = await _read(spec, asking, deadline)


async def _read(spec: Spec[T], asking: Asking, deadline: float) -> Facet[T]:
    loop = asyncio.get_running_loop()
    started = loop.time()
    try:
        async with asyncio.timeout_at(min(started + spec.seconds, deadline)):
            return Facet(value=await spec.read(asking))
    except UnreadableError as error:
        return Facet(gap=gap_of(spec.name, error))
    except TimeoutError:
        return Facet(gap=late(spec.name, max(0.0, min(started + spec.seconds, deadline) - started)))
