"""The three ways to ask about the same pod, ready to run in this process: the check, the bare requests, and kubectl."""

import gc
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from benchmarks.bare import Bare, Known
from benchmarks.by_hand import Kubectl, ten_calls
from benchmarks.same import Recorder, compare
from benchmarks.target import Target
from bot.blocks.report import Answer, answer
from bot.examine import examine
from bot.kube.client import Cluster, connect, utc_now
from bot.model import Report, Routes
from bot.targets import parse_target
from tests.cluster.plane import Plane

ASKER = "U0BENCHMARK"
CAUSE = "token-expired"
"""The answer must name it: a fast answer that is wrong would count for nothing."""


class WrongAnswerError(Exception):
    """The check did not find what is wrong with the pod."""


@dataclass(frozen=True)
class Contest:
    """The connections of `cluster` and of `bare` stay open from run to run, as in a running bot."""

    plane: Plane
    target: Target
    known: Known
    cluster: Cluster
    bare: Bare
    kubectl: Kubectl

    async def check(self) -> None:
        """From the command's words to the finished message, in the process that runs the bot."""
        confirm(*await check(self.cluster, self.target))

    async def requests(self) -> None:
        await self.bare.check(self.known)

    async def by_hand(self) -> None:
        await self.kubectl.run(ten_calls(self.target))

    async def cold_check(self) -> None:
        """With no connection open."""
        await self.cluster.close()
        await self.check()

    async def cold_requests(self) -> None:
        async with bare(self.plane) as fresh:
            await fresh.check(self.known)


async def check(cluster: Cluster, target: Target) -> tuple[Report, Answer]:
    """With the bot's default settings."""
    asked = parse_target(f"{target.namespace}/{target.pod}")
    report = await examine({"prod": cluster}, asked, routes=Routes(), now=utc_now, monotonic=time.monotonic)
    return report, answer(report, ASKER)


def confirm(report: Report, message: Answer) -> None:
    """Raises WrongAnswerError."""
    codes = [finding.code for finding in report.findings]
    if CAUSE not in codes or not message.message.blocks:
        gaps = [f"{gap.facet}: {gap.reason}" for gap in report.gaps]
        raise WrongAnswerError(f"{report.headline}: found {codes}, not {CAUSE}; not read: {gaps}")


@asynccontextmanager
async def contest(plane: Plane, target: Target, known: Known) -> AsyncIterator[Contest]:
    """Each has run once, and the garbage collector leaves alone what was built, as in the bot."""
    cluster = await connect("prod", kubeconfig=plane.kubeconfig)
    try:
        async with bare(plane) as requests:
            kubectl = Kubectl(plane.binaries / "kubectl", plane.kubeconfig, plane.layout.folder / "kubectl-cache")
            ready = Contest(plane, target, known, cluster, requests, kubectl)
            await ready.check()
            await ready.requests()
            await ready.by_hand()
            gc.collect()
            gc.freeze()
            yield ready
    finally:
        gc.unfreeze()
        await cluster.close()


@asynccontextmanager
async def bare(plane: Plane) -> AsyncIterator[Bare]:
    """The administrator, as for the check, over as many connections as the bot opens."""
    trusted = ssl.create_default_context(cafile=plane.layout.authority.certificate)
    headers = {"Authorization": f"Bearer {plane.ready.admin_token}", "User-Agent": "bare"}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=50, ssl=trusted)) as session:
        yield Bare(session, plane.ready.url, headers)


async def same_requests(recorder: Recorder, contest: Contest) -> None:
    """Raises DifferentError unless the check and the bare script send the same."""
    cluster = await connect("prod", kubeconfig=recorder.kubeconfig)
    try:
        of_check = await recorder.of(lambda: check(cluster, contest.target))
    finally:
        await cluster.close()
    through = Bare(contest.bare.session, recorder.url, contest.bare.headers)
    compare(of_check, await recorder.of(lambda: through.check(contest.known)))
