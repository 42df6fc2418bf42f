"""What other configured clusters publish: one that does not answer costs itself only."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.kube.client import Cluster, connect
from bot.kube.facets.gather import gather
from bot.model import ClusterIssuer, Facet, GapKind, ObjectRef, Routes
from tests.unit.kube.fake_api import NAMESPACE, POD, FakeApi, healthy, refuses, says, served

REF = ObjectRef(cluster="here", api_version="v1", kind="Pod", namespace=NAMESPACE, name=POD)


@pytest.fixture
async def elsewhere() -> AsyncIterator[FakeApi]:
    fake = FakeApi()
    healthy(fake)
    fake.on("/openid/v1/jwks", says({"keys": [{"kid": "key-2"}]}))
    server = await served(fake)
    yield fake
    await server.close()


async def issuers(cluster: Cluster, others: list[Cluster]) -> Facet[tuple[ClusterIssuer, ...]]:
    snapshot = await gather(
        cluster,
        REF,
        routes=Routes(),
        deadline_seconds=10,
        log_lines=10,
        others=others,
        now=lambda: datetime(2026, 11, 22, 13, 5, tzinfo=UTC),
    )
    assert snapshot.discovery.gap is None
    return snapshot.other_issuers


async def another(api: FakeApi, folder: Path, name: str) -> Cluster:
    place = folder / name
    place.mkdir()
    return await connect(name, kubeconfig=api.kubeconfig(place))


async def test_without_others_there_are_none(cluster: Cluster) -> None:
    assert (await issuers(cluster, [])).read() == ()


async def test_another_cluster_s_keys_are_read(cluster: Cluster, elsewhere: FakeApi, tmp_path: Path) -> None:
    other = await another(elsewhere, tmp_path, "other")
    (found,) = (await issuers(cluster, [other])).read()
    await other.close()

    assert (found.cluster, found.discovery.key_ids) == ("other", ("key-2",))


async def test_one_that_fails_is_left_out_and_all_that_fail_are_a_gap(
    cluster: Cluster, elsewhere: FakeApi, tmp_path: Path
) -> None:
    other = await another(elsewhere, tmp_path, "other")
    broken = await another(elsewhere, tmp_path, "broken")
    broken.main.server = type(broken.main.server)(url="http://127.0.0.1:1")

    assert [found.cluster for found in (await issuers(cluster, [broken, other])).read()] == ["other"]
    gap = (await issuers(cluster, [broken])).gap
    await other.close()
    await broken.close()

    assert gap is not None
    assert gap.kind is GapKind.UNAVAILABLE


async def test_another_cluster_that_refuses_the_bot_is_no_reason_to_stop(
    cluster: Cluster, elsewhere: FakeApi, tmp_path: Path
) -> None:
    other = await another(elsewhere, tmp_path, "other")
    elsewhere.accepted = set()
    gap = (await issuers(cluster, [other])).gap
    await other.close()

    assert gap is not None
    assert "cluster other refuses" in gap.reason


async def test_an_api_server_that_publishes_no_issuer_is_unobservable(
    cluster: Cluster, elsewhere: FakeApi, tmp_path: Path
) -> None:
    elsewhere.on("/openid/v1/jwks", refuses(404, "not found"))
    other = await another(elsewhere, tmp_path, "other")
    gap = (await issuers(cluster, [other])).gap
    await other.close()

    assert gap is not None
    assert gap.kind is GapKind.UNOBSERVABLE
