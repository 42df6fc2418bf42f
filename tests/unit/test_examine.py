"""The use case picks the cluster, asks only it, and says how long it took."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.errors import WrongUsageError
from bot.examine import DEADLINE_SECONDS, LOG_LINES, examine
from bot.kube.client import Cluster, connect
from bot.model import Report, Routes, Target, Verdict
from config.settings import Checks
from tests.unit.kube.fake_api import POD, FakeApi, healthy, listed, named, pod, says, served

NOW = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)


@pytest.fixture
async def clusters(tmp_path: Path) -> AsyncIterator[tuple[dict[str, Cluster], dict[str, FakeApi]]]:
    apis, connected, servers = {}, {}, []
    for name in ("prod", "stage"):
        api = apis[name] = FakeApi()
        healthy(api)
        servers.append(await served(api))
        (folder := tmp_path / name).mkdir()
        connected[name] = await connect(name, kubeconfig=api.kubeconfig(folder))
    yield connected, apis
    for cluster in connected.values():
        await cluster.close()
    for server in servers:
        await server.close()


async def examined(clusters: dict[str, Cluster], cluster: str) -> Report:
    ticks = iter((100.0, 100.25))
    return await examine(
        clusters,
        Target(cluster=cluster, namespace="shop", name=POD),
        routes=Routes(),
        now=lambda: NOW,
        monotonic=lambda: next(ticks),
    )


async def test_the_named_cluster_is_asked_and_of_the_others_only_what_they_publish(
    clusters: tuple[dict[str, Cluster], dict[str, FakeApi]],
) -> None:
    connected, apis = clusters
    report = await examined(connected, "stage")
    assert report.verdict is Verdict.HEALTHY
    assert (report.target.cluster, report.taken_at, report.took_ms) == ("stage", NOW, 250)
    assert len(apis["stage"].asked("/.well-known/openid-configuration")) == 1
    assert {request.path for request in apis["prod"].requests} == {
        "/.well-known/openid-configuration",
        "/openid/v1/jwks",
    }


async def test_the_only_cluster_need_not_be_named(clusters: tuple[dict[str, Cluster], dict[str, FakeApi]]) -> None:
    connected, _ = clusters
    assert (await examined({"prod": connected["prod"]}, "")).target.cluster == "prod"


async def test_a_workload_is_answered_by_its_pods(clusters: tuple[dict[str, Cluster], dict[str, FakeApi]]) -> None:
    connected, apis = clusters
    selector = {"selector": {"matchLabels": {"app": "db"}}, "replicas": 2, "template": {"spec": pod()["spec"]}}
    apis["prod"].on("/apis/apps/v1/namespaces/shop/statefulsets/db", says({**named("db"), "spec": selector}))
    owner = [{"kind": "StatefulSet", "name": "db", "uid": "uid-of-db", "controller": True}]
    pods = [{**pod(), **named(name, ownerReferences=owner)} for name in ("db-0", "db-1")]
    apis["prod"].on("/api/v1/namespaces/shop/pods", says(listed(*pods)))
    for name in ("db-0", "db-1"):
        apis["prod"].on(f"/api/v1/namespaces/shop/pods/{name}/log", says(b"2026-11-22T13:00:01Z started\n"))
    report = await examine(
        connected,
        Target(cluster="prod", namespace="shop", name="db"),
        routes=Routes(),
        now=lambda: NOW,
        monotonic=lambda: 1.0,
    )
    assert (report.target.kind, report.target.uid) == ("StatefulSet", "uid-of-db")
    assert [member.name for member in report.members] == ["db-0", "db-1"]
    assert report.notes == ("All 2 pods were examined.",)
    assert report.verdict is Verdict.HEALTHY


@pytest.mark.parametrize(
    ("name", "sentence", "next_step"),
    [
        ("", "More than one cluster is configured", "the clusters are prod, stage"),
        ("stag", "No cluster “stag” is configured", "Did you mean stage? The clusters are prod, stage."),
        ("zzz", "No cluster “zzz” is configured", "The clusters are prod, stage."),
    ],
)
async def test_an_unclear_cluster_is_refused(
    name: str, sentence: str, next_step: str, clusters: tuple[dict[str, Cluster], dict[str, FakeApi]]
) -> None:
    connected, apis = clusters
    with pytest.raises(WrongUsageError, match=sentence) as refused:
        await examined(connected, name)
    assert next_step in refused.value.next_step
    assert not any(api.requests for api in apis.values())


def test_the_terminal_reads_as_much_as_slack_does_by_default() -> None:
    assert (Checks().deadline_seconds, Checks().log_lines) == (DEADLINE_SECONDS, LOG_LINES)
