"""What the containers and the API server wrote."""

from datetime import UTC, datetime

from msgspec.structs import replace

from bot import objects
from bot.kube import read
from bot.kube.facets.graph import EVERYTHING, Asking, facet
from bot.kube.facets.pod import pod
from bot.kube.gaps import RefusedError, UnavailableError, UnobservableError
from bot.kube.permissions import CONTROL_PLANE, GET_LOG, LIST_PODS
from bot.kube.together import all_of
from bot.model import ContainerLog, LogLine
from bot.redact import redact

_MOST_BYTES = 1024 * 1024
_LONGEST_LINE = 2000
_MOST_SERVED = 32 * 1024 * 1024
_MOST_API_SERVERS = 20
# The kubelet says this in the body of a 200 when the file is gone.
_LOST = "unable to retrieve container logs for "


@facet(needs=(pod,), seconds=8)
async def logs(asking: Asking) -> tuple[ContainerLog, ...]:
    """The newest lines of each container's present run and of the one before; none of a run that never was."""
    found = asking.value(pod)
    runs = [
        (status.name, previous)
        for status in (*found.status.init_container_statuses, *found.status.container_statuses)
        for previous in (False, True)
        if _ran(status, previous=previous)
    ]
    read_logs = await all_of(_log(asking, container=container, previous=previous) for container, previous in runs)
    return tuple(log for log in read_logs if log is not None)


@facet(of=EVERYTHING, seconds=8)
async def api_server_logs(asking: Asking) -> tuple[ContainerLog, ...]:
    """The lines of `authentication.go`, the only ones that say why a token was refused; they name no client."""
    pods = await read.get_some(
        asking.api,
        LIST_PODS,
        objects.Named,
        namespace=CONTROL_PLANE,
        query={"labelSelector": "component=kube-apiserver"},
        accept=read.METADATA_LIST,
        most=_MOST_API_SERVERS,
    )
    if not pods:
        raise UnobservableError(
            "the API server's log is not visible: its pods are not in kube-system (a managed control plane)"
        )
    return await all_of(_api_server_log(asking, pod.metadata.name) for pod in pods)


async def _api_server_log(asking: Asking, name: str) -> ContainerLog:
    try:
        text, cut = await read.tail(
            asking.api, GET_LOG, namespace=CONTROL_PLANE, name=name, query=_query(asking.log_lines), most=_MOST_BYTES
        )
    except RefusedError as error:
        raise UnavailableError(f"the log of {CONTROL_PLANE}/{name}: {error}") from None
    lines = text.split(b"\n")
    told = b"\n".join(line for line in lines if b"authentication.go" in line)
    log = _split(told, cut=cut or len(lines) > asking.log_lines, container="kube-apiserver", previous=False)
    return replace(log, pod=name)


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
