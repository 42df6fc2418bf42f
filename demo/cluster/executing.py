"""Commands in containers, over a websocket: `cat` of the files that volumes put there.

Each frame starts with its channel's number; channel 3 ends the conversation with a Status
(k8s.io/cri-streaming/pkg/streaming/remotecommand).
"""

import asyncio
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from demo.cluster import failures
from demo.cluster.logs import container_status
from demo.cluster.mounts import Mounts
from demo.cluster.objects import JsonObject, at_path, name_of

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_STDOUT, _STDERR, _STATUS = 1, 2, 3
_COPY_BYTES = 32 * 1024
_CLOSE_SECONDS = 5


@dataclass(frozen=True)
class Outcome:
    stdout: str = ""
    stderr: str = ""
    exit_code: int = 0
    found: bool = True


async def serve(request: web.Request, mounts: Mounts, pod: JsonObject, now: datetime) -> web.StreamResponse:
    """Raises StatusError before the upgrade."""
    query = request.query
    container = _container(pod, query)
    argv = query.getall("command", [])
    socket = web.WebSocketResponse(protocols=PROTOCOLS, timeout=_CLOSE_SECONDS)
    if not socket.can_prepare(request):
        raise failures.bad_request("Upgrade request required")
    outcome = _run(mounts, pod, container, argv, now)
    await socket.prepare(request)
    await socket.send_bytes(bytes([_STDOUT]))  # tells the client that the stream is there
    for channel, name, text in ((_STDOUT, "stdout", outcome.stdout), (_STDERR, "stderr", outcome.stderr)):
        data = text.encode() if query.get(name) in {"true", "1"} else b""
        for start in range(0, len(data), _COPY_BYTES):
            await socket.send_bytes(bytes([channel]) + data[start : start + _COPY_BYTES])
    await socket.send_bytes(bytes([_STATUS]) + json.dumps(_status(argv, outcome)).encode())
    await asyncio.wait_for(socket.close(), _CLOSE_SECONDS)
    return socket


def _container(pod: JsonObject, query: Mapping[str, str]) -> JsonObject:
    """The container that runs. Raises StatusError."""
    wanted, known = query.get("container", ""), pod["spec"]["containers"]
    if not any(query.get(name) in {"true", "1"} for name in ("stdin", "stdout", "stderr")):
        raise failures.bad_request("you must specify at least 1 of stdin, stdout, stderr")
    found: JsonObject | None = next((each for each in known if each["name"] == (wanted or known[0]["name"])), None)
    if found is None:
        raise failures.bad_request(f"container {wanted} is not valid for pod {name_of(pod)}")
    if at_path(pod, "status", "phase") in {"Succeeded", "Failed"}:
        phase = at_path(pod, "status", "phase")
        raise failures.bad_request(f"cannot exec into a container in a completed pod; current phase is {phase}")
    if not at_path(container_status(pod, found["name"]) or {}, "state", "running"):
        told = f'container not found ("{found["name"]}")'
        raise failures.StatusError(500, "InternalError", f"Internal error occurred: {told}")
    return found


def _run(mounts: Mounts, pod: JsonObject, container: JsonObject, argv: Sequence[str], now: datetime) -> Outcome:
    match list(argv):
        case ["cat", "--", path] | ["cat", path]:
            text = mounts.read(pod, container, path, now)
            if text is None:
                return Outcome(stderr=f"cat: {path}: No such file or directory\n", exit_code=1)
            return Outcome(stdout=text)
    return Outcome(found=False)


def _status(argv: Sequence[str], outcome: Outcome) -> JsonObject:
    """Of a missing executable: containerd's and runc's words, as kubectl's users meet them."""
    if not outcome.found:
        name = argv[0] if argv else ""
        told = (
            "Internal error occurred: error executing command in container: failed to exec in container: failed to "
            f'start exec "{secrets.token_hex(32)}": OCI runtime exec failed: exec failed: unable to start container '
            f'process: exec: "{name}": executable file not found in $PATH: unknown'
        )
        return {"status": "Failure", "message": told, "reason": "InternalError", "code": 500}
    if outcome.exit_code:
        return {
            "status": "Failure",
            "message": f"command terminated with non-zero exit code: exit status {outcome.exit_code}",
            "reason": "NonZeroExitCode",
            "details": {"causes": [{"reason": "ExitCode", "message": str(outcome.exit_code)}]},
        }
    return {"status": "Success", "metadata": {}}
