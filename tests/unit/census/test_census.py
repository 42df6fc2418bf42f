"""The whole census against an API server at HTTP level: rights, namespaces, lists that have to be begun again."""

import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.census import Progress, census
from bot.errors import ClusterForbiddenError, ClusterUnreachableError
from bot.kube.client import Cluster, connect, utc_now
from bot.model import Inventory, ItemKind
from tests.unit import jwts
from tests.unit.census.world import account, pod, secret, token_secret
from tests.unit.kube.fake_api import Answer, FakeApi, component, forbids, listed, refuses, says, served

TRACKING = "/api/v1/namespaces/kube-system/configmaps/kube-apiserver-legacy-service-account-token-tracking"
NAMESPACES = ("cart", "shop")
MARKED = jwts.token({**jwts.BOUND, "exp": int((datetime.now(UTC) + timedelta(days=3)).timestamp())})


def of_namespace(objects: Iterable[dict[str, Any]], namespace: str) -> list[dict[str, Any]]:
    return [each for each in objects if namespace in {"", each["metadata"]["namespace"]}]


@asynccontextmanager
async def served_cluster() -> AsyncIterator[FakeApi]:
    """Two namespaces, each with an account, a legacy token, a pod and a Secret with a token in it."""
    fake = FakeApi()
    fake.on("/version", says({"gitVersion": "v1.36.3"}))
    fake.on("/.well-known/openid-configuration", says({"issuer": "https://issuer.test"}))
    fake.on("/openid/v1/jwks", says({"keys": []}))
    fake.on(TRACKING, says({"data": {"since": "2024-01-01"}}))
    fake.on("/api/v1/namespaces/kube-system/pods", says(listed(component("kube-apiserver"))))
    fake.on("/api/v1/namespaces", says(listed(*({"metadata": {"name": name}} for name in NAMESPACES))))
    for name in NAMESPACES:
        fake.on(f"/api/v1/namespaces/{name}", says({"metadata": {"name": name}}))
    for place in ("", *NAMESPACES):
        root = f"/api/v1/namespaces/{place}" if place else "/api/v1"
        for resource, objects in objects_of().items():
            fake.on(f"{root}/{resource}", says(listed(*of_namespace(objects, place))))
        fake.on(f"{root}/secrets", secrets(place))
    server = await served(fake)
    yield fake
    await server.close()


@pytest.fixture
async def api() -> AsyncIterator[FakeApi]:
    async with served_cluster() as fake:
        yield fake


def objects_of() -> dict[str, list[dict[str, Any]]]:
    return {
        "serviceaccounts": [account(namespace=name) for name in NAMESPACES],
        "pods": [pod(f"checkout-5d9c7b8f6d-{name}", namespace=name) for name in NAMESPACES],
    }


def secrets(place: str) -> Answer:
    """Token Secrets to whom asks for that type, the others to whom asks for the others."""
    tokens = [token_secret(namespace=name) for name in NAMESPACES]
    others = [secret("ci", {"t": MARKED}, namespace=name) for name in NAMESPACES]

    async def answer(request: web.Request) -> web.StreamResponse:
        is_token = "type=" in request.query["fieldSelector"].split(",")[0].replace("!=", "")
        return await says(listed(*of_namespace(tokens if is_token else others, place)))(request)

    return answer


@pytest.fixture
async def cluster(api: FakeApi, tmp_path: Path) -> AsyncIterator[Cluster]:
    found = await connect("prod", kubeconfig=api.kubeconfig(tmp_path))
    yield found
    await found.close()


async def taken(cluster: Cluster, *namespaces: str, scan_secrets: bool = False) -> Inventory:
    return await census(
        cluster, namespaces=namespaces or ("*",), scan_secrets=scan_secrets, now=utc_now, monotonic=time.monotonic
    )


def found_in(inventory: Inventory) -> dict[str, set[str]]:
    return {name: {kind.value for kind in tally.kinds} for name, tally in inventory.tallies.items()}


async def test_with_all_rights_it_lists_the_whole_cluster_once(api: FakeApi, cluster: Cluster) -> None:
    inventory = await taken(cluster, scan_secrets=True)
    assert found_in(inventory) == {name: {"manual-secret", "embedded-token"} for name in NAMESPACES}
    assert inventory.unscanned == ()
    scanned = inventory.scanned
    assert (scanned.namespaces, scanned.token_secrets, scanned.service_accounts, scanned.pods, scanned.secrets) == (
        2,
        2,
        2,
        2,
        2,
    )
    assert len(api.asked("/api/v1/secrets")) == 2
    assert not api.asked("/api/v1/namespaces/shop/secrets")


async def test_the_data_is_not_asked_for_unless_it_is_to_be_read(api: FakeApi, cluster: Cluster) -> None:
    inventory = await taken(cluster)
    (asked,) = api.asked("/api/v1/secrets")
    assert "as=PartialObjectMetadataList" in asked.headers["Accept"]
    assert asked.query["fieldSelector"] == "type=kubernetes.io/service-account-token"
    assert inventory.scanned.secrets is None
    (line,) = inventory.unscanned
    assert (line.reason, line.by_choice) == ("switched off", True)
    assert not inventory.could_see(ItemKind.EMBEDDED_TOKEN, "shop")
    assert inventory.could_see(ItemKind.MANUAL_SECRET, "shop")


async def test_no_token_that_was_read_is_in_the_inventory(cluster: Cluster) -> None:
    inventory = await taken(cluster, scan_secrets=True)
    assert not any(part in repr(inventory) for part in MARKED.split("."))


async def test_where_the_whole_cluster_may_not_be_listed_each_namespace_is(api: FakeApi, cluster: Cluster) -> None:
    for resource in ("secrets", "pods", "serviceaccounts"):
        api.on(f"/api/v1/{resource}", forbids("list", resource, namespace=""))
    api.on("/api/v1/namespaces/cart/secrets", forbids("list", "secrets", namespace="cart"))
    inventory = await taken(cluster)
    assert found_in(inventory) == {"shop": {"manual-secret"}}
    wrong = [line for line in inventory.unscanned if not line.by_choice]
    assert [(line.what, line.namespaces, line.count) for line in wrong] == [("token Secrets", ("cart",), 1)]
    assert "a Role in namespace cart" in wrong[0].mend
    assert not inventory.could_see(ItemKind.MANUAL_SECRET, "cart")
    assert inventory.could_see(ItemKind.MANUAL_SECRET, "shop")


async def test_a_bot_that_may_read_nothing_is_told_which_right_it_lacks(api: FakeApi, cluster: Cluster) -> None:
    api.on("/api/v1/namespaces", forbids("list", "namespaces", namespace=""))
    for resource in ("secrets", "pods", "serviceaccounts"):
        api.on(f"/api/v1/{resource}", forbids("list", resource, namespace=""))
    with pytest.raises(ClusterForbiddenError, match="Nothing of cluster prod could be read") as refused:
        await taken(cluster)
    assert "ClusterRole" in refused.value.next_step


async def test_namespaces_that_are_named_need_no_list_of_namespaces(api: FakeApi, cluster: Cluster) -> None:
    api.on("/api/v1/namespaces", forbids("list", "namespaces", namespace=""))
    inventory = await taken(cluster, "shop")
    assert found_in(inventory) == {"shop": {"manual-secret"}}
    assert not api.asked("/api/v1/secrets")
    assert inventory.namespaces == ("shop",)


async def test_a_pattern_chooses_namespaces(api: FakeApi, cluster: Cluster) -> None:
    assert found_in(await taken(cluster, "sh*")) == {"shop": {"manual-secret"}}
    assert not api.asked("/api/v1/secrets")
    api.on("/api/v1/namespaces", forbids("list", "namespaces", namespace=""))
    assert found_in(await taken(cluster, "sh*")) == {"shop": {"manual-secret"}}, "from lists of the whole cluster"


async def test_a_namespace_that_does_not_exist_is_not_a_healthy_one(cluster: Cluster) -> None:
    inventory = await taken(cluster, "shopp")
    (line,) = [one for one in inventory.unscanned if not one.by_choice]
    assert (line.what, line.namespaces) == ("everything", ("shopp",))
    assert inventory.items == ()


async def test_nothing_that_answers_is_said_so_at_once(api: FakeApi, cluster: Cluster) -> None:
    api.on("/version", refuses(503, "etcd is down"))
    with pytest.raises(ClusterUnreachableError, match="etcd is down") as refused:
        await taken(cluster)
    assert refused.value.next_step


async def test_an_aspect_that_breaks_leaves_the_others(api: FakeApi, cluster: Cluster) -> None:
    api.on("/api/v1/pods", refuses(400, "a bug"))
    inventory = await taken(cluster)
    assert found_in(inventory) == {name: {"manual-secret"} for name in NAMESPACES}
    (line,) = [one for one in inventory.unscanned if not one.by_choice]
    assert line.what == "pods"
    assert "a bug" in line.reason
    assert all(item.offers == () for item in inventory.items)


async def test_a_list_without_a_place_to_go_on_from_is_begun_again(api: FakeApi, cluster: Cluster) -> None:
    whole = objects_of()["pods"]
    first, rest = says(listed(whole[0], following="there")), says(listed(whole[1]))
    gone = refuses(410, "the continue parameter is too old", "Expired")
    api.on("/api/v1/pods", first, gone, first, rest)
    inventory = await taken(cluster)
    assert inventory.scanned.pods == 2
    assert inventory.tallies["shop"].kinds == {ItemKind.MANUAL_SECRET: 1}
    assert [one for one in inventory.unscanned if not one.by_choice] == []


async def test_a_list_that_never_ends_is_given_up_and_the_others_count(api: FakeApi, cluster: Cluster) -> None:
    first = says(listed(objects_of()["pods"][0], following="there"))
    gone = refuses(410, "the continue parameter is too old", "Expired")
    api.on("/api/v1/pods", *(first, gone) * 6)
    inventory = await taken(cluster)
    (line,) = [one for one in inventory.unscanned if not one.by_choice]
    assert line.what == "pods"
    assert inventory.tallies["shop"].kinds == {ItemKind.MANUAL_SECRET: 1}


async def test_lists_in_another_order_are_counted_all_the_same(api: FakeApi, cluster: Cluster) -> None:
    """Nobody promises the order: a server that keeps another one is read without forgetting anything."""
    accounts, pods = objects_of()["serviceaccounts"], objects_of()["pods"]
    api.on("/api/v1/serviceaccounts", *(says(listed(accounts[1], following="there")), says(listed(accounts[0]))) * 2)
    api.on("/api/v1/pods", *(says(listed(pods[1], following="there")), says(listed(pods[0]))) * 2)
    inventory = await taken(cluster)
    assert found_in(inventory) == {name: {"manual-secret"} for name in NAMESPACES}
    assert inventory.scanned.pods == 2


async def test_the_tracking_that_may_not_be_read_is_told(api: FakeApi, cluster: Cluster) -> None:
    api.on(TRACKING, forbids("get", "configmaps", namespace="kube-system"))
    inventory = await taken(cluster)
    (line,) = [one for one in inventory.unscanned if not one.by_choice]
    assert line.what == "since when uses of legacy tokens are recorded"
    assert all("was not read" in item.used for item in inventory.items)


async def test_a_managed_control_plane_spoils_nothing(api: FakeApi, cluster: Cluster) -> None:
    api.on("/api/v1/namespaces/kube-system/pods", says(listed()))
    inventory = await taken(cluster)
    assert [line.by_choice for line in inventory.unscanned] == [True, True]
    assert all(line.by_choice for line in inventory.unscanned)
    assert not inventory.could_see(ItemKind.CAPPED_LIFETIME, "shop")


async def test_it_says_how_far_it_is(cluster: Cluster) -> None:
    told: list[Progress] = []
    await census(cluster, now=utc_now, monotonic=time.monotonic, progress=told.append)
    assert told[-1].passed == told[-1].total == 2
    passed = [one.passed for one in told]
    assert passed == sorted(passed)
    assert told[-1].scanned.token_secrets == 2


async def test_without_the_pods_it_says_so(api: FakeApi, cluster: Cluster) -> None:
    inventory = await census(cluster, pods=False, now=utc_now, monotonic=time.monotonic)
    assert not api.asked("/api/v1/pods")
    assert {line.what for line in inventory.unscanned} == {"pods", "credentials inside other Secrets"}
    assert all(line.by_choice for line in inventory.unscanned)
    assert all(item.used.startswith("which pods use it was not read") for item in inventory.items)
