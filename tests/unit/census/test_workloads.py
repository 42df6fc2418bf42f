"""Pods fold into what makes them, and what is at risk in them is told once a workload."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.census.wire import Pod
from bot.census.workloads import maker_of
from bot.model import ActionKind, ItemKind, Severity
from tests.unit.census.world import FACTS, NOW, YEAR, World, account, counted, items, only, pod, projected

MINUTES = int((NOW - timedelta(minutes=20)).timestamp()) // 60
ADMISSION = projected(3607)


def world(*pods: dict[str, Any]) -> World:
    return World(accounts=[account(), account("default")], pods=list(pods))


def made(found: dict[str, Any]) -> str:
    return str(maker_of(msgspec.convert(found, Pod)))


@pytest.mark.parametrize(
    ("found", "maker"),
    [
        (pod(), "deployment checkout"),
        (pod(labels={}), "replicaset checkout-5d9c7b8f6d"),
        (pod(labels={"pod-template-hash": "other"}), "replicaset checkout-5d9c7b8f6d"),
        (pod(owner=("StatefulSet", "db")), "statefulset db"),
        (pod(owner=("DaemonSet", "agent")), "daemonset agent"),
        (pod(owner=("Job", f"nightly-{MINUTES}")), "cronjob nightly"),
        (pod(owner=("Job", f"nightly-{MINUTES + 600}")), f"job nightly-{MINUTES + 600}"),
        (pod(owner=("Job", f"nightly-{MINUTES}"), born=NOW - timedelta(days=9)), f"job nightly-{MINUTES}"),
        (pod(owner=("Job", "import-20261122")), "job import-20261122"),
        (pod("lonely", owner=None), "pod lonely"),
    ],
)
def test_what_makes_a_pod_is_said_as_far_as_its_names_are_certain(found: dict[str, Any], maker: str) -> None:
    if maker == "cronjob nightly":
        found["metadata"]["creationTimestamp"] = (NOW - timedelta(minutes=19)).isoformat()
    assert made(found) == maker


async def test_replicas_are_one_item_and_the_oldest_container_counts() -> None:
    spec = projected(600, sub_path="token")
    pods = [pod(f"checkout-5d9c7b8f6d-{n}", started=NOW - timedelta(minutes=n), **spec) for n in (2, 9, 5)]
    item = await only(world(*pods))
    assert (item.kind, item.object_kind, item.name) == (ItemKind.SUBPATH_MOUNT, "Deployment", "checkout")
    assert item.place == "app: /var/run/secrets/api/token"
    assert item.used == "3 pods"
    assert item.ends == NOW + timedelta(minutes=1)
    assert item.severity is Severity.WARNING
    (offer,) = item.offers
    assert (offer.kind, str(offer.ref)) == (ActionKind.RESTART_WORKLOAD, "deployment shop/checkout")
    assert offer.ref.api_version == "apps/v1"


async def test_a_copy_that_has_outlived_its_token_is_critical() -> None:
    item = await only(world(pod(started=NOW - timedelta(hours=3), **projected(3600, sub_path="token"))))
    assert (item.severity, item.ends) == (Severity.CRITICAL, NOW - timedelta(hours=2))
    assert "expired 2 h ago" in item.why


async def test_a_default_token_mounted_by_sub_path_lives_as_long_as_it_is_extended() -> None:
    found = world(pod(started=NOW - timedelta(days=360), **projected(3607, sub_path="token")))
    item = await only(found)
    assert item.ends == NOW + timedelta(days=5)
    item = await only(found, replace(FACTS, extension=None))
    assert (item.severity, item.ends) == (Severity.CRITICAL, NOW - timedelta(days=360) + timedelta(seconds=3607))


async def test_a_container_that_does_not_run_has_no_end() -> None:
    item = await only(world(pod(started=None, **projected(600, sub_path="token"))))
    assert (item.kind, item.ends) == (ItemKind.SUBPATH_MOUNT, None)


async def test_a_token_mounted_as_a_volume_is_no_risk() -> None:
    assert await items(world(pod(started=NOW - timedelta(days=100), **ADMISSION))) == ()


@pytest.mark.parametrize(
    ("days", "extension", "severity"),
    [
        (355, YEAR, Severity.WARNING),
        (350, YEAR, None),
        (366, YEAR, None),
        (355, None, None),
        (1.9, timedelta(days=2), Severity.INFO),
        (1, timedelta(days=2), None),
    ],
)
async def test_the_cliff_is_told_when_it_is_in_sight(
    days: float, extension: timedelta | None, severity: Severity | None
) -> None:
    started = NOW - timedelta(days=days)
    found = await items(world(pod(started=started, **ADMISSION)), replace(FACTS, extension=extension))
    assert [item.severity for item in found] == ([severity] if severity else [])
    for item in found:
        assert item.kind is ItemKind.EXTENDED_CLIFF
        assert item.ends == started + (extension or timedelta())
        assert [offer.kind for offer in item.offers] == [ActionKind.RESTART_WORKLOAD]
        assert "container app" in item.why


async def test_only_a_default_token_for_the_api_server_is_extended() -> None:
    started = NOW - timedelta(days=355)
    assert await items(world(pod(started=started, **projected(3600)))) == ()
    vault = world(pod(started=started, **projected(3607, audience="vault")))
    assert await items(vault) == ()
    assert len(await items(vault, replace(FACTS, audiences=frozenset({"vault"})))) == 1


async def test_a_lifetime_that_is_cut_is_told_but_not_that_of_admission() -> None:
    capped = replace(FACTS, ceiling=timedelta(hours=1), extension=None)
    item = await only(world(pod(**projected(86400))), capped)
    assert (item.kind, item.severity, item.ends) == (ItemKind.CAPPED_LIFETIME, Severity.INFO, None)
    assert "asks for a token of 1 d, and the API server gives 1 h at most" in item.why
    assert await items(world(pod(**ADMISSION)), capped) == ()


async def test_a_token_of_the_default_account_is_told_and_no_token_is_not() -> None:
    item = await only(world(pod(serviceAccountName="default", **ADMISSION)))
    assert (item.kind, item.severity, item.offers) == (ItemKind.DEFAULT_ACCOUNT, Severity.INFO, ())
    assert await items(world(pod(serviceAccountName="default"))) == ()


async def test_pods_that_have_ended_are_no_risk() -> None:
    ended = pod(phase="Succeeded", serviceAccountName="default", **projected(600, sub_path="token"))
    assert await items(world(ended)) == ()


@pytest.mark.parametrize("owner", [("Job", "import"), ("ReplicationController", "old"), None])
async def test_what_rolls_nothing_out_is_not_offered_a_restart(owner: tuple[str, str] | None) -> None:
    item = await only(world(pod(owner=owner, **projected(600, sub_path="token"))))
    assert item.offers == ()


async def test_a_restart_is_not_offered_without_the_account_that_new_pods_need() -> None:
    found = World(accounts=[account("default")], pods=[pod(**projected(600, sub_path="token"))])
    assert (await only(found)).offers == ()


async def test_the_owner_is_the_one_that_the_pods_name() -> None:
    labels = {"pod-template-hash": "5d9c7b8f6d", "team": "payments", "app.kubernetes.io/managed-by": "Helm"}
    item = await only(world(pod(labels=labels, **projected(600, sub_path="token"))))
    assert item.owner == "payments"


async def test_each_workload_is_counted_once() -> None:
    pods = [pod(f"checkout-5d9c7b8f6d-{n}", serviceAccountName="default", **ADMISSION) for n in range(50)]
    this = await counted(world(*pods), page=7)
    assert this.tally.tallies()["shop"].kinds == {ItemKind.DEFAULT_ACCOUNT: 1}
    assert this.scanned.pods == 50


PODS = st.builds(
    lambda number, seconds, sub_path, ago: pod(
        f"checkout-5d9c7b8f6d-{number}",
        started=datetime(2026, 11, 22, tzinfo=UTC) - timedelta(hours=ago),
        **projected(seconds, sub_path="token" if sub_path else ""),
    ),
    st.integers(0, 10**6),
    st.sampled_from([600, 3600, 3607, 86400]),
    st.booleans(),
    st.integers(0, 24 * 360),
)


@settings(deadline=None, max_examples=40)
@given(st.lists(PODS, max_size=6), st.randoms(), st.sampled_from([None, timedelta(hours=1)]))
async def test_the_order_of_replicas_makes_no_difference(
    pods: list[dict[str, Any]], random: Random, ceiling: timedelta | None
) -> None:
    shuffled = list(pods)
    random.shuffle(shuffled)
    renamed = [{**one, "metadata": {**one["metadata"], "name": f"p{n:03}"}} for n, one in enumerate(pods)]
    again = [{**one, "metadata": {**one["metadata"], "name": f"p{n:03}"}} for n, one in enumerate(shuffled)]
    facts = replace(FACTS, ceiling=ceiling)
    assert await items(world(*renamed), facts) == await items(world(*again), facts)
