"""Credentials inside Secrets: every layout, several users, what is damaged, and that nothing of them gets out."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from bot.embedded import MOST_BYTES, Found, SecretData, credentials, may_hold
from bot.embedded.secret import may_hold_one
from bot.model import ClaimsKind, Layout
from tests.unit import jwts

TOKEN = jwts.token(jwts.BOUND)
LEGACY = jwts.token(jwts.LEGACY)
FOREIGN = jwts.token({"iss": "https://login.elsewhere.test", "sub": jwts.MARK, "exp": 1_795_348_800})
CAPI = {"cluster.x-k8s.io/cluster-name": "shop"}
ARGO = {"argocd.argoproj.io/secret-type": "cluster"}
SERVER = "https://api.shop.example:6443"
NOW = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)


def secret(
    name: str, data: Mapping[str, str | bytes], *, kind: str = "Opaque", labels: object = None, **meta: object
) -> SecretData:
    """As the API server would send it."""
    raw = {key: value.encode() if isinstance(value, str) else value for key, value in data.items()}
    encoded = {key: base64.b64encode(value).decode() for key, value in raw.items()}
    metadata = {"name": name, "namespace": "shop", "labels": labels or {}, **meta}
    return msgspec.json.decode(json.dumps({"metadata": metadata, "type": kind, "data": encoded}), type=SecretData)


def kubeconfig(users: Mapping[str, object], server: str = SERVER, **more: object) -> str:
    document: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": server, "certificate-authority-data": b64("CA PEM")}}],
        "contexts": [{"name": f"at-{user}", "context": {"cluster": "c", "user": user}} for user in users],
        "users": [{"name": name, "user": user} for name, user in users.items()],
        **more,
    }
    return yaml.safe_dump(document)


def b64(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def certificate() -> tuple[str, str]:
    """A client certificate and its key, each PEM in base64."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kubernetes-admin")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(NOW - timedelta(days=1)).not_valid_after(NOW)
    pem = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    return b64(pem), b64(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def shown(found: tuple[Found, ...]) -> str:
    return "".join(repr(one) for one in found)


# --- layouts ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "key", "kind", "labels", "layout"),
    [
        ("shop-kubeconfig", "value", "cluster.x-k8s.io/secret", CAPI, Layout.CLUSTER_API),
        ("shop-kubeconfig", "value", "Opaque", CAPI, Layout.CLUSTER_API),
        ("shop-sveltos-kubeconfig", "re-kubeconfig", "Opaque", None, Layout.SVELTOS),
        ("shop-admin-kubeconfig", "admin.conf", "Opaque", None, Layout.KAMAJI),
        ("shop", "value", "Opaque", None, Layout.FLUX),
        ("shop", "value.yaml", "Opaque", None, Layout.FLUX),
        ("shop", "config", "Opaque", None, Layout.KUBECONFIG),
    ],
)
def test_a_kubeconfig_in_each_layout(name: str, key: str, kind: str, labels: object, layout: Layout) -> None:
    (found,) = credentials(secret(name, {key: kubeconfig({"admin": {"token": TOKEN}})}, kind=kind, labels=labels))

    assert (found.layout, found.place) == (layout, f"key {key}, user admin")
    assert (found.server, found.authority) == (SERVER, "CA PEM")
    assert found.claims is not None
    assert found.claims.expires_at == datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_kamaji_is_known_by_the_owner_too() -> None:
    owners = [{"kind": "TenantControlPlane", "name": "shop", "apiVersion": "kamaji.clastix.io/v1alpha1", "uid": "1"}]
    (found,) = credentials(secret("x", {"y": kubeconfig({"admin": {"token": TOKEN}})}, ownerReferences=owners))
    assert found.layout is Layout.KAMAJI


def test_argo_cd_keeps_a_token_and_a_certificate() -> None:
    pem, key = certificate()
    config = {"bearerToken": TOKEN, "tlsClientConfig": {"certData": pem, "keyData": key, "caData": b64("CA")}}
    data = {"config": json.dumps(config), "server": f"{SERVER}/", "name": "shop"}

    token, client = credentials(secret("cluster-shop", data, labels=ARGO))

    assert (token.layout, token.server, token.authority) == (Layout.ARGO_CD, SERVER, "CA")
    assert token.claims is not None
    assert client.certificate is not None
    assert (client.certificate.subject, client.certificate.not_after) == ("CN=kubernetes-admin", NOW)


def test_a_token_secret_s_own_token() -> None:
    data = {"token": LEGACY, "ca.crt": "PEM", "namespace": "shop"}
    (found,) = credentials(secret("ci", data, kind="kubernetes.io/service-account-token"))
    assert (found.layout, found.claims and found.claims.kind) == (Layout.TOKEN_SECRET, ClaimsKind.LEGACY)


def test_bare_tokens_count_only_where_they_are_kubernetes_own() -> None:
    found = credentials(secret("ci", {"env": f"A={TOKEN}\nB={FOREIGN}\nC={LEGACY}\nD={TOKEN}\n"}))
    assert [(one.place, one.layout) for one in found] == [("key env", Layout.TOKEN), ("key env, token 3", Layout.TOKEN)]


def test_a_foreign_token_counts_where_an_api_server_is_shown_it() -> None:
    (found,) = credentials(secret("x", {"kubeconfig": kubeconfig({"sso": {"token": FOREIGN}})}))
    assert (found.claims and found.claims.kind) is ClaimsKind.FOREIGN


@pytest.mark.parametrize("kind", ["kubernetes.io/dockerconfigjson", "kubernetes.io/tls", "helm.sh/release.v1"])
def test_a_secret_of_somebody_else_s_type_is_not_looked_into(kind: str) -> None:
    assert not may_hold(kind)
    assert credentials(secret("x", {"a": TOKEN}, kind=kind)) == ()


# --- users and contexts -------------------------------------------------------------------------------------


def test_each_user_has_the_server_of_the_current_context_or_of_its_first() -> None:
    clusters = [{"name": name, "cluster": {"server": f"https://{name}.example"}} for name in ("a", "b")]
    contexts = [
        {"name": "one", "context": {"cluster": "a", "user": "both"}},
        {"name": "two", "context": {"cluster": "b", "user": "both"}},
        {"name": "three", "context": {"cluster": "a", "user": "first"}},
    ]
    users = {name: {"token": TOKEN} for name in ("both", "first", "nowhere")}
    config = kubeconfig(users, clusters=clusters, contexts=contexts, **{"current-context": "two"})

    found = credentials(secret("x", {"kubeconfig": config}))

    assert [(one.place.rpartition(" ")[2], one.server) for one in found] == [
        ("both", "https://b.example"),
        ("first", "https://a.example"),
        ("nowhere", ""),
    ]


@pytest.mark.parametrize(
    "user",
    [
        {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "aws"}},
        {"auth-provider": {"name": "gcp", "config": {"access-token": TOKEN}}},
        {"tokenFile": "/var/run/token"},
        {"token": "an-opaque-token-of-a-cloud"},
        {"token": None},
        {},
        None,
    ],
    ids=["exec", "auth-provider", "file", "opaque", "null", "empty", "none"],
)
def test_a_user_without_a_token_that_can_be_read_says_nothing(user: object) -> None:
    config = kubeconfig({"admin": user, "other": {"token": TOKEN}})
    assert [one.place for one in credentials(secret("x", {"kubeconfig": config}))] == ["key kubeconfig, user other"]


def test_a_json_kubeconfig_is_one_too() -> None:
    config = json.dumps(yaml.safe_load(kubeconfig({"admin": {"token": TOKEN}})))
    (found,) = credentials(secret("x", {"kubeconfig": config}))
    assert found.claims is not None


@pytest.mark.parametrize(
    ("server", "told"),
    [
        ("https://admin:hunter2@api.example:6443/", "https://api.example:6443"),
        ("https://[fd00::1]:6443", "https://[fd00::1]:6443"),
        ("https://rancher.example/k8s/clusters/c-1", "https://rancher.example/k8s/clusters/c-1"),
        ("https://api.example:port", ""),
        ("unix:///run/x", ""),
    ],
)
def test_a_server_is_told_without_what_is_secret_in_it(server: str, told: str) -> None:
    (found,) = credentials(secret("x", {"kubeconfig": kubeconfig({"admin": {"token": TOKEN}}, server)}))
    assert found.server == told


# --- what is damaged ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (f"users: [{{name: a, user: {{token: {TOKEN}\nclusters: []", "is not YAML (line 2)"),
        (b"\xff\xfe users clusters", "is not text"),
        ("just words", "is no kubeconfig: Expected `object`, got `str`"),
        ("users: 5\nclusters: []", "is no kubeconfig: Expected `array | null`, got `int` - at `$.users`"),
        ("a: &a [1]\nusers: *a\nclusters: *a", "uses YAML aliases, which are not followed"),
        ("x: 2026-99-99\nusers: []\nclusters: []", "is not YAML that can be read"),
        ("", "is no kubeconfig: Expected `object`, got `null`"),
    ],
    ids=["yaml", "bytes", "words", "type", "aliases", "date", "empty"],
)
def test_what_must_be_a_kubeconfig_and_is_none_is_stated(value: str | bytes, problem: str) -> None:
    (found,) = credentials(secret("shop-kubeconfig", {"value": value}, labels=CAPI))
    assert found.problem.startswith(problem)
    assert TOKEN[:20] not in repr(found)


def test_nesting_without_end_is_stated() -> None:
    (found,) = credentials(secret("shop-kubeconfig", {"value": "[" * 200_000}, labels=CAPI))
    assert found.problem


def test_an_ordinary_document_that_is_no_yaml_is_searched_for_tokens_only() -> None:
    (found,) = credentials(secret("x", {"script": f"users() {{ clusters; : {{ {TOKEN} ; }}"}))
    assert (found.layout, found.problem) == (Layout.TOKEN, "")


@pytest.mark.parametrize(
    ("user", "problem"),
    [
        ({"token": f"{TOKEN}!"}, "is no token that can be read: The token's signature holds characters"),
        ({"client-certificate-data": "%%%"}, "has a client certificate that is not base64 of text"),
        ({"client-certificate-data": b64("no certificate")}, "has a client certificate that cannot be read"),
    ],
)
def test_a_damaged_credential_is_stated(user: object, problem: str) -> None:
    (found,) = credentials(secret("x", {"kubeconfig": kubeconfig({"admin": user})}))
    assert found.problem.startswith(problem)


@pytest.mark.parametrize(
    ("config", "problem"),
    [("{", "is not JSON"), ("[]", "is not what Argo CD keeps there"), ('{"bearerToken": 5}', "is not what Argo CD")],
)
def test_a_damaged_argo_cd_cluster_is_stated(config: str, problem: str) -> None:
    (found,) = credentials(secret("x", {"config": config}, labels=ARGO))
    assert found.problem.startswith(problem)


def test_a_value_that_is_too_large_is_stated_and_not_decoded() -> None:
    (found,) = credentials(secret("shop-kubeconfig", {"value": b"a" * (MOST_BYTES + 100)}, labels=CAPI))
    assert found.problem == "is larger than 1024 KiB and was not looked into"


def test_a_secret_without_data() -> None:
    assert credentials(msgspec.json.decode(b'{"metadata": {"name": "x"}}', type=SecretData)) == ()
    assert credentials(secret("x", {"password": "hunter2"})) == ()


# --- speed and silence --------------------------------------------------------------------------------------


@given(before=st.binary(max_size=40), after=st.binary(max_size=40), needle=st.sampled_from([TOKEN, "certData"]))
def test_what_may_hold_one_is_never_missed(before: bytes, after: bytes, needle: str) -> None:
    assert may_hold_one(b64(before + needle.encode() + after))


def test_most_secrets_are_not_even_decoded() -> None:
    words = ["hunter2", "postgres://db:5432", "-----BEGIN PUBLIC KEY-----", "users clusters", '{"a": [1, 2, 3]}']
    assert not any(may_hold_one(b64(word)) for word in words)


def test_nothing_of_a_credential_is_in_what_is_handed_out() -> None:
    pem, key = certificate()
    users = {
        "admin": {"token": TOKEN, "client-certificate-data": pem, "client-key-data": key},
        TOKEN: {"token": LEGACY},
    }
    data = secret("x", {"kubeconfig": kubeconfig(users, f"https://{TOKEN}@api.example"), TOKEN: TOKEN})

    found = credentials(data)

    assert len(found) == 4
    text = shown(found) + repr(data)
    private = base64.b64decode(key).decode().splitlines()[1]
    for marked in (TOKEN, LEGACY, TOKEN.split(".")[1], private, key[:60], b64(TOKEN)[:40]):
        assert marked not in text
    with pytest.raises(TypeError):
        json.dumps(found[0].raw)
