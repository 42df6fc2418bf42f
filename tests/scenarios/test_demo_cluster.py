"""The bot against the demo's cluster: it names the root of every trouble there, and finds nothing where all is well."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from bot.examine import examine
from bot.kube.client import Cluster, connect, utc_now
from bot.model import GapKind, Report, Routes, Verdict
from bot.targets import parse_target
from demo.cluster import ClusterServer, Pace, load
from demo.cluster.scenario import FOLDER, Trouble
from tests.scenarios.running import environment

DEFAULT = load("default")
WARNINGS = {"helpdesk": "warning", "archive": "warning"}
TROUBLED = {each.target for each in DEFAULT.troubles}
WELL = sorted(
    f"{namespace}/{workload.name}"
    for namespace, team in DEFAULT.teams.items()
    for workload in team.workloads
    if f"{namespace}/{workload.name}" not in TROUBLED
)


async def run(*arguments: str) -> tuple[int, bytes]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *arguments, env=environment({}), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output


@pytest.fixture(scope="module")
async def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Path]:
    """With the bot's own rights."""
    async with ClusterServer() as cluster:
        yield cluster.kubeconfig(tmp_path_factory.mktemp("demo") / "kubeconfig")


@pytest.fixture
async def cluster(kubeconfig: Path) -> AsyncIterator[Cluster]:
    found = await connect("prod", kubeconfig=kubeconfig)
    yield found
    await found.close()


async def examined(cluster: Cluster, target: str) -> Report:
    """With all routes on, as the demo's bot has them; without a process of its own, which takes most of the time."""
    routes = Routes(exec=True, probe=True, secret_data=True)
    wanted = parse_target(target)
    return await examine({"prod": cluster}, wanted, routes=routes, now=utc_now, monotonic=time.monotonic)


@pytest.mark.parametrize("trouble", DEFAULT.troubles, ids=lambda trouble: trouble.name)
async def test_the_root_of_a_trouble_is_named(kubeconfig: Path, trouble: Trouble) -> None:
    arguments = ("check", trouble.target, "-o", "json", "--kubeconfig", str(kubeconfig), *trouble.routes)
    code, output = await run(*arguments)
    report = json.loads(output)
    assert [each["code"] for each in report["findings"]][:1] == [trouble.root]
    assert report["verdict"] == WARNINGS.get(trouble.name, "critical")
    assert code == 1


@pytest.mark.parametrize("trouble", DEFAULT.troubles, ids=lambda trouble: trouble.name)
async def test_it_is_named_with_every_route_too(cluster: Cluster, trouble: Trouble) -> None:
    report = await examined(cluster, trouble.target)
    assert [each.code for each in report.findings][:1] == [trouble.root]


@pytest.mark.parametrize("target", WELL)
async def test_what_is_well_is_healthy_and_everything_could_be_read(cluster: Cluster, target: str) -> None:
    report = await examined(cluster, target)
    assert (report.verdict, report.findings) == (Verdict.HEALTHY, ())
    assert [each for each in report.gaps if each.kind is not GapKind.SWITCHED_OFF] == []


async def test_a_whole_namespace(cluster: Cluster) -> None:
    report = await examined(cluster, "namespace/shop")
    assert report.verdict is Verdict.CRITICAL
    assert report.findings[0].code == "token-cached-in-process"


async def test_a_secret_that_a_policy_keeps_empty_is_no_fault_of_the_controller_manager(tmp_path: Path) -> None:
    """Broken anew its log says why: it goes on with every other Secret."""
    async with ClusterServer(pace=Pace(start=0.02, ready=0.02, stop=0.02, back_off=0.2)) as server:
        await server.act("mend-deployer-token")
        await server.act("break-deployer-token")
        server.move_clock(timedelta(minutes=2))
        there = await connect("prod", kubeconfig=server.kubeconfig(tmp_path / "kubeconfig"))
        try:
            report = await examined(there, "platform/secret/deployer-token")
        finally:
            await there.close()
    assert [each.code for each in report.findings] == ["secret-unfilled"]
    assert "the label `team` is required" in " ".join(piece.text for piece in report.findings[0].evidence)


async def test_the_rights_are_those_that_the_bot_asks_for() -> None:
    """`token-doctor rbac --features all`, and the namespace and the account that it is for."""
    code, output = await run("rbac", "--features", "all")
    assert code == 0
    wanted = [each for each in yaml.safe_load_all(output) if each]
    text = (FOLDER / "token-doctor-rbac.yaml").read_text("utf-8")
    written = [each for each in yaml.safe_load_all(text) if each]
    assert [each["kind"] for each in written[:2]] == ["Namespace", "ServiceAccount"]
    assert written[2:] == wanted
