"""The controller manager: its pods where they are visible, the signs of its work, and a probe of it."""

import asyncio
import re
from datetime import datetime
from functools import partial

from msgspec.structs import replace

from bot import objects
from bot.errors import NotATokenError
from bot.kube import read
from bot.kube.facets.components import CONTROLLER_MANAGER, Component, control_plane_pods
from bot.kube.facets.graph import EVERYTHING, Asking, Switch, facet
from bot.kube.facets.logs import component_log, each_log
from bot.kube.gaps import (
    AbsentError,
    SlowError,
    UnavailableError,
    UnobservableError,
    UnreadableError,
    gap_of,
    shortened,
)
from bot.kube.permissions import CONTROL_PLANE, GET_LEASE, GET_ROOT_CA, GET_SERVICE_ACCOUNT, Operation
from bot.kube.review import review
from bot.kube.throwaway import LABEL, sweep, throwaway
from bot.kube.together import both
from bot.messages import MESSAGES, Origin
from bot.model import (
    ContainerLog,
    ControllerManager,
    ControllerProbe,
    LeaderLease,
    NamespaceDefaults,
    SeenToken,
    TokenSource,
)
from bot.objects import KubeStruct
from bot.tokens import RawToken, inspect

_LINES = 500
_KEPT_LINES = 40
_WANTED_FLAGS = ("controllers", "leader-elect", "root-ca-file", "service-account-private-key-file")
_TELLING = re.compile(
    "|".join(entry.pattern for entry in MESSAGES if entry.origin is Origin.CONTROLLER_MANAGER).encode()
)
_PROBE_SECONDS = 30
_AFTERWARDS_SECONDS = 2.5
"""What is kept of the deadline for reviewing the token and removing the objects."""
_LEAST_SECONDS = 1

PROBE = Switch(
    is_on=lambda routes: bool(routes.controller_probe),
    flag="--controller-probe NAMESPACE",
    setting="checks.controller_probe",
    value="NAMESPACE",
    adds="whether a throw-away token Secret is filled, and whether every API server accepts its token",
)


@facet(of=EVERYTHING, needs=(control_plane_pods,), seconds=8)
async def controllers(asking: Asking) -> tuple[ControllerManager, ...]:
    """The controller manager's pods; none where the API server's pods are visible and it has none beside them."""
    pods = asking.value(control_plane_pods)
    if not pods:
        raise UnobservableError(
            "the controller manager is not visible: its pods are not in kube-system (a managed control plane)"
        )
    managers = [each for each in pods if each.component == CONTROLLER_MANAGER]
    works = {f"{CONTROL_PLANE}/{each.pod}": partial(_log, asking, each.pod) for each in managers}
    try:
        lines = {log.pod: log.lines for log in await each_log(asking, "controllers", works)}
    except UnreadableError as error:
        # Its state and its flags say enough to be worth having.
        asking.missing["controllers"] = gap_of("controllers", error)
        lines = {}
    return tuple(replace(_manager(each), lines=lines.get(each.pod, ())[-_KEPT_LINES:]) for each in managers)


@facet(of=EVERYTHING)
async def leader(asking: Asking) -> LeaderLease | None:
    """The Lease of the controller manager that is at work; None where none ever led, or it runs without election."""
    try:
        lease = await read.get(asking.api, GET_LEASE, _Lease, namespace=CONTROL_PLANE, name=CONTROLLER_MANAGER)
    except AbsentError:
        return None
    # Any manager's last write: one that is newer than the renewal can only make it look fresher than it is.
    return LeaderLease(
        holder=shortened(lease.spec.holder_identity),
        written=max((each.time for each in lease.metadata.managed_fields if each.time), default=None),
        duration_seconds=lease.spec.lease_duration_seconds or 0,
    )


@facet(of=EVERYTHING)
async def namespace_defaults(asking: Asking) -> NamespaceDefaults:
    """What the controller manager puts into every namespace, asked of the target's."""
    account, root_ca = await both(
        _is_there(asking, GET_SERVICE_ACCOUNT, "default"), _is_there(asking, GET_ROOT_CA, GET_ROOT_CA.name)
    )
    return NamespaceDefaults(default_account=account, root_ca=root_ca)


@facet(of=EVERYTHING, seconds=_PROBE_SECONDS + _AFTERWARDS_SECONDS, switch=PROBE)
async def controller_probe(asking: Asking) -> ControllerProbe:
    """Is a new token Secret filled, and is its token good? Both objects are gone when this returns."""
    loop = asyncio.get_running_loop()
    namespace = asking.routes.controller_probe
    await sweep(asking.api, namespace, asking.now())
    async with throwaway(asking.api, namespace) as made:
        started = loop.time()
        ends = min(started + _PROBE_SECONDS, asking.ends - _AFTERWARDS_SECONDS)
        if ends < started + _LEAST_SECONDS:
            raise SlowError("too little time is left to wait for the Secret", mend="raise `checks.deadline_seconds`")
        raw = await made.token(ends)
        took = loop.time() - started
        token = await _seen(asking, raw) if raw else None
    if made.left_over:
        asking.missing["controller_probe"] = gap_of(
            "controller_probe",
            UnavailableError(
                f"the throw-away objects {namespace}/{made.name} could not be removed: {made.left_over}",
                mend=f"remove them: kubectl -n {namespace} delete secret,serviceaccount -l {LABEL}",
            ),
        )
    return ControllerProbe(namespace=namespace, filled=raw is not None, seconds=round(took, 1), token=token)


async def _log(asking: Asking, pod: str) -> ContainerLog:
    lines = min(_LINES, asking.log_lines)
    return await component_log(asking, pod, CONTROLLER_MANAGER, lines=lines, telling=_TELLING)


def _manager(component: Component) -> ControllerManager:
    flags = component.flags
    return ControllerManager(
        pod=component.pod,
        node=component.node,
        trouble=_trouble(component),
        restarts=component.container.restart_count if component.container else 0,
        flags=None if flags is None else {name: flags[name] for name in _WANTED_FLAGS if name in flags},
    )


def _trouble(component: Component) -> str:
    """Why it does not run, "" where it does."""
    container = component.container
    if container is None:
        return "" if component.status.phase == "Running" else f"phase {component.status.phase or 'unknown'}"
    if container.state.waiting:
        return container.state.waiting.reason or "waiting"
    ended = container.state.terminated
    return f"ended with exit code {ended.exit_code} ({ended.reason or 'no reason given'})" if ended else ""


async def _is_there(asking: Asking, operation: Operation, name: str) -> bool:
    try:
        await read.metadata(asking.api, operation, objects.Named, namespace=asking.ref.namespace, name=name)
    except AbsentError:
        return False
    return True


async def _seen(asking: Asking, raw: RawToken) -> SeenToken:
    """The token, reviewed by every API server. That it was filled is known even where it may not be reviewed."""
    seen = SeenToken(source=TokenSource.SECRET, place="the throw-away token Secret")
    try:
        seen = replace(seen, claims=inspect(raw))
        return replace(seen, reviews=await review(asking.cluster, raw))
    except NotATokenError as error:
        return replace(seen, problem=str(error), malformed=True)
    except UnreadableError as error:
        asking.missing["controller_probe"] = gap_of("controller_probe", error)
        return seen


class _Manager(KubeStruct, frozen=True, kw_only=True):
    time: datetime | None = None


class _Meta(KubeStruct, frozen=True, kw_only=True):
    managed_fields: tuple[_Manager, ...] = ()


class _Spec(KubeStruct, frozen=True, kw_only=True):
    holder_identity: str = ""
    lease_duration_seconds: int | None = None


class _Lease(KubeStruct, frozen=True, kw_only=True):
    metadata: _Meta
    spec: _Spec = _Spec()
