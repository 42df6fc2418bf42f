"""What people do without the bot: ten kubectl calls, one after another, as troubleshooting guides tell them to."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.stored_secrets import TOKEN_SECRET
from benchmarks.target import Target


@dataclass(frozen=True)
class Call:
    """kubectl's arguments, and what it reads on standard input."""

    arguments: Sequence[str]
    stdin: str = ""


@dataclass(frozen=True)
class Kubectl:
    """`cache` keeps what it has discovered of the API, as ~/.kube/cache does; it is full after the first run."""

    program: Path
    kubeconfig: Path
    cache: Path

    async def run(self, calls: Sequence[Call]) -> list[str]:
        """What each printed. Raises RuntimeError for the first that fails."""
        return [await self._run(call) for call in calls]

    async def _run(self, call: Call) -> str:
        process = await asyncio.create_subprocess_exec(
            self.program,
            f"--kubeconfig={self.kubeconfig}",
            f"--cache-dir={self.cache}",
            *call.arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate(call.stdin.encode())
        if process.returncode:
            raise RuntimeError(f"kubectl {' '.join(call.arguments)}: {errors.decode()}")
        return output.decode()


def ten_calls(target: Target) -> tuple[Call, ...]:
    """From the pod to the token's review, and around it."""
    review = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "metadata": {},
        "spec": {"token": target.token},
    }
    inside = f"--namespace={target.namespace}"
    tokens_only = f"--field-selector=type={TOKEN_SECRET}"
    return (
        Call(["get", "pod", target.pod, inside, "--output=yaml"]),
        Call(["describe", "pod", target.pod, inside]),
        Call(["logs", target.pod, inside, "--container=app"]),
        Call(["get", "serviceaccount", target.account, inside, "--output=yaml"]),
        Call(["get", "secrets", inside, tokens_only]),
        Call(["get", "secret", target.secret, inside, "--output=yaml"]),
        Call(["create", "--filename=-", "--output=yaml"], json.dumps(review)),
        Call(["get", "pods", "--namespace=kube-system"]),
        Call(["get", "leases", "--namespace=kube-node-lease"]),
        Call(["get", "events", inside]),
    )
