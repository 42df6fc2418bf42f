"""Each row of the matrix is made true on the real control plane, and the right root must come first.

With RECORD=1 the snapshots are written to tests/causes/recorded (`make record`).
"""

import os
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest
import yaml
from msgspec.structs import replace

from bot.diagnosis import conclude
from bot.kube.client import Cluster, connect, utc_now
from bot.kube.resolve import resolve
from bot.kube.survey import survey
from bot.model import Certainty, Facet, Report, Routes, Severity, Snapshot, Target, Verdict
from tests.cluster.api import JsonObject
from tests.cluster.faults import Scene, by_name
from tests.cluster.matrix import MATRIX, Fault, Row, of_version
from tests.cluster.plane import MakePlane, Plane
from tests.cluster.second import second_api_server

RECORDED = Path(__file__).parents[1] / "causes" / "recorded"
ALL_ROUTES = ("exec", "probe", "secret_data")
HEALTHY = [
    replace(row, routes=routes)
    for row in MATRIX.healthy
    for routes in ((row.routes,) if row.routes else ((), ALL_ROUTES))
]


@pytest.fixture(scope="module")
async def cluster(plane: Plane) -> AsyncIterator[Cluster]:
    found = await connect("test", kubeconfig=plane.kubeconfig)
    yield found
    await found.close()


@pytest.fixture(scope="module")
async def old_cluster(old_plane: Plane) -> AsyncIterator[Cluster]:
    found = await connect("test", kubeconfig=old_plane.kubeconfig)
    yield found
    await found.close()


@asynccontextmanager
async def staged(
    row: Row, plane: Plane, namespace: str, cluster: Cluster, private_plane: MakePlane
) -> AsyncIterator[tuple[Scene, Cluster]]:
    """The stage that the row asks for: the run's control plane, or one of its own."""
    if row.private is None:
        yield Scene(plane, namespace), cluster
        return
    own = await private_plane(row.private)
    there = await connect("test", kubeconfig=own.kubeconfig)
    try:
        yield Scene(own, await own.create_namespace()), there
    finally:
        await there.close()


async def examined(
    cluster: Cluster, found: JsonObject, routes: Routes, name: str, others: Sequence[Cluster] = ()
) -> Report:
    meta, kind = found["metadata"], found["kind"].lower()
    ref = await resolve(cluster, Target(namespace=meta.get("namespace") or meta["name"], kind=kind, name=meta["name"]))
    found_out = await survey(
        cluster, ref, routes=routes, deadline_seconds=20, log_lines=2000, others=others, now=utc_now
    )
    if os.environ.get("RECORD") and found_out.own:
        _record(found_out.own, name)
    return conclude(found_out)


_FOLDER = re.compile(rb"/[^\s\"=]*/control-plane[\w.-]*/")
"""Where this machine keeps the control plane's files: flags and log lines name it."""


def _record(snapshot: Snapshot, name: str) -> None:
    """The API server's log holds every test's refusals: a dozen of them are noise enough."""
    version = snapshot.version.read().git_version
    if snapshot.api_server_logs.gap is None:
        logs = tuple(replace(log, lines=log.lines[-12:]) for log in snapshot.api_server_logs.read())
        snapshot = replace(snapshot, api_server_logs=Facet(value=logs))
    document = {"recorded_from": f"kube-apiserver {version}", "snapshot": snapshot}
    text = msgspec.json.format(msgspec.json.encode(document), indent=1)
    RECORDED.mkdir(exist_ok=True)
    (RECORDED / f"{name}.json").write_bytes(_FOLDER.sub(b"/etc/kubernetes/", text) + b"\n")


def told(report: Report) -> str:
    lines = [f"{f.severity} {f.certainty} {f.code}: {f.explanation}" for f in report.findings]
    return "\n".join([f"verdict {report.verdict}: {report.headline}", *lines, *(str(gap) for gap in report.gaps)])


def _holds(row: Fault, report: Report) -> None:
    codes = [finding.code for finding in report.findings]
    assert codes[:1] == [row.root], told(report)
    root = report.findings[0]
    assert report.verdict is row.verdict, told(report)
    assert row.certainty in {None, root.certainty}, told(report)
    assert set(row.symptoms) <= set(root.symptoms), told(report)
    assert set(row.also) <= set(codes) - set(root.symptoms), told(report)
    assert not set(row.never) & set(codes), told(report)
    assert root.evidence


@pytest.mark.parametrize("row", of_version("present", MATRIX.faults), ids=str)
async def test_the_right_root_comes_first(
    row: Fault, plane: Plane, namespace: str, cluster: Cluster, private_plane: MakePlane
) -> None:
    async with staged(row, plane, namespace, cluster, private_plane) as (scene, there):
        found = await by_name(row.inject)(scene)
        report = await examined(there, found, row.switched_on, str(row))
    _holds(row, report)


@pytest.mark.parametrize("row", of_version("old", MATRIX.faults), ids=str)
async def test_the_right_root_comes_first_on_an_older_control_plane(
    row: Fault, old_plane: Plane, old_cluster: Cluster
) -> None:
    found = await by_name(row.inject)(Scene(old_plane, await old_plane.create_namespace()))
    _holds(row, await examined(old_cluster, found, row.switched_on, f"{row}-1.30"))


@pytest.mark.parametrize("row", of_version("old", HEALTHY), ids=str)
async def test_what_is_healthy_is_left_alone_on_an_older_control_plane(
    row: Row, old_plane: Plane, old_cluster: Cluster
) -> None:
    found = await by_name(row.inject)(Scene(old_plane, await old_plane.create_namespace()))
    _is_healthy(await examined(old_cluster, found, row.switched_on, f"healthy-{row}-1.30"))


def _is_healthy(report: Report) -> None:
    assert all(finding.severity is Severity.INFO for finding in report.findings), told(report)
    assert report.verdict is Verdict.HEALTHY, told(report)


@pytest.mark.parametrize("row", of_version("present", HEALTHY), ids=str)
async def test_what_is_healthy_is_left_alone(
    row: Row, plane: Plane, namespace: str, cluster: Cluster, private_plane: MakePlane
) -> None:
    async with staged(row, plane, namespace, cluster, private_plane) as (scene, there):
        found = await by_name(row.inject)(scene)
        report = await examined(there, found, row.switched_on, f"healthy-{row}")
    _is_healthy(report)


async def test_another_configured_cluster_owns_the_key(plane: Plane, namespace: str, cluster: Cluster) -> None:
    """Two clusters with one issuer, as kubeadm makes them: the kid tells whose the token is."""
    async with second_api_server(plane) as other:
        staging = await connect("staging", kubeconfig=_kubeconfig_for(plane, other.url))
        try:
            pod = await by_name("foreign_token")(Scene(plane, namespace))
            report = await examined(cluster, pod, Routes(exec=True), "foreign-token-of-staging-exec", [staging])
        finally:
            await staging.close()
    root = report.findings[0]
    assert (root.code, root.certainty) == ("token-from-another-cluster", Certainty.PROVEN), told(report)
    assert "signing-key-unknown" in root.symptoms
    assert "staging" in root.explanation


def _kubeconfig_for(plane: Plane, url: str) -> Path:
    config = yaml.safe_load(plane.kubeconfig.read_text())
    config["clusters"][0]["cluster"]["server"] = url
    path = plane.kubeconfig.with_name(f"{urlsplit(url).port}.kubeconfig")
    path.write_text(yaml.safe_dump(config))
    return path
