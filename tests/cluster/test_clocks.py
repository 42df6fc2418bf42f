"""Clocks read off the real control plane: the bounds hold, and token-doctor's own wrong clock is nobody's fault."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.diagnosis import diagnose
from bot.diagnosis.clocks import node_behind, server_ahead
from bot.kube.client import connect
from bot.kube.facets.gather import gather
from bot.model import ObjectRef, Routes, Snapshot, Verdict
from tests.cluster.api import JsonObject
from tests.cluster.faults import Scene, by_name
from tests.cluster.plane import MakePlane, Plane
from tests.cluster.second import second_api_server


async def read(plane: Plane, pod: JsonObject, *, ahead: timedelta = timedelta(), exec_: bool = False) -> Snapshot:
    """As a token-doctor whose own clock is that far ahead."""

    def now() -> datetime:
        return datetime.now(UTC) + ahead

    meta = pod["metadata"]
    ref = ObjectRef(
        cluster="", api_version="v1", kind="Pod", namespace=meta["namespace"], name=meta["name"], uid=meta["uid"]
    )
    cluster = await connect("test", kubeconfig=plane.kubeconfig, now=now)
    try:
        return await gather(
            cluster, ref, routes=Routes(exec=exec_), deadline_seconds=20, log_lines=2000, others=(), now=now
        )
    finally:
        await cluster.close()


@pytest.mark.parametrize("hours", [-3.0, 0.0, 2.0])
async def test_our_own_wrong_clock_changes_no_answer(plane: Plane, namespace: str, hours: float) -> None:
    pod = await by_name("plain")(Scene(plane, namespace))
    ahead = timedelta(hours=hours)

    snapshot = await read(plane, pod, ahead=ahead)
    report = diagnose(snapshot)

    found = server_ahead(snapshot)
    assert found is not None
    assert found.most is not None
    assert found.least <= -ahead.total_seconds() <= found.most
    assert found.most - found.least < 2
    assert report.verdict is Verdict.HEALTHY, report.headline
    assert abs(report.taken_at - (snapshot.taken_at - ahead)) < timedelta(seconds=2)
    assert any(gap.facet == "exact_time" for gap in report.gaps) is bool(hours)


async def test_a_lease_bounds_a_slow_node_s_clock(plane: Plane, namespace: str) -> None:
    pod = await by_name("node_5_min_slow")(Scene(plane, namespace))

    behind = node_behind((await read(plane, pod)).node_lease.read())

    assert behind is not None
    assert behind.most is not None
    assert behind.least <= 300 <= behind.most
    assert behind.most - behind.least == pytest.approx(11)


async def test_each_api_server_that_answers_tells_its_clock(private_plane: MakePlane, own_address: str) -> None:
    own = await private_plane(address=own_address)
    pod = await by_name("plain")(Scene(own, await own.create_namespace()))
    async with second_api_server(own, other_keys=False) as other:
        snapshot = await read(own, pod, exec_=True)

    assert {own.api.url, other.url} <= {served.endpoint for served in snapshot.dates}
    assert len(snapshot.identity_leases.read().leases) >= 1
    assert "clock-skew-api-server" not in {finding.code for finding in diagnose(snapshot).findings}
