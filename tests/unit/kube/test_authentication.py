"""The API servers' flags and their authentication file: what is read, what cannot be, and that no secret is kept."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from bot.kube.client import Cluster
from bot.kube.facets.authentication import authentication_flags
from bot.kube.facets.gather import gather
from bot.model import ApiServer, AuthenticationFile, GapKind, JwtIssuer, ObjectRef, Routes, Snapshot
from bot.model.authentication import duration
from tests.unit import jwts
from tests.unit.kube.fake_api import NAMESPACE, POD, UID, FakeApi, component, forbids, listed, refuses, says

REF = ObjectRef(cluster="here", api_version="v1", kind="Pod", namespace=NAMESPACE, name=POD, uid=UID)
PODS = "/api/v1/namespaces/kube-system/pods"
CONFIG_MAP = "/api/v1/namespaces/kube-system/configmaps/auth"
FLAG = "--authentication-config=/etc/auth/current/config.yaml"
FILE = """
apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
jwt:
  - issuer: {url: https://dex.shop.example, audiences: [kubernetes, argocd], audienceMatchPolicy: MatchAny}
    claimMappings: {username: {claim: email, prefix: ""}, groups: {expression: claims.roles}}
anonymous: {enabled: true, conditions: [{path: /livez}, {path: /readyz}]}
"""


async def read(cluster: Cluster) -> Snapshot:
    now = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
    return await gather(cluster, REF, routes=Routes(), deadline_seconds=10, log_lines=100, others=[], now=lambda: now)


def mounting(volume: dict[str, object], **mount: str) -> dict[str, Any]:
    found: dict[str, Any] = component("kube-apiserver", FLAG)
    found["spec"]["volumes"] = [{"name": "auth", **volume}]
    found["spec"]["containers"][0]["volumeMounts"] = [{"name": "auth", "mountPath": "/etc/auth", **mount}]
    return found


def shows(api: FakeApi, pod: dict[str, Any]) -> None:
    api.on(PODS, says(listed(pod)))
    api.on(f"{PODS}/kube-apiserver-a", says(pod))


async def test_the_flags_of_each_api_server_are_read(api: FakeApi, cluster: Cluster) -> None:
    one = component("kube-apiserver", "--service-account-issuer=https://a", "--service-account-issuer=https://b")
    other = component("kube-apiserver", "--anonymous_auth=false", suffix="b")
    api.on(PODS, says(listed(other, one)))
    api.on(f"{PODS}/kube-apiserver-b/log", says(b""))

    first, second = (await read(cluster)).authentication.read()

    assert (first.pod, first.issuers, first.anonymous) == ("kube-apiserver-a", ("https://a", "https://b"), True)
    assert (second.pod, second.issuers, second.anonymous) == ("kube-apiserver-b", (), False)


async def test_a_hidden_control_plane_is_unobservable(api: FakeApi, cluster: Cluster) -> None:
    api.on(PODS, says(listed()))
    snapshot = await read(cluster)
    for facet in (snapshot.authentication, snapshot.authentication_files):
        assert facet.gap
        assert facet.gap.kind is GapKind.UNOBSERVABLE


async def test_without_the_right_it_is_denied_with_the_rule(api: FakeApi, cluster: Cluster) -> None:
    api.on(PODS, forbids("list", "pods", namespace="kube-system"))
    gap = (await read(cluster)).authentication.gap
    assert gap
    assert gap.kind is GapKind.DENIED
    assert str(gap.rule) == "list pods in namespace kube-system"


async def test_no_file_is_looked_for_where_no_flag_names_one(api: FakeApi, cluster: Cluster) -> None:
    assert (await read(cluster)).authentication_files.read() == ()
    assert not api.asked(f"{PODS}/kube-apiserver-a")


@pytest.mark.parametrize(
    ("volume", "mount", "key"),
    [
        ({"configMap": {"name": "auth"}}, {"mountPath": "/etc/auth/current"}, "config.yaml"),
        ({"configMap": {"name": "auth", "items": [{"key": "v2", "path": "config.yaml"}]}},
         {"mountPath": "/etc/auth/current/"}, "v2"),
        ({"configMap": {"name": "auth"}}, {"mountPath": "/etc/auth/current/config.yaml", "subPath": "one.yaml"},
         "one.yaml"),
        ({"configMap": {"name": "auth", "items": [{"key": "v2", "path": "current/config.yaml"}]}},
         {"mountPath": "/etc/auth"}, "v2"),
    ],
)  # fmt: skip
async def test_a_file_from_a_config_map_is_read(
    api: FakeApi, cluster: Cluster, volume: dict[str, object], mount: dict[str, str], key: str
) -> None:
    shows(api, mounting(volume, **mount))
    api.on(CONFIG_MAP, says({"data": {key: FILE, "other": "secret: x"}}))

    (file,) = (await read(cluster)).authentication_files.read()

    assert file == AuthenticationFile(
        pod="kube-apiserver-a",
        issuers=(
            JwtIssuer(
                url="https://dex.shop.example",
                audiences=("kubernetes", "argocd"),
                username="claim email",
                groups="expression claims.roles",
            ),
        ),
        anonymous=True,
        anonymous_paths=("/livez", "/readyz"),
    )


@pytest.mark.parametrize(
    ("volume", "path"),
    [({"hostPath": {"path": "/etc/auth"}}, "/etc/auth"), ({"configMap": {"name": "auth"}}, "/etc/authority")],
)
async def test_a_file_of_the_host_is_unobservable(
    api: FakeApi, cluster: Cluster, volume: dict[str, object], path: str
) -> None:
    shows(api, mounting(volume, mountPath=path))
    gap = (await read(cluster)).authentication_files.gap
    assert gap
    assert gap.kind is GapKind.UNOBSERVABLE
    assert "/etc/auth/current/config.yaml" in gap.mend


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"another": FILE}, "has no key config.yaml"),
        ({"config.yaml": "- a list"}, "is no AuthenticationConfiguration"),
        ({"config.yaml": "kind: [unclosed"}, "is no AuthenticationConfiguration"),
    ],
)
async def test_a_file_that_says_nothing_is_unavailable(
    api: FakeApi, cluster: Cluster, data: dict[str, str], reason: str
) -> None:
    shows(api, mounting({"configMap": {"name": "auth"}}, mountPath="/etc/auth/current"))
    api.on(CONFIG_MAP, says({"data": data}))
    gap = (await read(cluster)).authentication_files.gap
    assert gap
    assert gap.kind is GapKind.UNAVAILABLE
    assert reason in gap.reason


async def test_a_config_map_that_may_not_be_read_is_denied(api: FakeApi, cluster: Cluster) -> None:
    shows(api, mounting({"configMap": {"name": "auth"}}, mountPath="/etc/auth/current"))
    api.on(CONFIG_MAP, refuses(403, "", "Forbidden"))
    gap = (await read(cluster)).authentication_files.gap
    assert gap
    assert str(gap.rule) == "get configmaps in namespace kube-system"


async def test_no_secret_of_a_flag_or_a_file_is_kept(api: FakeApi, cluster: Cluster) -> None:
    token = jwts.token({"sub": "x"})
    found = mounting({"configMap": {"name": "auth"}}, mountPath="/etc/auth/current")
    found["spec"]["containers"][0]["command"] += [
        f"--oidc-issuer-url=https://user:hunter2-hunter2@dex.shop.example/{token}",
        "--etcd-servers=https://root:hunter2-hunter2@etcd:2379",
        "--oidc-required-claim=key=value",
    ]
    shows(api, found)
    api.on(CONFIG_MAP, says({"data": {"config.yaml": FILE, "password": "hunter2-hunter2"}}))

    snapshot = await read(cluster)

    written = msgspec.json.encode((snapshot.authentication, snapshot.authentication_files)).decode()
    assert "hunter2" not in written
    assert token not in written
    assert "etcd" not in written
    assert snapshot.authentication.read()[0].flags["oidc-required-claim"] == ("key=value",)


def test_only_flags_of_authentication_are_kept() -> None:
    kept = authentication_flags({"oidc_client_id": ("x",), "tls-private-key-file": ("/k",), "v": ("2",)})
    assert kept == {"oidc-client-id": ("x",)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1h", timedelta(hours=1)), ("24h0m0s", timedelta(days=1)), ("90m", timedelta(minutes=90)), ("0", timedelta()),
     ("1.5h", timedelta(minutes=90)), ("500ms", timedelta(milliseconds=500)), ("", timedelta())],
)  # fmt: skip
def test_durations_are_gos(text: str, expected: timedelta) -> None:
    assert duration(text) == expected


def server(**flags: str) -> ApiServer:
    return ApiServer(pod="a", flags={name.replace("_", "-"): (value,) for name, value in flags.items()})


def test_defaults_are_the_api_servers_own() -> None:
    plain = server(service_account_issuer="https://a")
    assert plain.audiences == ("https://a",)
    assert (plain.anonymous, plain.extends, plain.looks_up, plain.keys) == (True, True, True, 0)
    assert plain.longest is None
    assert plain.oidc is None
    assert not plain.webhook


def test_a_ceiling_below_the_default_request_ends_the_extension() -> None:
    assert not server(service_account_max_token_expiration="1h").extends
    assert server(service_account_max_token_expiration="1h0m7s").extends
    assert not server(service_account_extend_token_expiration="false").extends


def test_what_flags_say_is_typed() -> None:
    found = server(
        api_audiences="https://a, vault", anonymous_auth="False", oidc_issuer_url="https://dex", oidc_client_id="k",
        oidc_groups_claim="roles",
    )  # fmt: skip
    assert found.audiences == ("https://a", "vault")
    assert not found.anonymous
    assert found.oidc == JwtIssuer(url="https://dex", audiences=("k",), username="claim sub", groups="claim roles")
    assert found.as_flags("anonymous-auth", "oidc-ca-file") == "--anonymous-auth=False (no --oidc-ca-file)"
