"""The census on a real control plane: each fault made for real is named, once, and no token of any is seen."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from bot.actions.action import CannotActError
from bot.actions.catalog import ACTIONS
from bot.census import census
from bot.cli.inventory_json import inventory_json
from bot.errors import ClusterForbiddenError
from bot.kube.client import Cluster, connect, utc_now
from bot.kube.permissions import rules
from bot.model import ActionKind, Inventory, Item, ItemKind, ObjectRef, Routes, Rule
from tests.cluster.api import JsonObject
from tests.cluster.faults import Scene
from tests.cluster.faults.secret import TOKEN_SECRET, TRACKING, YEAR
from tests.cluster.plane import MakePlane, Plane
from tests.cluster.waiting import eventually
from tests.cluster.workloads import path_of
from tests.unit import jwts
from tests.unit.cli.goldens import inventory_text
from tests.unit.test_embedded import kubeconfig

LAST_USED, INVALID_SINCE = "kubernetes.io/legacy-token-last-used", "kubernetes.io/legacy-token-invalid-since"
GENERATED = "checkout-token-x7k2p"
MARKED = jwts.token({**jwts.BOUND, "planted": "everywhere"})
QUIET: JsonObject = {"automountServiceAccountToken": False}


async def taken(cluster: Cluster, *namespaces: str, scan_secrets: bool = False) -> Inventory:
    return await census(
        cluster, namespaces=namespaces or ("*",), scan_secrets=scan_secrets, now=utc_now, monotonic=time.monotonic
    )


def named(inventory: Inventory) -> Mapping[str, Item]:
    """By `Secret name`, `Deployment name`: no two have the same."""
    found = {f"{item.object_kind} {item.name}": item for item in inventory.items}
    assert len(found) == len(inventory.items), [item.key for item in inventory.items]
    return found


def offered(item: Item) -> list[ActionKind]:
    return [offer.kind for offer in item.offers]


class Shop:
    """A namespace with one of each fault."""

    def __init__(self, plane: Plane, namespace: str) -> None:
        self.plane = plane
        self.scene = Scene(plane, namespace)
        self.namespace = namespace

    async def make(self) -> None:
        account = await self.scene.account(automountServiceAccountToken=False)
        for name in ("by-hand", "mounted", "unused", "lost"):
            await self.scene.account(f"of-{name}")
            secret = await self.scene.token_secret(name, f"of-{name}")
            await self._plant(path_of(secret))
        await self._generated()
        listed = {"secrets": [{"name": GENERATED}]}
        await self.plane.api.patch(path_of(account), listed)
        await self.plane.workloads.deployment(self.namespace, "legacy", replicas=3, spec=self._mounting())
        await self.plane.workloads.deployment(self.namespace, "copied", replicas=2, spec=_copied())
        await self.plane.workloads.deployment(self.namespace, "careless", spec={})
        await self._embedded()
        await self._used()
        await self.plane.stop("kube-controller-manager")
        await self._without_a_controller()

    def _mounting(self) -> JsonObject:
        variable = {"name": "PLANTED", "value": MARKED}
        container = {"name": "app", "image": "shop/app:1", "env": [variable], "args": [MARKED]}
        volume = {"name": "t", "secret": {"secretName": "mounted"}}
        return {**QUIET, "serviceAccountName": "checkout", "containers": [container], "volumes": [volume]}

    async def _plant(self, path: str) -> None:
        """A token wherever somebody may have put one."""
        annotations = {"owner": MARKED, "shop.example/note": MARKED}
        await self.plane.api.patch(path, {"metadata": {"annotations": annotations}})

    async def _generated(self) -> None:
        """As the token controller of 1.23 made it, nine hundred days ago."""
        annotations = {"kubernetes.io/service-account.name": "checkout"}
        body = {"metadata": {"name": GENERATED, "annotations": annotations}, "type": TOKEN_SECRET}
        path = f"/api/v1/namespaces/{self.namespace}/secrets"
        await self.plane.api.post(path, body, {"fieldManager": "kube-controller-manager"})
        await self.filled(GENERATED)
        await self.plane.etcd.age(f"{path}/{GENERATED}", by=timedelta(days=900))

    async def filled(self, name: str) -> str:
        """Its token."""
        path = f"/api/v1/namespaces/{self.namespace}/secrets/{name}"
        found = await eventually(
            lambda: self.plane.api.get(path), lambda each: "token" in each.get("data", {}), f"{name} is filled"
        )
        return base64.b64decode(found["data"]["token"]).decode()

    async def _embedded(self) -> None:
        claims = await self.plane.tokens.bound_claims(self.namespace, "checkout")
        born = claims["iat"] - 200 * 86400
        for name, days in (("soon", 3), ("later", 100)):
            ends = claims["iat"] + days * 86400
            token = self.plane.tokens.sign({**claims, "iat": born, "nbf": born, "exp": ends})
            data = {"value": kubeconfig({"deployer": {"token": token}}, server=self.plane.api.url)}
            await self._secret(f"{name}-kubeconfig", data)
        await self._secret("password", {"password": "correct horse battery staple"})
        await self._secret("planted", {"note": f"token: {MARKED}"})
        await self._secret("tls", {"tls.crt": "", "tls.key": MARKED}, "kubernetes.io/tls")

    async def _secret(self, name: str, data: Mapping[str, str], kind: str = "Opaque") -> None:
        body = {"metadata": {"name": name}, "type": kind, "stringData": dict(data)}
        await self.plane.api.post(f"/api/v1/namespaces/{self.namespace}/secrets", body)

    async def _used(self) -> None:
        """By a real review, which the API server takes note of; the tracking is two years old."""
        token = await self.filled("by-hand")
        assert (await self.plane.tokens.review(token))["authenticated"]
        await eventually(
            lambda: self.plane.api.get(f"/api/v1/namespaces/{self.namespace}/secrets/by-hand"),
            lambda found: LAST_USED in found["metadata"].get("labels", {}),
            "the use is recorded",
        )
        for name in ("unused", "mounted"):
            await self.plane.etcd.age(f"/api/v1/namespaces/{self.namespace}/secrets/{name}", by=2 * YEAR)

    async def _without_a_controller(self) -> None:
        root = f"/api/v1/namespaces/{self.namespace}"
        since = (utc_now() - 2 * YEAR).date().isoformat()
        await self.plane.api.patch(TRACKING, {"data": {"since": since}})
        await self.plane.api.delete(f"{root}/serviceaccounts/of-lost")
        await self.plane.etcd.age(f"{root}/secrets/lost", by=timedelta(hours=1))
        annotations = {"kubernetes.io/service-account.name": "checkout"}
        await self.plane.api.post(
            f"{root}/secrets", {"metadata": {"name": "empty", "annotations": annotations}, "type": TOKEN_SECRET}
        )
        await self.plane.etcd.age(f"{root}/secrets/empty", by=timedelta(hours=1))
        planted = {"metadata": {"labels": {INVALID_SINCE: (utc_now() - timedelta(days=200)).date().isoformat()}}}
        await self.plane.api.patch(f"{root}/secrets/{GENERATED}", planted)


def _copied() -> JsonObject:
    token = {"serviceAccountToken": {"path": "token", "expirationSeconds": 600}}
    mount = {"name": "api", "mountPath": "/var/run/api/token", "subPath": "token"}
    return {
        **QUIET,
        "serviceAccountName": "checkout",
        "containers": [{"name": "app", "image": "shop/app:1", "volumeMounts": [mount]}],
        "volumes": [{"name": "api", "projected": {"sources": [token]}}],
    }


async def test_one_of_each_fault_is_named_and_nothing_else(private_plane: MakePlane) -> None:
    plane = await private_plane()
    shop = Shop(plane, await plane.create_namespace())
    await shop.make()
    cluster = await connect("here", kubeconfig=plane.kubeconfig)
    try:
        inventory = await taken(cluster, shop.namespace, scan_secrets=True)
        usual = await taken(cluster)
        await _are_what_would_be_planned(cluster, inventory)
    finally:
        await cluster.close()
    found = named(inventory)

    assert {name: item.kind for name, item in found.items()} == {
        f"Secret {GENERATED}": ItemKind.LEGACY_SECRET,
        "Secret by-hand": ItemKind.MANUAL_SECRET,
        "Secret mounted": ItemKind.MANUAL_SECRET,
        "Secret unused": ItemKind.MANUAL_SECRET,
        "Secret lost": ItemKind.ORPHANED_SECRET,
        "Secret empty": ItemKind.UNFILLED_SECRET,
        "Secret soon-kubeconfig": ItemKind.EMBEDDED_TOKEN,
        "Secret planted": ItemKind.EMBEDDED_TOKEN,
        "Deployment copied": ItemKind.SUBPATH_MOUNT,
        "Deployment careless": ItemKind.DEFAULT_ACCOUNT,
    }
    assert found["Secret by-hand"].used == f"no pod uses it; last used on {utc_now().date()}"
    assert found["Secret mounted"].used.startswith("used by deployment legacy (3 pods);")
    assert found["Deployment copied"].place == "app: /var/run/api/token"
    assert found["Deployment copied"].used == "2 pods"
    assert found["Secret lost"].cause == "secret-service-account-missing"
    deleted = utc_now().date() - timedelta(days=200) + timedelta(days=366)
    assert f"deletes the Secret from {deleted} on" in found[f"Secret {GENERATED}"].why
    assert {name: offered(item) for name, item in found.items() if item.offers} == {
        f"Secret {GENERATED}": [ActionKind.REACTIVATE_LEGACY_TOKEN, ActionKind.DELETE_LEGACY_SECRET],
        "Secret by-hand": [ActionKind.ROTATE_TOKEN_SECRET],
        "Secret mounted": [ActionKind.ROTATE_TOKEN_SECRET],
        "Secret unused": [ActionKind.DELETE_LEGACY_SECRET],
        "Deployment copied": [ActionKind.RESTART_WORKLOAD],
    }
    assert inventory.unscanned == ()
    assert inventory.tallies[shop.namespace].kinds[ItemKind.EMBEDDED_TOKEN] == 3, "the later one too"
    scanned = inventory.scanned
    # Of five other Secrets the API server leaves out the one whose type holds no credential.
    assert (scanned.namespaces, scanned.token_secrets, scanned.pods, scanned.secrets) == (1, 6, 6, 4)
    _agrees(usual, inventory, shop.namespace)
    _shows_no_token(inventory, [MARKED, await shop.filled("by-hand")])


async def _are_what_would_be_planned(cluster: Cluster, inventory: Inventory) -> None:
    """Each offer is planned by the action itself, and a Secret whose deletion is not offered is refused one."""
    for item in inventory.items:
        for offer in item.offers:
            plan = await ACTIONS[offer.kind].plan(cluster, offer.ref, offer.parameters)
            assert (plan.kind, plan.ref.name) == (offer.kind, item.name)
        is_token = item.kind in {ItemKind.LEGACY_SECRET, ItemKind.MANUAL_SECRET, ItemKind.ORPHANED_SECRET}
        if is_token and ActionKind.DELETE_LEGACY_SECRET not in offered(item):
            ref = ObjectRef(
                cluster="here", api_version="v1", kind="Secret", namespace=item.namespace, name=item.name, uid=""
            )
            with pytest.raises(CannotActError):
                await ACTIONS[ActionKind.DELETE_LEGACY_SECRET].plan(cluster, ref, {})


def _agrees(usual: Inventory, inventory: Inventory, namespace: str) -> None:
    """A pass over the whole cluster says the same of it, but for what is in its Secrets."""
    there = {item.key for item in usual.items if item.namespace == namespace}
    assert there == {item.key for item in inventory.items if item.kind is not ItemKind.EMBEDDED_TOKEN}
    assert usual.scanned.namespaces >= 5
    assert [line.what for line in usual.unscanned] == ["credentials inside other Secrets"]


def _shows_no_token(inventory: Inventory, tokens: Sequence[str]) -> None:
    texts = (repr(inventory), inventory_json(inventory), inventory_text(inventory, width=400))
    for token in tokens:
        for part in token.split("."):
            assert not any(part in text for text in texts)
    assert "correct horse" not in "".join(texts)


# --- rights -------------------------------------------------------------------------------------------------


@pytest.fixture
async def three(plane: Plane) -> AsyncIterator[tuple[str, str, str]]:
    """Namespaces with a token Secret each."""
    names = [await plane.create_namespace() for _ in range(3)]
    for name in names:
        await Scene(plane, name).account()
        await Scene(plane, name).token_secret()
    first, second, third = names
    yield first, second, third
    await asyncio.gather(*(plane.api.delete(f"/api/v1/namespaces/{name}") for name in names))


def as_rbac(rule: Rule) -> JsonObject:
    if rule.resource.startswith("/"):
        return {"nonResourceURLs": [rule.resource], "verbs": [rule.verb]}
    names = {"resourceNames": [rule.name]} if rule.name else {}
    return {"apiGroups": [rule.group], "resources": [rule.resource], "verbs": [rule.verb], **names}


async def granted(plane: Plane, user: str, namespaces: Sequence[str]) -> Path:
    """Somebody with just what `token-doctor rbac -n …` gives."""
    path = await plane.users.kubeconfig_for(user, [])
    placed: dict[str, dict[str, JsonObject]] = {}
    for namespace in namespaces or ("",):
        for rule in rules(Routes(secret_data=True), namespace):
            placed.setdefault(rule.namespace, {})[json.dumps(as_rbac(rule))] = as_rbac(rule)
    for where, found in placed.items():
        await plane.users.grant(user, list(found.values()), namespace=where or None)
    return path


async def test_a_bot_with_rights_in_two_namespaces_counts_those_and_names_the_others(
    plane: Plane, three: tuple[str, str, str]
) -> None:
    first, second, third = three
    cluster = await connect("here", kubeconfig=await granted(plane, f"census-of-{first}", (first, second)))
    try:
        whole = await taken(cluster)
        here = await taken(cluster, first, second, scan_secrets=True)
    finally:
        await cluster.close()
    assert {item.namespace for item in whole.items if item.kind is ItemKind.MANUAL_SECRET} == {first, second}
    wrong = {line.what: line for line in whole.unscanned if not line.by_choice}
    assert set(wrong) == {"token Secrets", "service accounts", "pods"}
    assert all(line.may_be_of(third) and not line.reason.endswith(third) for line in wrong.values())
    assert all(line.count >= 4 and not {first, second} & set(line.namespaces) for line in wrong.values())
    assert not whole.could_see(ItemKind.MANUAL_SECRET, third)
    assert whole.scanned.namespaces >= 2
    assert [line.what for line in here.unscanned] == []
    assert here.scanned.namespaces == 2


async def test_the_rights_that_a_check_takes_are_all_that_a_census_takes(
    plane: Plane, three: tuple[str, str, str]
) -> None:
    cluster = await connect("here", kubeconfig=await granted(plane, f"census-everywhere-{three[0]}", ()))
    try:
        inventory = await taken(cluster, scan_secrets=True)
    finally:
        await cluster.close()
    assert inventory.unscanned == ()
    assert set(three) <= {item.namespace for item in inventory.items if item.kind is ItemKind.MANUAL_SECRET}


async def test_a_bot_without_rights_says_so(plane: Plane, namespace: str) -> None:
    cluster = await connect("here", kubeconfig=await plane.users.kubeconfig_for(f"nobody-{namespace}", []))
    try:
        with pytest.raises(ClusterForbiddenError):
            await taken(cluster)
        with pytest.raises(ClusterForbiddenError):
            await taken(cluster, namespace)
    finally:
        await cluster.close()
