"""A reader's terminal: kubectl, token-doctor and a kubeconfig, and nothing else of theirs."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.plane import Plane

SECONDS = 60


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Terminal:
    """Its shell reads a whole pipeline, and the pipeline fails where one of its commands does."""

    environment: Mapping[str, str]

    async def run(self, command: str, stdin: str = "", *, only_read: bool = False) -> Ended:
        """`only_read`: the shell says whether it is a command, and runs nothing."""
        process = await asyncio.create_subprocess_exec(
            *("bash", "-o", "pipefail", *(("-n",) if only_read else ()), "-c", command),
            env=dict(self.environment),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(SECONDS):
            out, err = await process.communicate(stdin.encode())
        return Ended(process.returncode or 0, out.decode(), err.decode())


def terminal(plane: Plane, home: Path, other: str = "") -> Terminal:
    """The administrator's; its kubeconfig has a second context, `other`, for the API server at that URL."""
    config = json.loads(plane.kubeconfig.read_text())
    if other:
        there = {**config["clusters"][0]["cluster"], "server": other}
        config["clusters"].append({"name": "other", "cluster": there})
        config["contexts"].append({"name": "other", "context": {"cluster": "other", "user": "test"}})
    kubeconfig = home / "kubeconfig"
    kubeconfig.write_text(json.dumps(config))
    path = os.pathsep.join([str(plane.binaries), str(Path(sys.executable).parent), os.environ["PATH"]])
    return Terminal({"PATH": path, "KUBECONFIG": str(kubeconfig), "HOME": str(home), "LC_ALL": "C.UTF-8"})
