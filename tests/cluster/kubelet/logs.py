"""A container's log as a kubelet serves it. Pure, but for reading the file.

Behaviour: pkg/kubelet/kubelet_pods.go (validateContainerLogStatus) and k8s.io/cri-client/pkg/logs.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.api import JsonObject


class NoLogsError(Exception):
    """The container has no such log; the text is what the real kubelet says."""


@dataclass(frozen=True)
class LogOptions:
    """PodLogOptions, as the API server hands them on."""

    previous: bool
    timestamps: bool
    tail_lines: int | None
    since: dt.datetime | None
    limit_bytes: int | None

    @classmethod
    def parsed(cls, query: Mapping[str, str], now: dt.datetime) -> "LogOptions":
        """Raises ValueError for what this kubelet does not offer, or nobody could."""
        if query.get("follow") == "true":
            raise ValueError("this kubelet does not follow logs")
        since = None
        if "sinceSeconds" in query:
            since = now - dt.timedelta(seconds=int(query["sinceSeconds"]))
        elif "sinceTime" in query:
            since = dt.datetime.fromisoformat(query["sinceTime"])
        return cls(
            previous=query.get("previous") == "true",
            timestamps=query.get("timestamps") == "true",
            tail_lines=int(query["tailLines"]) if "tailLines" in query else None,
            since=since,
            limit_bytes=int(query["limitBytes"]) if "limitBytes" in query else None,
        )


def check_readable(pod: JsonObject, container: str, *, previous: bool) -> None:
    """Raises NoLogsError when the container's status says that there is nothing to read."""
    status = container_status(pod, container)
    name = pod["metadata"]["name"]
    if status is None:
        raise NoLogsError(f'container "{container}" in pod "{name}" is not available')
    state = status.get("state", {})
    last = status.get("lastState", {}).get("terminated", {}).get("containerID")
    if previous:
        if not last:
            raise NoLogsError(f'previous terminated container "{container}" in pod "{name}" not found')
    elif "waiting" in state and not last:
        reason = state["waiting"].get("reason", "")
        told = {"ErrImagePull": "image can't be pulled", "ImagePullBackOff": "trying and failing to pull image"}.get(
            reason, reason
        )
        raise NoLogsError(f'container "{container}" in pod "{name}" is waiting to start: {told}')
    elif "terminated" in state and not (state["terminated"].get("containerID") or last):
        raise NoLogsError(f'container "{container}" in pod "{name}" is terminated')
    elif not state:
        raise NoLogsError(f'container "{container}" in pod "{name}" is waiting to start - no logs yet')


def container_status(pod: JsonObject, container: str) -> JsonObject | None:
    status = pod.get("status", {})
    for kind in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"):
        for each in status.get(kind, []):
            found: JsonObject = each
            if found["name"] == container:
                return found
    return None


def read(file: Path, options: LogOptions) -> bytes:
    """The part of the log that the options ask for; a container that never wrote has an empty one."""
    # what follows the last line's end is half written
    lines = file.read_bytes().split(b"\n")[:-1] if file.exists() else []
    if options.tail_lines is not None:
        lines = lines[max(0, len(lines) - options.tail_lines) :]
    text = b"".join(_shown(line, options) for line in lines)
    return text if options.limit_bytes is None else text[: options.limit_bytes]


def _shown(line: bytes, options: LogOptions) -> bytes:
    stamp, _stream, _tag, text = line.split(b" ", 3)
    if options.since is not None and dt.datetime.fromisoformat(stamp.decode()) < options.since:
        return b""
    return (stamp + b" " if options.timestamps else b"") + text + b"\n"
