"""What takes more than one API server, or looks at what a probe leaves behind: on the real control plane.

With RECORD=1 the snapshots are written to tests/causes/recorded, as those of the matrix are.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from bot.kube.client import Cluster, connect, utc_now
from bot.kube.facets.gather import gather
from bot.kube.resolve import resolve
from bot.kube.throwaway import LABEL, sweep
from bot.model import Certainty, ControllerProbe, GapKind, Report, Routes, Severity, Target, Verdict
from tests.cluster.faults import Scene, by_name
from tests.cluster.plane import MakePlane, Plane
from tests.cluster.second import SLICES, second_api_server
from tests.cluster.test_matrix import examined
from tests.cluster.waiting import eventually


@pytest.fixture
async def cluster(plane: Plane) -> AsyncIterator[Cluster]:
    found = await connect("test", kubeconfig=plane.kubeconfig)
    yield found
    await found.close()


# --- two API servers ----------------------------------------------------------------------------------------


@asynccontextmanager
async def two_api_servers(make: MakePlane, address: str, *, other_keys: bool) -> AsyncIterator[tuple[Scene, Cluster]]:
    """Both are published, and each is reached at its own address."""
    plane = await make(address=address)
    there = await connect("test", kubeconfig=plane.kubeconfig)
    try:
        async with second_api_server(plane, other_keys=other_keys):
            yield Scene(plane, await plane.create_namespace()), there
    finally:
        await there.close()


def _codes(report: Report) -> list[str]:
    return [f"{finding.severity} {finding.code}" for finding in report.findings]


@pytest.mark.parametrize("routes", [Routes(), Routes(exec=True)], ids=["", "exec"])
async def test_of_two_api_servers_one_lacks_the_key(private_plane: MakePlane, own_address: str, routes: Routes) -> None:
    async with two_api_servers(private_plane, own_address, other_keys=True) as (scene, there):
        pod = await by_name("plain")(scene)
        report = await examined(there, pod, routes, f"two-api-servers-one-lacks-the-key{'-exec' * routes.exec}")
    root = report.findings[0]
    assert (root.code, root.severity, root.certainty) == (
        "signing-keys-disagree", Severity.CRITICAL, Certainty.PROVEN,
    ), _codes(report)  # fmt: skip
    assert ("signing-key-unknown" in root.symptoms) is routes.exec
    assert (", refused at" in root.explanation) is routes.exec


async def test_two_api_servers_that_agree_are_healthy(private_plane: MakePlane, own_address: str) -> None:
    async with two_api_servers(private_plane, own_address, other_keys=False) as (scene, there):
        pod = await by_name("plain")(scene)
        report = await examined(there, pod, Routes(exec=True, probe=True), "healthy-two-api-servers-exec-probe")
    assert report.verdict is Verdict.HEALTHY, _codes(report)
    assert len(report.endpoints) == 2


async def test_an_api_server_at_a_private_address_does_not_spoil_the_verdict(
    private_plane: MakePlane, own_address: str
) -> None:
    plane = await private_plane(address=own_address)
    nobody = f"{own_address.rpartition('.')[0]}.250"
    slice_ = {
        "metadata": {"name": "kubernetes-private", "labels": {"kubernetes.io/service-name": "kubernetes"}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [nobody], "conditions": {"ready": True}}],
        "ports": [{"name": "https", "port": 6443, "protocol": "TCP"}],
    }
    there = await connect("test", kubeconfig=plane.kubeconfig)
    try:
        pod = await by_name("plain")(Scene(plane, await plane.create_namespace()))
        await plane.api.post(SLICES, slice_)
        report = await examined(there, pod, Routes(), "healthy-one-api-server-is-private")
    finally:
        await there.close()
    assert report.verdict is Verdict.HEALTHY, _codes(report)
    (gap,) = [gap for gap in report.gaps if gap.facet == "endpoint_discoveries"]
    assert gap.kind is GapKind.UNOBSERVABLE
    assert nobody in gap.reason


# --- the probe ----------------------------------------------------------------------------------------------


async def objects_in(plane: Plane, namespace: str) -> list[str]:
    """The probes' objects that are there."""
    paths = [f"/api/v1/namespaces/{namespace}/{kind}" for kind in ("secrets", "serviceaccounts")]
    lists = [await plane.api.get(path, {"labelSelector": LABEL}) for path in paths]
    return [each["metadata"]["name"] for found in lists for each in found["items"]]


async def probed(cluster: Cluster, target: str, namespace: str, *, seconds: float = 20) -> ControllerProbe:
    ref = await resolve(cluster, Target(namespace=target, kind="namespace", name=target))
    snapshot = await gather(
        cluster,
        ref,
        routes=Routes(controller_probe=namespace),
        deadline_seconds=seconds,
        log_lines=100,
        others=[],
        now=utc_now,
    )
    assert snapshot.controller_probe.missing is None
    return snapshot.controller_probe.read()


async def test_a_probe_is_filled_reviewed_and_leaves_nothing(plane: Plane, namespace: str, cluster: Cluster) -> None:
    probe = await probed(cluster, namespace, namespace)
    assert probe.filled
    assert probe.token is not None
    assert [review.authenticated for review in probe.token.reviews] == [True]
    assert await objects_in(plane, namespace) == []


async def test_a_cancelled_probe_leaves_nothing(private_plane: MakePlane) -> None:
    plane = await private_plane()
    await plane.stop("kube-controller-manager")
    cluster = await connect("test", kubeconfig=plane.kubeconfig)
    try:
        probing = asyncio.create_task(probed(cluster, "default", "default", seconds=60))
        await eventually(lambda: objects_in(plane, "default"), lambda found: len(found) == 2, "both are made")
        probing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await probing
        assert await objects_in(plane, "default") == []
    finally:
        await cluster.close()


async def test_what_a_killed_process_left_is_swept_once_it_is_old(
    plane: Plane, namespace: str, cluster: Cluster
) -> None:
    root = f"/api/v1/namespaces/{namespace}"
    metadata = {"labels": {LABEL: "controller"}}
    await plane.api.post(f"{root}/serviceaccounts", {"metadata": {**metadata, "name": "token-doctor-probe-1"}})
    await plane.api.post(f"{root}/secrets", {"metadata": {**metadata, "name": "token-doctor-probe-1"}})
    await plane.api.post(f"{root}/secrets", {"metadata": {"name": "somebody-s-own"}})

    assert await sweep(cluster.main, namespace, utc_now()) == 0
    assert await sweep(cluster.main, namespace, utc_now() + timedelta(minutes=6)) == 2

    assert await objects_in(plane, namespace) == []
    assert (await plane.api.get(f"{root}/secrets/somebody-s-own"))["metadata"]["name"] == "somebody-s-own"


async def test_who_may_not_delete_makes_nothing(plane: Plane, namespace: str) -> None:
    may = [{"apiGroups": [""], "resources": ["secrets", "serviceaccounts"], "verbs": ["list", "create", "get"]}]
    cluster = await connect("test", kubeconfig=await plane.users.kubeconfig_for(f"careless-{namespace}", may))
    try:
        ref = await resolve(cluster, Target(namespace=namespace, kind="serviceaccount", name="default"))
        routes = Routes(controller_probe=namespace)
        snapshot = await gather(cluster, ref, routes=routes, deadline_seconds=20, log_lines=100, others=[], now=utc_now)
    finally:
        await cluster.close()
    gap = snapshot.controller_probe.gap
    assert gap is not None
    assert gap.kind is GapKind.DENIED
    assert str(gap.rule).startswith("delete ")
    assert await objects_in(plane, namespace) == []
