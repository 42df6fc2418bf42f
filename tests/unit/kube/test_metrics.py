"""The API server's counts: only the lines that are wanted, only where they can tell something, and once for many."""

import asyncio
from datetime import UTC, datetime

from bot.kube.client import Cluster
from bot.kube.facets.gather import gather
from bot.model import GapKind, ObjectRef, Routes, Snapshot
from tests.unit.kube.fake_api import NAMESPACE, POD, UID, FakeApi, breaks_off, refuses, says

NOW = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
THE_POD = ObjectRef(cluster="here", api_version="v1", kind="Pod", namespace=NAMESPACE, name=POD, uid=UID)
ACCOUNT = ObjectRef(cluster="here", api_version="v1", kind="ServiceAccount", namespace=NAMESPACE, name="checkout")
METRICS = b"""# HELP serviceaccount_stale_tokens_total [ALPHA] Cumulative stale projected service account tokens used
# TYPE serviceaccount_stale_tokens_total counter
serviceaccount_stale_tokens_total 12
serviceaccount_valid_tokens_total 1.234567e+06
serviceaccount_legacy_tokens_total 3
authentication_attempts{result="error"} 4
authentication_attempts{result="success"} 99
process_start_time_seconds 1.7952e+09
apiserver_request_total{code="200",resource="serviceaccount_stale_tokens_total 77"} 5
"""


async def read(cluster: Cluster, ref: ObjectRef = ACCOUNT, now: datetime = NOW) -> Snapshot:
    return await gather(cluster, ref, routes=Routes(), deadline_seconds=10, log_lines=100, others=[], now=lambda: now)


async def test_just_the_counts_of_tokens_are_kept(api: FakeApi, cluster: Cluster) -> None:
    api.on("/metrics", says(METRICS))

    found = (await read(cluster)).token_counts.read()

    assert (found.stale, found.valid, found.legacy, found.refused) == (12, 1234567, 3, 4)
    assert found.invalidated is None
    assert found.endpoint == api.url
    assert found.started_at == datetime.fromtimestamp(1.7952e9, UTC)


async def test_megabytes_of_other_lines_are_read_past(api: FakeApi, cluster: Cluster) -> None:
    other = b'apiserver_request_duration_seconds_bucket{le="0.05",resource="pods"} 17\n' * 50_000
    api.on("/metrics", says(other + METRICS.rstrip(b"\n")))
    assert (await read(cluster)).token_counts.read().stale == 12


async def test_a_pod_s_check_does_not_wait_for_them(api: FakeApi, cluster: Cluster) -> None:
    api.on("/metrics", says(METRICS))
    gap = (await read(cluster, THE_POD)).token_counts.gap
    assert gap
    assert gap.kind is GapKind.NOT_APPLICABLE
    assert not api.asked("/metrics")


async def test_several_readers_share_one_reading(api: FakeApi, cluster: Cluster) -> None:
    api.on("/metrics", says(METRICS))

    snapshots = await asyncio.gather(*(read(cluster) for _ in range(3)))

    assert [found.token_counts.read().stale for found in snapshots] == [12, 12, 12]
    assert len(api.asked("/metrics")) == 1
    await read(cluster, now=NOW.replace(minute=7))
    assert len(api.asked("/metrics")) == 2


async def test_without_the_right_it_is_denied_with_the_rule(api: FakeApi, cluster: Cluster) -> None:
    api.on("/metrics", refuses(403, 'forbidden: User "bot" cannot get path "/metrics"', "Forbidden"))
    gap = (await read(cluster)).token_counts.gap
    assert gap
    assert gap.kind is GapKind.DENIED
    assert 'nonResourceURLs: ["/metrics"]' in gap.mend


async def test_a_broken_answer_is_no_count(api: FakeApi, cluster: Cluster) -> None:
    api.on("/metrics", breaks_off)
    gap = (await read(cluster)).token_counts.gap
    assert gap
    assert gap.kind is GapKind.UNAVAILABLE
