"""Leases and dates: which clock wrote what, and what is not told is not made up."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from bot.kube.client import Cluster
from bot.kube.facets.gather import gather
from bot.kube.permissions import GET_VERSION
from bot.kube.read import get
from bot.model import GapKind, ObjectRef, Routes, Snapshot
from bot.objects import Version
from tests.unit.kube.fake_api import (
    IDENTITY_LEASES_PATH,
    NAMESPACE,
    NODE_LEASE_PATH,
    POD,
    POD_PATH,
    UID,
    FakeApi,
    lease,
    listed,
    pod,
    refuses,
    says,
)

REF = ObjectRef(cluster="here", api_version="v1", kind="Pod", namespace=NAMESPACE, name=POD, uid=UID)
WRITTEN = datetime(2026, 11, 22, 13, 4, 57, tzinfo=UTC)
RENEWED = WRITTEN + timedelta(milliseconds=120)


async def read(cluster: Cluster) -> Snapshot:
    return await gather(
        cluster, REF, routes=Routes(), deadline_seconds=10, log_lines=100, others=[], now=lambda: datetime.now(UTC)
    )


def entry(time: str, **owned: object) -> Mapping[str, object]:
    return {"manager": "somebody", "time": time, "fieldsV1": owned}


async def test_a_node_s_lease_tells_its_clock_and_the_api_server_s(cluster: Cluster) -> None:
    found = (await read(cluster)).node_lease.read()

    assert found is not None
    assert (found.renewed, found.written, found.duration_seconds) == (RENEWED, WRITTEN, 40)
    assert found.revision == 1204


async def test_whoever_owns_the_renewal_has_its_time(api: FakeApi, cluster: Cluster) -> None:
    """Another manager's entry is no renewal, and makes the order of writes worthless."""
    renewal = entry("2026-11-22T13:04:57Z", **{"f:spec": {"f:renewTime": {}}})
    label = entry("2026-11-22T13:04:59Z", **{"f:metadata": {"f:labels": {".": {}, "f:team": {}}}})
    api.on(NODE_LEASE_PATH, says(lease("node-1", "k3s", managedFields=[label, renewal])))

    found = (await read(cluster)).node_lease.read()

    assert found is not None
    assert (found.written, found.revision) == (WRITTEN, 0)


@pytest.mark.parametrize("fields", [[], [entry("2026-11-22T13:04:59Z", **{"f:metadata": {}})]])
async def test_without_managed_fields_the_api_server_s_time_is_unknown(
    api: FakeApi, cluster: Cluster, fields: list[object]
) -> None:
    api.on(NODE_LEASE_PATH, says(lease("node-1", "kubelet", managedFields=fields)))

    found = (await read(cluster)).node_lease.read()

    assert found is not None
    assert (found.renewed, found.written, found.revision) == (RENEWED, None, 0)


async def test_no_lease_and_no_node_is_no_gap(api: FakeApi, cluster: Cluster) -> None:
    api.on(NODE_LEASE_PATH, refuses(404, "not found"))
    assert (await read(cluster)).node_lease.read() is None

    api.on(POD_PATH, says(pod(nodeName="")))
    snapshot = await read(cluster)
    assert snapshot.node_lease.read() is None
    assert snapshot.node.read() is None


async def test_api_servers_without_identity_leases_are_unobservable(api: FakeApi, cluster: Cluster) -> None:
    api.on(IDENTITY_LEASES_PATH, says(listed()))

    gap = (await read(cluster)).identity_leases.gap

    assert gap is not None
    assert gap.kind is GapKind.UNOBSERVABLE
    assert not gap.kind.spoils


async def test_only_api_servers_leases_are_asked_for(api: FakeApi, cluster: Cluster) -> None:
    found = (await read(cluster)).identity_leases.read()

    (asked,) = api.asked(IDENTITY_LEASES_PATH)
    assert asked.query["labelSelector"] == "apiserver.kubernetes.io/identity=kube-apiserver"
    assert [each.holder for each in found.leases] == ["apiserver-a"]
    assert found.sent <= found.received


async def test_the_dates_of_this_reading_s_answers_are_kept_and_no_older_ones(cluster: Cluster) -> None:
    before = await read(cluster)
    after = await read(cluster)

    assert 1 <= len(after.dates) <= 2
    assert all(served.sent >= after.taken_at > before.taken_at for served in after.dates)
    assert all(abs(served.date - served.received) < timedelta(seconds=2) for served in after.dates)


@pytest.mark.parametrize("date", ["yesterday", "", "Sun, 22 Nov 2026 13:04:57"])
async def test_an_answer_without_a_date_that_can_be_read_tells_nothing(
    api: FakeApi, cluster: Cluster, date: str
) -> None:
    api.on("/version", says({"gitVersion": "v1.36.3"}, headers={"Date": date}))

    await get(cluster.main, GET_VERSION, Version)

    assert cluster.dates(since=WRITTEN - timedelta(days=9999)) == ()


async def test_a_node_s_conditions_and_taints_are_read(api: FakeApi, cluster: Cluster) -> None:
    ready = {"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown", "message": "stopped"}
    taint = {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute", "timeAdded": "2026-11-22T13:00:00Z"}
    api.on(
        "/api/v1/nodes/node-1",
        says({"metadata": {"name": "node-1"}, "spec": {"taints": [taint]}, "status": {"conditions": [ready]}}),
    )

    found = (await read(cluster)).node.read()

    assert found is not None
    assert found.status.conditions[0].status == "Unknown"
    assert found.spec.taints[0].time_added == datetime(2026, 11, 22, 13, tzinfo=UTC)
