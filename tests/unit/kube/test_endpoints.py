"""Each API server by itself: what it says, and what becomes of one that does not answer."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.kube.client import Cluster, connect
from bot.kube.facets import control_plane as module
from bot.kube.facets.gather import gather
from bot.model import EndpointDiscovery, Facet, GapKind, ObjectRef, Routes
from tests.unit.kube.fake_api import NAMESPACE, Answer, FakeApi, forbids, hangs, healthy, refuses, says, served

REF = ObjectRef(cluster="here", api_version="v1", kind="Namespace", namespace=NAMESPACE, name=NAMESPACE)


@pytest.fixture
async def second() -> AsyncIterator[FakeApi]:
    """Another API server of the cluster, with a key of its own."""
    api = FakeApi()
    healthy(api)
    api.on("/openid/v1/jwks", says({"keys": [{"kid": "key-2", "alg": "RS256"}]}))
    server = await served(api)
    yield api
    await server.close()


@pytest.fixture
async def both(api: FakeApi, second: FakeApi, tmp_path: Path) -> AsyncIterator[Cluster]:
    connected = await connect("here", kubeconfig=api.kubeconfig(tmp_path), endpoints=[api.url, second.url])
    yield connected
    await connected.close()


async def asked(cluster: Cluster) -> Facet[tuple[EndpointDiscovery, ...]]:
    snapshot = await gather(
        cluster,
        REF,
        routes=Routes(),
        deadline_seconds=10,
        log_lines=100,
        others=[],
        now=lambda: datetime(2026, 11, 22, 13, 5, tzinfo=UTC),
    )
    return snapshot.endpoint_discoveries


async def test_each_is_asked_at_its_own_address(second: FakeApi, both: Cluster) -> None:
    second.on("/version", says({"gitVersion": "v1.35.9"}))
    (found,) = (await asked(both)).read()
    assert (found.endpoint, found.version) == (second.url, "v1.35.9")
    assert found.discovery is not None
    assert found.discovery.key_ids == ("key-2",)


async def test_one_that_publishes_no_issuer_has_answered(second: FakeApi, both: Cluster) -> None:
    second.answers.pop("/openid/v1/jwks")
    found = await asked(both)
    assert found.missing is None
    assert found.read() == (EndpointDiscovery(endpoint=second.url),)


async def test_one_that_hangs_is_said_and_left_alone_for_a_while(
    second: FakeApi, both: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_DIRECT_SECONDS", 0.2)
    second.on("/version", hangs)

    first, again = await asked(both), await asked(both)

    for found in (first, again):
        assert found.read() == ()
        assert found.missing is not None
        assert found.missing.kind is GapKind.TIMED_OUT
    assert len(second.asked("/version")) == 1


@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        (refuses(401, "Unauthorized"), GapKind.UNAVAILABLE, "refuses token-doctor's own credentials (401)"),
        (forbids("get", "/version", namespace=""), GapKind.DENIED, "may not get"),
        (refuses(500, "panic"), GapKind.UNAVAILABLE, "answered 500"),
    ],
    ids=["401", "403", "500"],
)
async def test_what_a_configured_one_cannot_say_spoils_the_answer(
    second: FakeApi, both: Cluster, answer: Answer, kind: GapKind, reason: str
) -> None:
    second.on("/version", answer)

    found = (await asked(both)).missing

    assert found is not None
    assert found.kind is kind
    assert reason in found.reason
