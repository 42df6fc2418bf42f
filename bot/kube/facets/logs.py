"""What the containers, the API server and the controller manager wrote."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from msgspec.structs import replace

from bot import objects
from bot.kube import read
from bot.kube.facets.components import API_SERVER, control_plane_pods
from bot.kube.facets.graph import EVERYTHING, Asking, facet
from bot.kube.facets.pod import pod
from bot.kube.gaps import (
    ASK_AGAIN,
    RefusedError,
    SlowError,
    UnavailableError,
    UnobservableError,
    UnreadableError,
    gap_of,
)
from bot.kube.permissions import CONTROL_PLANE, GET_LOG
from bot.kube.together import all_of
from bot.model import ContainerLog, LogLine
from bot.redact import redact

_MOST_BYTES = 1024 * 1024
_LONGEST_LINE = 2000
_MOST_SERVED = 32 * 1024 * 1024
_SECONDS = 8
_MARGIN_SECONDS = 0.2
"""A log that hangs is given up this much before the facet is, so that the others are kept."""
# The kubelet says this in the body of a 200 when the file is gone.
_LOST = "unable to retrieve container logs for "
_AUTHENTICATION = re.compile(
    rb"authentication\.go|oidc\.go\S* oidc authenticator: |Failed to make webhook authenticator request"
)

T = TypeVar("T")
Work = Callable[[], Awaitable[T]]


@facet(needs=(pod,), seconds=_SECONDS)
async def logs(asking: Asking) -> tuple[ContainerLog, ...]:
    """The newest lines of each container's present run and of the one before; none of a run that never was."""
    found = asking.value(pod)
    runs = [
        (status.name, previous)
        for status in (*found.status.init_container_statuses, *found.status.container_statuses)
        for previous in (False, True)
        if _ran(status, previous=previous)
    ]
    works = {
        f"container {container}{', the run before' if previous else ''}": partial(
            _log, asking, container=container, previous=previous
        )
        for container, previous in runs
    }
    return tuple(log for log in await each_log(asking, "logs", works) if log is not None)


@facet(of=EVERYTHING, needs=(control_plane_pods,), seconds=_SECONDS)
async def api_server_logs(asking: Asking) -> tuple[ContainerLog, ...]:
    """The lines of `authentication.go`, the only ones that say why a token was refused; they name no client."""
    pods = [each.pod for each in asking.value(control_plane_pods) if each.component == API_SERVER]
    if not pods:
        raise UnobservableError(
            "the API server's log is not visible: its pods are not in kube-system (a managed control plane)"
        )
    works = {f"{CONTROL_PLANE}/{name}": partial(_api_server_log, asking, name) for name in pods}
    return await each_log(asking, "api_server_logs", works)


async def _api_server_log(asking: Asking, name: str) -> ContainerLog:
    return await component_log(asking, name, API_SERVER, lines=asking.log_lines, telling=_AUTHENTICATION)


async def component_log(
    asking: Asking, pod: str, container: str, *, lines: int, telling: re.Pattern[bytes]
) -> ContainerLog:
    """Of a control plane pod's newest lines, those that match. Raises UnreadableError."""
    try:
        text, cut = await read.tail(
            asking.api, GET_LOG, namespace=CONTROL_PLANE, name=pod, query=_query(lines), most=_MOST_BYTES
        )
    except RefusedError as error:
        raise UnavailableError(str(error)) from None
    whole = text.split(b"\n")
    told = b"\n".join(line for line in whole if telling.search(line))
    log = _split(told, cut=cut or len(whole) > lines, container=container, previous=False)
    return replace(log, pod=pod)


async def each_log(asking: Asking, facet_name: str, works: Mapping[str, Work[T]]) -> tuple[T, ...]:
    """The logs that could be read; that others were not is said as what the facet is missing.

    One dead node must not hide what the others wrote. Raises the first failure where not one could be read.
    """
    ends = min(asyncio.get_running_loop().time() + _SECONDS, asking.ends) - _MARGIN_SECONDS
    outcomes = await all_of(_outcome(work, ends) for work in works.values())
    failed = [(of, error) for of, error in zip(works, outcomes, strict=True) if isinstance(error, UnreadableError)]
    found = tuple(log for log in outcomes if not isinstance(log, UnreadableError))
    if not failed:
        return found
    of, error = failed[0]
    if all(log is None for log in found):
        raise error
    more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
    asking.missing[facet_name] = replace(
        gap_of(facet_name, error), reason=f"the log of {of}{more} was not read: {error}"
    )
    return found


async def _outcome(work: Work[T], ends: float) -> T | UnreadableError:
    try:
        async with asyncio.timeout_at(ends):
            return await work()
    except UnreadableError as error:
        return error
    except TimeoutError:
        return SlowError("no answer in time", mend=ASK_AGAIN)


async def _log(asking: Asking, *, container: str, previous: bool) -> ContainerLog | None:
    query = {**_query(asking.log_lines), "container": container}
    if previous:
        query["previous"] = "true"
    try:
        text, cut = await read.tail(
            asking.api, GET_LOG, namespace=asking.ref.namespace, name=asking.ref.name, query=query, most=_MOST_BYTES
        )
    except RefusedError:
        # 400: the container has not started, or its previous run is no longer kept.
        return None
    if text.startswith(_LOST.encode()):
        if previous:
            return None
        raise UnavailableError(f"the kubelet no longer has the log of container {container}")
    # As many lines as were asked for: there are older ones, as far as anybody can tell.
    cut = cut or text.count(b"\n") >= asking.log_lines
    return _split(text, cut=cut, container=container, previous=previous)


def _ran(status: objects.ContainerStatus, *, previous: bool) -> bool:
    if previous:
        return status.restart_count > 0
    return status.restart_count > 0 or status.state.running is not None or status.state.terminated is not None


def _query(lines: int) -> dict[str, str]:
    return {"timestamps": "true", "tailLines": str(lines), "limitBytes": str(_MOST_SERVED)}


def _split(text: bytes, *, cut: bool, container: str, previous: bool) -> ContainerLog:
    """Redacted first, as a whole: a private key spans lines."""
    whole = redact(text.decode("utf-8", "replace")).removesuffix("\n")
    lines = whole.split("\n") if whole else []
    return ContainerLog(
        container=container, previous=previous, lines=tuple(_line(line) for line in lines), truncated=cut
    )


def _line(text: str) -> LogLine:
    text = text.removesuffix("\r")
    stamp, _, rest = text.partition(" ")
    at = _time(stamp)
    if at is None:
        return LogLine(text=text[:_LONGEST_LINE])
    return LogLine(text=rest[:_LONGEST_LINE], at=at)


def _time(stamp: str) -> datetime | None:
    """The kubelet writes RFC 3339 with nanoseconds."""
    try:
        at = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo else None
