"""What a census asks for, and what comes of it: the same of both clusters."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from datetime import timedelta

import pytest

from bot import objects
from bot.census import census
from bot.kube.client import Cluster, connect, utc_now
from bot.kube.permissions import LIST_SECRETS
from bot.kube.stream import StartAgainError, stream
from bot.model import Inventory, ItemKind
from demo.cluster import ClusterServer, Fault
from demo.cluster.faults import Kind
from tests.cluster.api import JsonObject
from tests.contract.cluster.side import ACCOUNT_NAME, TOKEN_SECRET, Side
from tests.contract.cluster.test_reading import METADATA_LIST, TABLE, get_as
from tests.unit.test_embedded import kubeconfig

GENERATED = "robot-token-x7k2p"
MANAGER = {"fieldManager": "kube-controller-manager"}
NOT_TYPES = "type!=kubernetes.io/service-account-token,type!=kubernetes.io/tls"


async def inventory(side: Side) -> Inventory:
    cluster = await connect("here", kubeconfig=side.kubeconfig)
    try:
        return await census(
            cluster, namespaces=(side.namespace,), scan_secrets=True, now=utc_now, monotonic=time.monotonic
        )
    finally:
        await cluster.close()


async def pages(side: Side, params: dict[str, str], accept: str = METADATA_LIST) -> AsyncIterator[JsonObject]:
    place = ""
    while True:
        more = {"continue": place} if place else {}
        found = await get_as(side, accept, f"{side.root}/secrets", {**params, **more})
        yield found
        place = found["metadata"].get("continue", "")
        if not place:
            return


def names(found: Sequence[JsonObject]) -> list[list[str]]:
    """An empty page of metadata has `null` for its items."""
    return [[each["metadata"]["name"] for each in page["items"] or ()] for page in found]


@pytest.fixture
async def secrets(side: Side) -> Side:
    await side.account("robot")
    for name in ("a", "c", "e"):
        await side.token_secret(name, "robot")
    for name in ("b", "d"):
        await side.secret(name, {"password": "marked"})
    await side.secret("f", {"tls.crt": "", "tls.key": ""}, type="kubernetes.io/tls")
    return side


async def test_token_secrets_come_page_by_page_and_without_their_tokens(secrets: Side) -> None:
    found = [page async for page in pages(secrets, {"fieldSelector": f"type={TOKEN_SECRET}", "limit": "2"})]
    assert names(found) == [["a", "c"], ["e"]]
    assert {page["kind"] for page in found} == {"PartialObjectMetadataList"}
    assert not any("remainingItemCount" in page["metadata"] for page in found)
    for each in (item for page in found for item in page["items"]):
        assert set(each) == {"kind", "apiVersion", "metadata"}
        assert each["metadata"]["annotations"][ACCOUNT_NAME] == "robot"
        written = {one["manager"]: one["fieldsV1"] for one in each["metadata"]["managedFields"]}
        # By this the bot knows that it is filled: nothing else of the data is told.
        assert "f:token" in written["kube-controller-manager"]["f:data"]


async def test_the_others_come_with_their_data_but_for_some_types(secrets: Side) -> None:
    found = [page async for page in pages(secrets, {"fieldSelector": NOT_TYPES, "limit": "1"}, "application/json")]
    assert names(found) == [["b"], ["d"], []], "there is a Secret behind them, whatever it is"
    assert found[-1]["items"] == []
    assert all(each["data"] == {"password": "bWFya2Vk"} for page in found for each in page["items"])


async def test_more_is_promised_while_anything_is_left(secrets: Side) -> None:
    """Also where nothing of it is wanted: only the page after that says so, and its items are `null`."""
    found = [page async for page in pages(secrets, {"fieldSelector": f"type={TOKEN_SECRET}", "limit": "3"})]
    assert names(found) == [["a", "c", "e"], []]
    assert found[-1]["items"] is None
    found = [page async for page in pages(secrets, {"limit": "6"})]
    assert names(found) == [["a", "b", "c", "d", "e", "f"]]


@pytest.mark.parametrize(
    ("accept", "field"), [(METADATA_LIST, "items"), (TABLE, "rows"), ("application/json", "items")]
)
async def test_an_empty_list(side: Side, accept: str, field: str) -> None:
    found = await get_as(side, accept, f"{side.root}/secrets")
    assert found[field] == ([] if accept != METADATA_LIST else None)


async def shop(side: Side) -> None:
    """One of each that a census tells of."""
    quiet = {"automountServiceAccountToken": False}
    for name in ("robot", "old", "worker"):
        await side.account(name)
    await side.token_secret("by-hand", "robot")
    body = {"metadata": {"name": GENERATED, "annotations": {ACCOUNT_NAME: "old"}}, "type": TOKEN_SECRET}
    await side.api.post(f"{side.root}/secrets", body, MANAGER)
    await side.api.patch(f"{side.root}/serviceaccounts/old", {"secrets": [{"name": GENERATED}]})
    await side.token_secret("mounted", "robot")
    volume = {"name": "t", "secret": {"secretName": "mounted"}}
    await side.pod("mounting", serviceAccountName="worker", volumes=[volume], **quiet)
    source = {"serviceAccountToken": {"path": "token", "expirationSeconds": 600}}
    mount = {"name": "api", "mountPath": "/var/run/api/token", "subPath": "token"}
    copied = {
        "containers": [{"name": "app", "image": "shop/app:1", "volumeMounts": [mount]}],
        "volumes": [{"name": "api", "projected": {"sources": [source]}}],
    }
    await side.pod("copied", serviceAccountName="worker", **copied, **quiet)
    await side.pod("careless")
    claims = await side.tokens.bound_claims(side.namespace, "robot")
    born = claims["iat"] - int(timedelta(days=200).total_seconds())
    for name, days in (("soon", 3), ("later", 100)):
        ends = claims["iat"] + int(timedelta(days=days).total_seconds())
        token = side.tokens.sign({**claims, "iat": born, "nbf": born, "exp": ends})
        await side.secret(f"{name}-kubeconfig", {"value": kubeconfig({"deployer": {"token": token}})})


async def test_a_census_finds_the_same(side: Side) -> None:
    await shop(side)
    found = await inventory(side)
    assert {(item.kind, item.object_kind, item.name, item.place, item.cause) for item in found.items} == {
        (ItemKind.MANUAL_SECRET, "Secret", "by-hand", "", ""),
        (ItemKind.MANUAL_SECRET, "Secret", "mounted", "", "legacy-secret-mounted"),
        (ItemKind.LEGACY_SECRET, "Secret", GENERATED, "", "secret-listed-on-service-account"),
        (ItemKind.EMBEDDED_TOKEN, "Secret", "soon-kubeconfig", "key value, user deployer", "embedded-token-expiring"),
        (ItemKind.SUBPATH_MOUNT, "Pod", "copied", "app: /var/run/api/token", "token-mounted-by-subpath"),
        (ItemKind.DEFAULT_ACCOUNT, "Pod", "careless", "", "default-service-account"),
    }
    scanned = found.scanned
    assert (scanned.namespaces, scanned.token_secrets, scanned.pods, scanned.secrets) == (1, 3, 3, 2)
    assert found.unscanned == ()


@pytest.fixture
async def connected(embedded: Side) -> AsyncIterator[Cluster]:
    found = await connect("here", kubeconfig=embedded.kubeconfig)
    yield found
    await found.close()


KEPT = [f"settings-{number:02d}" for number in range(20)]


async def listed(embedded: Side, connected: Cluster) -> AsyncGenerator[tuple[objects.Named, ...], None]:
    for name in KEPT:
        await embedded.secret(name)
    return stream(
        connected.main, LIST_SECRETS, objects.Named, namespace=embedded.namespace, page=5, accept=METADATA_LIST
    )


async def rest(some: AsyncIterator[tuple[objects.Named, ...]]) -> list[str]:
    return [each.metadata.name async for items in some for each in items]


async def test_a_list_that_was_forgotten_goes_on_as_it_is_now(
    embedded: Side, connected: Cluster, cluster: ClusterServer
) -> None:
    """410 with a place to go on from, as tests/cluster/test_stream.py has it from the real one."""
    found: list[str] = []
    async with aclosing(await listed(embedded, connected)) as some:
        for _ in range(2):
            found += [each.metadata.name for each in await anext(some)]
        await embedded.api.delete(f"{embedded.root}/secrets/{KEPT[0]}")
        await embedded.api.delete(f"{embedded.root}/secrets/{KEPT[-1]}")
        await embedded.secret("aaa")
        await embedded.secret("zzz")
        cluster.machinery.store.compact()
        found += await rest(some)
    assert found == [*KEPT[:-1], "zzz"]


async def test_a_list_that_was_forgotten_without_a_place_is_begun_anew(
    embedded: Side, connected: Cluster, cluster: ClusterServer
) -> None:
    async with aclosing(await listed(embedded, connected)) as some:
        await anext(some)
        cluster.fault(Fault("expired", verb="list", resource="secrets"))
        with pytest.raises(StartAgainError):
            await rest(some)


@pytest.mark.parametrize("kind", ["too-many", "internal", "reset"])
async def test_a_census_gets_through_what_happens_to_an_api_server(
    embedded: Side, cluster: ClusterServer, kind: Kind
) -> None:
    await shop(embedded)
    before = await inventory(embedded)
    cluster.fault(Fault(kind, seconds=0, verb="list", resource="secrets"))
    try:
        found = await inventory(embedded)
        assert cluster.faults.left == []
    finally:
        cluster.faults.clear()
    assert found.unscanned == ()
    assert {item.key for item in found.items} == {item.key for item in before.items}
    assert found.scanned == before.scanned
