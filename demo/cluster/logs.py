"""What containers have written: the present run and the one before, as a kubelet serves it."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from demo.cluster import failures
from demo.cluster.objects import JsonObject, at_path, meta, moment_of, name_of, nano_stamp

MOST_LINES = 5000
Container: TypeAlias = tuple[str, str]
"""A pod's uid, and the container's name."""

_PULLING = {"ErrImagePull": "image can't be pulled", "ImagePullBackOff": "trying and failing to pull image"}


@dataclass(frozen=True, slots=True)
class Line:
    at: datetime
    text: str


def _lines() -> deque[Line]:
    return deque(maxlen=MOST_LINES)


@dataclass
class Logs:
    """By container; the oldest lines are forgotten, as a node rotates its files."""

    _present: dict[Container, deque[Line]] = field(default_factory=dict)
    _previous: dict[Container, deque[Line]] = field(default_factory=dict)

    def write(self, container: Container, at: datetime, text: str) -> None:
        lines = self._present.setdefault(container, _lines())
        lines.extend(Line(at, each) for each in text.split("\n"))

    def restart(self, container: Container) -> None:
        """The present run becomes the previous one."""
        self._previous[container] = self._present.pop(container, _lines())

    def lines(self, container: Container, *, previous: bool = False) -> Iterable[Line]:
        return (self._previous if previous else self._present).get(container, ())

    def clear(self, container: Container) -> None:
        self._present.pop(container, None)

    def rotate(self, container: Container, before: datetime) -> None:
        """Drops what is older."""
        lines = self._present.get(container, _lines())
        while lines and lines[0].at < before:
            lines.popleft()

    def forget(self, pod_uid: str) -> None:
        for kept in (self._present, self._previous):
            for container in [each for each in kept if each[0] == pod_uid]:
                del kept[container]


def answer(logs: Logs, pod: JsonObject, query: Mapping[str, str], now: datetime) -> bytes:
    """The text that such a query gets. Raises StatusError."""
    name = _container(pod, query.get("container", ""))
    options = _options(pod, query)
    previous = query.get("previous") in {"true", "1"}
    _check_readable(pod, name, previous=previous)
    lines = list(logs.lines((meta(pod)["uid"], name), previous=previous))
    if (tail := options.get("tailLines")) is not None:
        lines = lines[max(0, len(lines) - tail) :]
    since = _since(query, options, now)
    dated = query.get("timestamps") in {"true", "1"}
    told = (f"{nano_stamp(each.at)} {each.text}\n" if dated else f"{each.text}\n" for each in lines if each.at >= since)
    text = "".join(told).encode()
    return text[: options["limitBytes"]] if "limitBytes" in options else text


def _container(pod: JsonObject, wanted: str) -> str:
    spec = pod["spec"]
    known = [each["name"] for kind in ("initContainers", "containers") for each in spec.get(kind, [])]
    if wanted and wanted not in known:
        raise failures.bad_request(f"container {wanted} is not valid for pod {name_of(pod)}")
    if not wanted and len(spec["containers"]) > 1:
        names = " ".join(each["name"] for each in spec["containers"])
        raise failures.bad_request(
            f"a container name must be specified for pod {name_of(pod)}, choose one of: [{names}]"
        )
    return wanted or str(spec["containers"][0]["name"])


def _options(pod: JsonObject, query: Mapping[str, str]) -> dict[str, int]:
    found, causes = {}, []
    for name, least in (("tailLines", 0), ("limitBytes", 1), ("sinceSeconds", 1)):
        if name not in query:
            continue
        try:
            found[name] = int(query[name])
        except ValueError:
            told = f'strconv.ParseInt: parsing "{query[name]}": invalid syntax'
            raise failures.bad_request(told) from None
        if found[name] < least:
            told = f"must be greater than{' or equal to' if least == 0 else ''} 0"
            causes.append(failures.invalid_value(name, found[name], told))
    if causes:
        raise failures.invalid("PodLogOptions", "", name_of(pod), causes)
    return found


def _since(query: Mapping[str, str], options: Mapping[str, int], now: datetime) -> datetime:
    if "sinceSeconds" in options:
        return now - timedelta(seconds=options["sinceSeconds"])
    if "sinceTime" in query:
        return moment_of(query["sinceTime"])
    return datetime.min.replace(tzinfo=now.tzinfo)


def _check_readable(pod: JsonObject, container: str, *, previous: bool) -> None:
    """As `validateContainerLogStatus` in pkg/kubelet/kubelet_pods.go."""
    if not pod["spec"].get("nodeName"):
        raise failures.bad_request(f"pod {name_of(pod)} does not have a host assigned")
    place = f'container "{container}" in pod "{name_of(pod)}"'
    status = container_status(pod, container)
    last = at_path(status or {}, "lastState", "terminated", "containerID")
    state: JsonObject = (status or {}).get("state") or {}
    if status is None:
        raise failures.bad_request(f"{place} is not available")
    if previous and not last:
        raise failures.bad_request(f'previous terminated container "{container}" in pod "{name_of(pod)}" not found')
    if not previous and "waiting" in state and not last:
        reason = state["waiting"].get("reason", "")
        raise failures.bad_request(f"{place} is waiting to start: {_PULLING.get(reason, reason)}")


def container_status(pod: JsonObject, container: str) -> JsonObject | None:
    status = pod.get("status") or {}
    every: list[JsonObject] = [*status.get("containerStatuses", []), *status.get("initContainerStatuses", [])]
    return next((each for each in every if each["name"] == container), None)
