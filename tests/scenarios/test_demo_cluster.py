"""The bot against the demo's cluster: it names the root of every trouble there, and finds nothing where all is well."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from bot.census import census
from bot.examine import examine
from bot.kube.client import Cluster, connect, utc_now
from bot.model import ActionKind, GapKind, Item, ItemKind, Report, Routes, Verdict
from bot.targets import parse_target
from demo.cluster import ClusterServer, Pace, load
from demo.cluster.resources import SECRETS
from demo.cluster.scenario import FOLDER, Trouble
from tests.cluster.api import JsonObject
from tests.cluster.waiting import eventually
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


async def taken(cluster: Cluster) -> Mapping[str, Item]:
    """What a digest tells of, by namespace and name."""
    found = await census(cluster, scan_secrets=True, now=utc_now, monotonic=time.monotonic)
    assert found.unscanned == ()
    return {f"{item.namespace}/{item.name}": item for item in found.items}


async def test_a_digest_finds_something_of_every_kind(cluster: Cluster) -> None:
    found = await taken(cluster)
    assert {name: item.kind for name, item in found.items()} == {
        "warehouse/stock-sync-token-x7k2p": ItemKind.LEGACY_SECRET,
        "warehouse/stocktaking-token-hq84z": ItemKind.LEGACY_SECRET,
        "identity/saml-bridge-token-9w2ml": ItemKind.LEGACY_SECRET,
        "shop/ci-token": ItemKind.MANUAL_SECRET,
        "analytics/notebook-token": ItemKind.MANUAL_SECRET,
        "platform/deployer-token": ItemKind.UNFILLED_SECRET,
        "data/exporter-kubeconfig": ItemKind.EMBEDDED_TOKEN,
        "platform/edge-berlin-kubeconfig": ItemKind.EMBEDDED_TOKEN,
        "search/crawler": ItemKind.SUBPATH_MOUNT,
    }
    now = utc_now()
    due = {name for name, item in found.items() if item.ends and now < item.ends < now + timedelta(days=14)}
    assert due == {
        "platform/edge-berlin-kubeconfig",
        "identity/saml-bridge-token-9w2ml",
        "warehouse/stocktaking-token-hq84z",
    }
    assert [offer.kind for offer in found["analytics/notebook-token"].offers] == [ActionKind.DELETE_LEGACY_SECRET]
    assert [offer.kind for offer in found["shop/ci-token"].offers] == [ActionKind.ROTATE_TOKEN_SECRET]


async def test_the_cleaner_does_what_a_digest_has_said(tmp_path: Path) -> None:
    async with ClusterServer() as server:
        connected = await connect("prod", kubeconfig=server.kubeconfig(tmp_path / "kubeconfig"))
        try:
            found = await taken(connected)
        finally:
            await connected.close()
        marked, deleted = found["warehouse/stocktaking-token-hq84z"], found["identity/saml-bridge-token-9w2ml"]
        assert marked.ends
        assert deleted.ends
        server.move_clock(max(marked.ends, deleted.ends) - utc_now() + timedelta(days=1))
        store = server.machinery.store

        async def live(item: Item) -> JsonObject | None:
            return store.get(SECRETS, item.namespace, item.name)

        label = "kubernetes.io/legacy-token-invalid-since"
        await eventually(
            lambda: live(marked), lambda it: it is not None and label in it["metadata"]["labels"], "a mark"
        )
        await eventually(lambda: live(deleted), lambda it: it is None, "the Secret is deleted")


async def test_the_rights_are_those_that_the_bot_asks_for() -> None:
    """`token-doctor rbac --features all`, and the namespace and the account that it is for."""
    code, output = await run("rbac", "--features", "all")
    assert code == 0
    wanted = [each for each in yaml.safe_load_all(output) if each]
    text = (FOLDER / "token-doctor-rbac.yaml").read_text("utf-8")
    written = [each for each in yaml.safe_load_all(text) if each]
    assert [each["kind"] for each in written[:2]] == ["Namespace", "ServiceAccount"]
    assert written[2:] == wanted
