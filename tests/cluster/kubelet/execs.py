"""Commands in containers, and the websocket that carries them.

Protocol: k8s.io/cri-streaming/pkg/streaming/remotecommand. Each frame starts with the channel's number; channel 3 ends
the conversation with a Status. v5 differs from v4 only in that a client may close a channel.
"""

import asyncio
import json
import secrets
from collections.abc import Mapping

from aiohttp import web

from tests.cluster.api import JsonObject
from tests.cluster.kubelet.mounts import Mounts
from tests.cluster.kubelet.state import Container, ExecOutcome, State

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
STDOUT, STDERR, ERROR = 1, 2, 3
COPY_BYTES = 32 * 1024
CLOSE_SECONDS = 5


async def outcome(state: State, mounts: Mounts, pod: JsonObject, container: JsonObject, argv: list[str]) -> ExecOutcome:
    """What a test has set for the command, else what `cat` finds in the container's volumes."""
    metadata = pod["metadata"]
    known = state.execs(Container(metadata["namespace"], metadata["name"], container["name"]))
    for wanted in (argv, None):
        for each in known:
            if each.argv == wanted:
                return each
    match argv:
        case ["cat", "--", path] | ["cat", path]:
            contents = await mounts.read(pod, container, path)
            if contents is None:
                return ExecOutcome(argv, stderr=f"cat: {path}: No such file or directory\n", exit_code=1)
            return ExecOutcome(argv, stdout=contents)
    return ExecOutcome(argv, executable_found=False)


async def serve(request: web.Request, argv: list[str], result: ExecOutcome) -> web.WebSocketResponse:
    """Writes the outcome to the channels that the client asked for, then its status."""
    socket = web.WebSocketResponse(protocols=PROTOCOLS, timeout=CLOSE_SECONDS)
    await socket.prepare(request)
    channels = open_channels(request.query)
    await socket.send_bytes(bytes([channels[0]]))  # tells the client that the stream is there
    for channel, text in ((STDOUT, result.stdout), (STDERR, result.stderr)):
        if channel in channels and result.executable_found:
            encoded = text.encode()
            for start in range(0, len(encoded), COPY_BYTES):
                await socket.send_bytes(bytes([channel]) + encoded[start : start + COPY_BYTES])
    await socket.send_bytes(bytes([ERROR]) + json.dumps(status(argv, result)).encode())
    await asyncio.wait_for(socket.close(), CLOSE_SECONDS)
    return socket


def open_channels(query: Mapping[str, str]) -> list[int]:
    """The channels that are written to."""
    asked = [channel for channel, name in ((STDOUT, "output"), (STDERR, "error")) if query.get(name) == "1"]
    return [*asked, ERROR]


def status(argv: list[str], result: ExecOutcome) -> JsonObject:
    """The Status of channel 3. A missing executable: containerd's and runc's words, as kubectl users meet them."""
    if not result.executable_found:
        told = (
            "Internal error occurred: error executing command in container: failed to exec in container: failed to "
            f'start exec "{secrets.token_hex(32)}": OCI runtime exec failed: exec failed: unable to start container '
            f'process: exec: "{argv[0]}": executable file not found in $PATH: unknown'
        )
        return {"status": "Failure", "message": told, "reason": "InternalError", "code": 500}
    if result.exit_code:
        return {
            "status": "Failure",
            "message": f"command terminated with non-zero exit code: exit status {result.exit_code}",
            "reason": "NonZeroExitCode",
            "details": {"causes": [{"reason": "ExitCode", "message": str(result.exit_code)}]},
        }
    return {"status": "Success"}
