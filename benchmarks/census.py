"""How long a census of a large cluster takes, and in how much memory: against kubectl, and against the bare pages."""

import asyncio
import gc
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import pages
from benchmarks.by_hand import Kubectl
from benchmarks.contest import WrongAnswerError, bare
from benchmarks.fill import Size, Team
from benchmarks.pages import Asked
from benchmarks.same import recorder
from benchmarks.timing import Block, seconds
from benchmarks.whole_lists import Listed, get_all
from bot.census import census
from bot.kube.client import Cluster, connect, utc_now
from bot.model import Inventory, ItemKind
from tests.cluster.plane import Plane

ROOT = Path(__file__).parents[1]
METADATA_FASTER, ALL_FASTER = 50.0, 10.0
SLOWER_THAN_BARE = 1.3
MOST_MEMORY = 150_000_000
MOST_GROWTH = 0.10
MOST_BLOCK = 0.050
MEGA = 1_000_000


@dataclass(frozen=True)
class Runs:
    """How many of each: kubectl's lists, pairs of a census and its bare pages, and a census in the bot's process."""

    lists: int
    pairs: int
    alone: int


@dataclass(frozen=True)
class Alone:
    """In the bot's process: its memory before and at its highest, in bytes, and the longest block of each run."""

    before: int
    peak: int
    blocks: tuple[Block, ...]


@dataclass
class Pairs:
    """Seconds of each run, and what is asked in one."""

    asked: Asked
    census: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    size: int = 0


@dataclass(frozen=True)
class Figures:
    """All that is measured at the first size."""

    secrets: list[Listed]
    pods: list[Listed]
    metadata: Pairs
    everything: Pairs
    alone: Alone


async def measure(plane: Plane, team: Team, runs: Runs) -> Figures:
    """In a cluster of the team's size. Raises WrongAnswerError when a census does not count what was filled in."""
    kubectl = Kubectl(plane.binaries / "kubectl", plane.kubeconfig, plane.layout.folder / "kubectl-cache")
    await touch(plane, team)
    lists = [(await get_all(kubectl, "secrets"), await get_all(kubectl, "pods")) for _ in range(runs.lists)]
    return Figures(
        secrets=[secrets for secrets, _ in lists],
        pods=[pods for _, pods in lists],
        metadata=await _pairs(plane, team, runs.pairs, scan=False),
        everything=await _pairs(plane, team, runs.pairs, scan=True),
        alone=await alone(plane, team, runs.alone),
    )


async def touch(plane: Plane, team: Team) -> None:
    """Changes a pod, a service account and a Secret, as happens in any large cluster every minute.

    What nobody changes for five minutes the API server reads from etcd, page by page, instead of from its memory; for
    whoever asks (`Compact` in `pkg/storage/cacher/watch_cache.go` of k8s.io/apiserver).
    """
    root = f"/api/v1/namespaces/{team.namespace}"
    pod = (await plane.api.get(f"{root}/pods", {"limit": "1"}))["items"][0]["metadata"]["name"]
    for path in (f"pods/{pod}", f"serviceaccounts/{team.name}", f"secrets/{team.name}-settings-00"):
        change = {"metadata": {"annotations": {"shop.example/changed": str(time.time_ns())}}}
        await plane.api.patch(f"{root}/{path}", change)


async def alone(plane: Plane, team: Team, runs: int) -> Alone:
    """A census in a process of its own, with all of the bot loaded."""
    await touch(plane, team)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.census_process", str(plane.kubeconfig), str(runs)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"the census in a process of its own failed with exit code {process.returncode}")
    told = json.loads(output)
    return Alone(told["before"], told["peak"], tuple(Block(*each) for each in told["blocks"]))


async def _pairs(plane: Plane, team: Team, count: int, *, scan: bool) -> Pairs:
    async with recorder(plane) as recording, _connected(recording.kubeconfig) as recorded:
        pairs = Pairs(pages.asked(await recording.of(lambda: _census(recorded, scan=scan))))
    async with _connected(plane.kubeconfig) as cluster, bare(plane) as requests:
        confirm(await _census(cluster, scan=scan), team.size, scan=scan)
        pairs.size = await pages.read(requests, pairs.asked)
        works: list[tuple[Callable[[], Awaitable[object]], list[float]]] = [
            (lambda: _census(cluster, scan=scan), pairs.census),
            (lambda: pages.read(requests, pairs.asked), pairs.bare),
        ]
        gc.collect()
        gc.freeze()
        for number in range(count):
            await touch(plane, team)
            for work, into in works if number % 2 else reversed(works):
                into.append(await seconds(work))
        gc.unfreeze()
    return pairs


async def _census(cluster: Cluster, *, scan: bool) -> Inventory:
    """With `scan` everything, else what metadata alone says: of token Secrets and service accounts."""
    return await census(cluster, scan_secrets=scan, pods=scan, now=utc_now, monotonic=time.monotonic)


@asynccontextmanager
async def _connected(kubeconfig: Path) -> AsyncIterator[Cluster]:
    cluster = await connect("prod", kubeconfig=kubeconfig)
    try:
        yield cluster
    finally:
        await cluster.close()


def confirm(found: Inventory, size: Size, *, scan: bool) -> None:
    """Raises WrongAnswerError: a fast count that is wrong would count for nothing."""
    kinds = {kind: sum(each.kinds.get(kind, 0) for each in found.tallies.values()) for kind in ItemKind}
    counted = {
        "token Secrets": (found.scanned.token_secrets, size.token_secrets),
        "legacy token Secrets": (kinds[ItemKind.LEGACY_SECRET] + kinds[ItemKind.MANUAL_SECRET], size.token_secrets),
    }
    if scan:
        certificates = kinds[ItemKind.KUBECONFIG_CERTIFICATE]
        counted |= {
            "embedded credentials": (kinds[ItemKind.EMBEDDED_TOKEN] + certificates, size.held),
            "Secrets looked into": (found.scanned.secrets or 0, size.opaque_secrets),
        }
    wrong = [f"{found} {what}, not {expected}" for what, (found, expected) in counted.items() if found != expected]
    gaps = [f"{each.what}: {each.reason}" for each in found.unscanned if not each.by_choice]
    if wrong or gaps:
        raise WrongAnswerError(f"The census counted {'; '.join(wrong) or 'all'}. Not read: {gaps}")
