"""Each fault is injected into the real control plane, and the right root must come first.

With RECORD=1 the snapshots are written to tests/causes/recorded (`make record`).
"""

import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest
import yaml
from msgspec.structs import replace

from bot.diagnosis import diagnose
from bot.kube.client import Cluster, connect, utc_now
from bot.kube.facets.gather import gather
from bot.kube.resolve import resolve
from bot.model import Certainty, Facet, Report, Routes, Severity, Snapshot, Target, Verdict
from tests.cluster.api import JsonObject
from tests.cluster.faults import FAULTS, HEALTHY, ROUTES, Expected, Inject, Scene
from tests.cluster.faults.pod import asks_for_a_day
from tests.cluster.faults.token import foreign_token
from tests.cluster.plane import MakePlane, Plane
from tests.cluster.second import second_api_server

RECORDED = Path(__file__).parents[1] / "causes" / "recorded"


@pytest.fixture(scope="module")
async def cluster(plane: Plane) -> AsyncIterator[Cluster]:
    found = await connect("test", kubeconfig=plane.kubeconfig)
    yield found
    await found.close()


def _name(inject: Inject, routes: Routes) -> str:
    words = [inject.__name__, *(route for route in ("exec", "probe", "secret_data") if getattr(routes, route))]
    return "-".join(words).replace("_", "-")


async def examined(
    cluster: Cluster, pod: JsonObject, routes: Routes, name: str, others: Sequence[Cluster] = ()
) -> Report:
    target = Target(namespace=pod["metadata"]["namespace"], name=pod["metadata"]["name"])
    ref = await resolve(cluster, target)
    snapshot = await gather(
        cluster, ref, routes=routes, deadline_seconds=20, log_lines=2000, others=others, now=utc_now
    )
    if os.environ.get("RECORD"):
        _record(snapshot, name)
    return diagnose(snapshot)


def _record(snapshot: Snapshot, name: str) -> None:
    """The API server's log holds every test's refusals: a dozen of them are noise enough."""
    version = snapshot.version.read().git_version
    logs = tuple(replace(log, lines=log.lines[-12:]) for log in snapshot.api_server_logs.read())
    snapshot = replace(snapshot, api_server_logs=Facet(value=logs))
    document = {"recorded_from": f"kube-apiserver {version}", "snapshot": snapshot}
    RECORDED.mkdir(exist_ok=True)
    (RECORDED / f"{name}.json").write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n")


def _told(report: Report) -> str:
    lines = [f"{f.severity} {f.certainty} {f.code}: {f.explanation}" for f in report.findings]
    return "\n".join([f"verdict {report.verdict}: {report.headline}", *lines, *(str(gap) for gap in report.gaps)])


@pytest.mark.parametrize(("inject", "expected"), FAULTS, ids=[_name(inject, e.routes) for inject, e in FAULTS])
async def test_the_right_root_comes_first(
    inject: Inject, expected: Expected, plane: Plane, namespace: str, cluster: Cluster
) -> None:
    pod = await inject(Scene(plane, namespace))
    report = await examined(cluster, pod, expected.routes, _name(inject, expected.routes))
    root, codes = report.findings[0], [finding.code for finding in report.findings]
    assert root.code == expected.root, _told(report)
    assert report.verdict is expected.verdict, _told(report)
    assert expected.certainty in {None, root.certainty}, _told(report)
    assert set(expected.symptoms) <= set(root.symptoms), _told(report)
    assert not set(expected.never) & set(codes), _told(report)
    assert root.evidence


@pytest.mark.parametrize("routes", ROUTES, ids=["default", "all-routes"])
@pytest.mark.parametrize("inject", HEALTHY, ids=lambda inject: inject.__name__)
async def test_a_healthy_pod_is_left_alone(
    inject: Inject, routes: Routes, plane: Plane, namespace: str, cluster: Cluster
) -> None:
    pod = await inject(Scene(plane, namespace))
    report = await examined(cluster, pod, routes, f"healthy-{_name(inject, routes)}")
    assert all(finding.severity is Severity.INFO for finding in report.findings), _told(report)
    assert report.verdict is Verdict.HEALTHY, _told(report)


async def test_another_configured_cluster_owns_the_key(plane: Plane, namespace: str, cluster: Cluster) -> None:
    """Two clusters with one issuer, as kubeadm makes them: the kid tells whose the token is."""
    async with second_api_server(plane) as other:
        staging = await connect("staging", kubeconfig=_kubeconfig_for(plane, other.url))
        try:
            pod = await foreign_token(Scene(plane, namespace))
            report = await examined(cluster, pod, Routes(exec=True), "foreign-token-of-staging-exec", [staging])
        finally:
            await staging.close()
    root = report.findings[0]
    assert (root.code, root.certainty) == ("token-from-another-cluster", Certainty.PROVEN), _told(report)
    assert "signing-key-unknown" in root.symptoms
    assert "staging" in root.explanation


def _kubeconfig_for(plane: Plane, url: str) -> Path:
    config = yaml.safe_load(plane.kubeconfig.read_text())
    config["clusters"][0]["cluster"]["server"] = url
    path = plane.kubeconfig.with_name(f"{urlsplit(url).port}.kubeconfig")
    path.write_text(yaml.safe_dump(config))
    return path


async def test_a_lifetime_above_the_ceiling_is_told(private_plane: MakePlane) -> None:
    """--service-account-max-token-expiration cuts a day to an hour; the pod is healthy all the same."""
    plane = await private_plane({"kube-apiserver": {"service-account-max-token-expiration": "1h"}})
    cluster = await connect("test", kubeconfig=plane.kubeconfig)
    try:
        scene = Scene(plane, await plane.create_namespace())
        pod = await asks_for_a_day(scene)
        report = await examined(cluster, pod, Routes(exec=True), "asks-for-a-day-exec")
    finally:
        await cluster.close()
    assert report.verdict is Verdict.HEALTHY, _told(report)
    assert report.findings[0].code == "token-lifetime-capped", _told(report)
