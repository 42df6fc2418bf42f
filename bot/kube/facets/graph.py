"""Facets and the order they are read in: each starts as soon as those it needs are there."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from dataclasses import replace as copy
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
    """A route that is off until somebody switches it on: its flag, its setting, and what it would add.

    `value` is what the setting takes.
    """

    is_on: Callable[[Routes], bool]
    flag: str
    setting: str
    adds: str
    value: str = "true"

    def gap(self, facet: str) -> Gap:
        return Gap(
            facet=facet,
            kind=GapKind.SWITCHED_OFF,
            reason=f"switched off; it would add {self.adds}",
            mend=f"switch it on with `{self.flag}` or `{self.setting}: {self.value}`",
        )


@dataclass(frozen=True, kw_only=True)
class FoundToken:
    """A token in a container's environment, taken out of the pod when it was decoded."""

    raw: RawToken
    container: str
    variable: str


@dataclass(kw_only=True)
class Asking:
    """One gathering: what was asked for, and what has been read so far.

    `ends` is the loop's time by which all must be read. A facet that was read but for a part says in `missing`, under
    its name, why that part was not. What `common` holds was read for several gatherings at once, and is this one's too.
    """

    cluster: Cluster
    ref: ObjectRef
    routes: Routes
    log_lines: int
    others: tuple[Cluster, ...]
    now: Callable[[], datetime]
    ends: float = field(default=float("inf"))
    facets: dict[str, Facet[Any]] = field(default_factory=dict)
    missing: dict[str, Gap] = field(default_factory=dict)
    environment_tokens: list[FoundToken] = field(default_factory=list)
    common: "Asking | None" = None

    @property
    def api(self) -> Connection:
        return self.cluster.main

    def value(self, spec: "Spec[T]") -> T:
        """What a facet that was declared as a need holds."""
        return self.facet(spec).read()

    def facet(self, spec: "Spec[T]") -> Facet[T]:
        """A declared facet, read or not."""
        if spec.name not in self.facets and self.common is not None:
            return self.common.facet(spec)
        return self.facets.get(spec.name, NOT_READ)

    def about(self, ref: ObjectRef, common: "Asking") -> "Asking":
        """The same question about another object, of which nothing is read yet but what is common."""
        return copy(self, ref=ref, common=common, facets={}, missing={}, environment_tokens=[])


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


def depends_on(spec: Spec[Any], other: Spec[Any]) -> bool:
    """Whether the one waits for the other, or for one that does."""
    return spec is other or any(depends_on(need, other) for need in (*spec.needs, *spec.uses))


Tasks = Mapping[str, asyncio.Task[None]]


def begin(specs: Sequence[Spec[Any]], asking: Asking, group: asyncio.TaskGroup, begun: Tasks | None = None) -> Tasks:
    """Starts to read every facet into `asking.facets`, but for those that it holds already or that are `begun`."""
    tasks = dict(begun or {})
    for spec in specs:
        if spec.name not in tasks and spec.name not in asking.facets:
            tasks[spec.name] = group.create_task(_settle(spec, asking, tasks), name=spec.name)
    return tasks


async def read_all(specs: Sequence[Spec[Any]], asking: Asking, begun: Tasks | None = None) -> None:
    """Reads every facet into `asking.facets`, all of them by `asking.ends`. `begun` ones are waited for by need only.

    Raises DoctorError where the bot's own credentials fail; cancelled, it leaves no task.
    """
    async with one_error(), asyncio.TaskGroup() as group:
        begin(specs, asking, group, begun)


@asynccontextmanager
async def one_error() -> AsyncIterator[None]:
    """Raises the DoctorError of a group of errors, where there is one."""
    try:
        yield
    except ExceptionGroup as failed:
        refused = next((error for error in failed.exceptions if isinstance(error, DoctorError)), None)
        raise refused or failed from None


async def _settle(spec: Spec[Any], asking: Asking, tasks: Tasks) -> None:
    if spec.switch is not None and not spec.switch.is_on(asking.routes):
        asking.facets[spec.name] = Facet(gap=spec.switch.gap(spec.name))
        return
    needs = [need for need in spec.needs if need.name in tasks or asking.facet(need) is not NOT_READ]
    waited_for = [tasks[need.name] for need in (*spec.needs, *spec.uses) if need.name in tasks]
    if waited_for:
        # Not awaited one by one: cancelling this task must not cancel those that others wait for too.
        await asyncio.wait(waited_for)
    for need in needs:
        if (gap := asking.facet(need).gap) is not None:
            own = replace(gap, facet=spec.name) if need.shared else follows(spec.name, gap)
            asking.facets[spec.name] = Facet(gap=own)
            return
    asking.facets[spec.name] = await _read(spec, asking)


async def _read(spec: Spec[T], asking: Asking) -> Facet[T]:
    found = await attempt(spec.name, spec.read(asking), seconds=spec.seconds, ends=asking.ends)
    return found if found.gap else replace(found, missing=asking.missing.get(spec.name))


async def attempt(name: str, reading: Awaitable[T], *, seconds: float = 5, ends: float = float("inf")) -> Facet[T]:
    """What is read, or why it is not, as a facet of that name: within so many seconds, and by that time of the loop."""
    started = asyncio.get_running_loop().time()
    ends = min(started + seconds, ends)
    try:
        async with asyncio.timeout_at(ends):
            return Facet(value=await reading)
    except UnreadableError as error:
        return Facet(gap=gap_of(name, error))
    except TimeoutError:
        return Facet(gap=late(name, max(0.0, ends - started)))
