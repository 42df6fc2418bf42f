"""Credentials inside Secrets: when they end, by their own words, and who needs them."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from bot.census.aspects import Aspect
from bot.kube.gaps import UnavailableError
from bot.model import Due, Item, ItemKind, Severity
from tests.unit import jwts
from tests.unit.census.world import NOW, World, account, counted, items, only, pod, secret, token_secret
from tests.unit.test_embedded import b64, kubeconfig

MONTH = timedelta(days=30)


def token(ends: datetime, life: timedelta = MONTH) -> str:
    begins = int((ends - life).timestamp())
    return jwts.token({**jwts.BOUND, "exp": int(ends.timestamp()), "iat": begins, "nbf": begins, "x": jwts.MARK})


def certificate(ends: datetime, life: timedelta = MONTH) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kubernetes-admin")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(ends - life).not_valid_after(ends)
    return b64(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))


def world(*secrets: dict[str, Any], pods: tuple[dict[str, Any], ...] = ()) -> World:
    return World(accounts=[account()], data=list(secrets), pods=list(pods))


def using(name: str) -> dict[str, Any]:
    return pod(volumes=[{"name": "k", "secret": {"secretName": name}}])


@pytest.mark.parametrize(
    ("left", "life", "due"),
    [
        (timedelta(days=-1), MONTH, Due.EXPIRED),
        (timedelta(seconds=-30), MONTH, Due.TODAY),
        (timedelta(hours=20), MONTH, Due.TODAY),
        (timedelta(days=6), MONTH, Due.WEEK),
        (timedelta(days=13), MONTH, Due.WINDOW),
        (timedelta(days=15), MONTH, Due.LATER),
        # Of one that is renewed within the window, only the last fifth counts.
        (timedelta(minutes=40), timedelta(hours=1), Due.LATER),
        (timedelta(minutes=10), timedelta(hours=1), Due.TODAY),
        (timedelta(minutes=-10), timedelta(hours=1), Due.EXPIRED),
    ],
)
async def test_a_token_falls_into_the_bucket_of_its_end(left: timedelta, life: timedelta, due: Due) -> None:
    this = await counted(world(secret("ci", {"kubeconfig": kubeconfig({"ci": {"token": token(NOW + left, life)}})})))
    tally = this.tally.tallies()["shop"]
    assert tally.kinds == {ItemKind.EMBEDDED_TOKEN: 1}
    assert tally.due == {due: 1}
    found = this.tally.items()
    assert [item.ends for item in found] == ([] if due is Due.LATER else [NOW + left])
    for item in found:
        assert item.place == "key kubeconfig, user ci"
        assert item.cause == ("kubeconfig-token-expired" if due is Due.EXPIRED else "embedded-token-expiring")


async def test_a_certificate_falls_into_its_bucket_and_has_no_leeway() -> None:
    for left, due in ((timedelta(seconds=-30), Due.EXPIRED), (timedelta(days=6), Due.WEEK)):
        user = {"client-certificate-data": certificate(NOW + left)}
        this = await counted(world(secret("admin", {"value": kubeconfig({"admin": user})})))
        assert this.tally.tallies()["shop"].due == {due: 1}
        (item,) = this.tally.items()
        assert (item.kind, item.cause) == (ItemKind.KUBECONFIG_CERTIFICATE, "kubeconfig-certificate-expiring")
        assert "CN=kubernetes-admin" in item.why


async def test_a_token_and_a_certificate_of_one_user_are_two_items() -> None:
    user = {"token": token(NOW + timedelta(days=1)), "client-certificate-data": "%%%"}
    found = await items(world(secret("admin", {"value": kubeconfig({"admin": user})})))
    assert {item.kind for item in found} == {ItemKind.EMBEDDED_TOKEN, ItemKind.KUBECONFIG_CERTIFICATE}
    assert len({item.key for item in found}) == 2


async def test_an_expired_one_that_somebody_uses_is_critical() -> None:
    expired = kubeconfig({"ci": {"token": token(NOW - timedelta(days=3))}})
    unused = await only(world(secret("ci", {"kubeconfig": expired})))
    assert (unused.severity, unused.used) == (Severity.WARNING, "no pod uses it")
    used = await only(world(secret("ci", {"kubeconfig": expired}), pods=(using("ci"),)))
    assert (used.severity, used.used) == (Severity.CRITICAL, "used by deployment checkout")
    assert "expired 3 d ago" in used.why
    cluster = json.dumps({"bearerToken": token(NOW - timedelta(days=3))})
    labels = {"argocd.argoproj.io/secret-type": "cluster"}
    argo = await only(world(secret("east", {"config": cluster, "server": "https://east.example"}, labels=labels)))
    assert (argo.severity, argo.cause) == (Severity.CRITICAL, "embedded-token-expiring")
    assert argo.used == "read by the controller that it is for (Argo CD cluster)"
    assert "argocd cluster rotate-auth" in argo.next_step
    assert "https://east.example" in argo.why


async def test_pods_that_were_not_read_are_not_said_to_be_none() -> None:
    found = world(secret("ci", {"kubeconfig": kubeconfig({"ci": {"token": token(NOW)}})}))
    found.broken[Aspect.PODS] = UnavailableError("the connection broke off")
    assert (await only(found)).used == "which pods use it was not read"


async def test_a_copy_of_a_legacy_token_never_expires() -> None:
    item = await only(world(secret("ci", {"t": f"TOKEN={jwts.token(jwts.LEGACY)}"})))
    assert (item.kind, item.ends, item.severity) == (ItemKind.EMBEDDED_TOKEN, None, Severity.WARNING)
    assert "never expires. It is a copy of the one in token Secret shop/ci-token." in item.why


async def test_a_damaged_credential_is_told() -> None:
    item = await only(world(secret("east-kubeconfig", {"value": "no: [yaml"}, kind="cluster.x-k8s.io/secret")))
    assert (item.cause, item.severity) == ("embedded-credential-broken", Severity.WARNING)


async def test_what_holds_no_credential_is_counted_as_read_and_no_more() -> None:
    this = await counted(world(secret("password", {"password": "hunter2"}), secret("empty", {})))
    assert this.scanned.secrets == 2
    assert this.tally.tallies() == {}


async def test_secrets_that_were_not_to_be_read_are_none_not_zero() -> None:
    assert (await counted(World(accounts=[account()]))).scanned.secrets is None
    assert (await counted(World(accounts=[account()], data=[]))).scanned.secrets == 0


async def test_the_owner_comes_from_a_label_an_annotation_or_who_wrote_it() -> None:
    document = {"kubeconfig": kubeconfig({"ci": {"token": token(NOW)}})}
    managed = [{"manager": "argocd-controller", "fieldsV1": {"f:data": {}}}]
    for meta, owner in (
        ({"labels": {"team": "payments"}, "managedFields": managed}, "payments"),
        ({"annotations": {"owner": "jane@example.com"}, "managedFields": managed}, "jane@example.com"),
        ({"annotations": {"meta.helm.sh/release-name": "shop"}, "managedFields": managed}, "Helm release shop"),
        ({"managedFields": managed}, "written by argocd-controller"),
        ({}, ""),
    ):
        assert (await only(world(secret("ci", document, **meta)))).owner == owner


async def test_no_item_holds_any_part_of_a_token() -> None:
    """Wherever one can be put: in data, and in every field that is shown."""
    marked = token(NOW + timedelta(days=2))
    legacy = jwts.token({**jwts.LEGACY, "x": jwts.MARK})
    config = kubeconfig({marked: {"token": marked}}, server=f"https://{marked}@api.example/{marked}")
    found: list[Item] = [
        *await items(
            world(
                secret("a", {"kubeconfig": config}, labels={"owner": marked}, annotations={"owner": marked}),
                secret("b", {marked: marked}),
                secret("c", {"t": legacy}),
            )
        ),
        *await items(World(accounts=[account()], token_secrets=[token_secret(labels={"owner": marked})])),
    ]
    assert len(found) == 4
    for item in found:
        for part in (*marked.split("."), *legacy.split(".")):
            assert part not in repr(item)
