"""Where a container has tokens, read off the pod's spec."""

from collections.abc import Mapping

import msgspec
import pytest

from bot.mounts import token_mounts, token_variables
from bot.objects import Pod

PROJECTED = {"projected": {"sources": [{"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}}]}}
NESTED = {"projected": {"sources": [{"serviceAccountToken": {"path": "vault/token", "audience": "vault"}}]}}
SECRET = {"secret": {"secretName": "old"}}


def pod(volume: Mapping[str, object], mount: Mapping[str, object], **container: object) -> Pod:
    spec = {
        "volumes": [{"name": "v", **volume}],
        "containers": [{"name": "app", "volumeMounts": [{"name": "v", **mount}], **container}],
    }
    return msgspec.convert({"metadata": {"name": "x"}, "spec": spec}, Pod)


@pytest.mark.parametrize(
    ("volume", "mount", "path", "sub_path"),
    [
        (PROJECTED, {"mountPath": "/var/run/x"}, "/var/run/x/token", False),
        (PROJECTED, {"mountPath": "/etc/token", "subPath": "token"}, "/etc/token", True),
        (PROJECTED, {"mountPath": "/etc/token", "subPathExpr": "token"}, "/etc/token", True),
        (NESTED, {"mountPath": "/run"}, "/run/vault/token", False),
        (NESTED, {"mountPath": "/run", "subPath": "vault"}, "/run/token", True),
        (SECRET, {"mountPath": "/etc/old"}, "/etc/old/token", False),
        (
            {"secret": {"secretName": "old", "items": [{"key": "token", "path": "k8s"}]}},
            {"mountPath": "/etc/old"},
            "/etc/old/k8s",
            False,
        ),
        (
            {"projected": {"sources": [{"secret": {"name": "old", "items": [{"key": "token", "path": "t"}]}}]}},
            {"mountPath": "/p"},
            "/p/t",
            False,
        ),
    ],
)
def test_a_token_file(volume: Mapping[str, object], mount: Mapping[str, object], path: str, sub_path: bool) -> None:  # noqa: FBT001  # a case's value
    (found,) = token_mounts(pod(volume, mount))
    assert (found.container, found.path, found.sub_path) == ("app", path, sub_path)


@pytest.mark.parametrize(
    ("volume", "mount"),
    [
        (PROJECTED, {"mountPath": "/etc/ca.crt", "subPath": "ca.crt"}),
        ({"secret": {"secretName": "old", "items": [{"key": "ca.crt", "path": "ca.crt"}]}}, {"mountPath": "/etc/old"}),
        ({"emptyDir": {}}, {"mountPath": "/scratch"}),
    ],
)
def test_no_token_file(volume: Mapping[str, object], mount: Mapping[str, object]) -> None:
    assert token_mounts(pod(volume, mount)) == ()


def test_a_volume_that_no_container_mounts_counts_for_none() -> None:
    assert token_mounts(pod(PROJECTED, {"mountPath": "/x", "name": "other"})) == ()


def test_audience_and_lifetime_are_the_projections() -> None:
    (found,) = token_mounts(pod(NESTED, {"mountPath": "/run"}))
    assert (found.audience, found.expiration_seconds, found.projected) == ("vault", 3600, True)
    (secret,) = token_mounts(pod({"secret": {"secretName": "old", "optional": True}}, {"mountPath": "/x"}))
    assert (secret.secret, secret.optional, secret.projected) == ("old", True, False)


def test_variables_filled_from_secrets() -> None:
    reference = {"secretKeyRef": {"name": "old", "key": "token", "optional": True}}
    found = token_variables(
        pod(
            PROJECTED,
            {"mountPath": "/x"},
            env=[{"name": "KUBE_TOKEN", "valueFrom": reference}, {"name": "PLAIN", "value": "1"}],
            envFrom=[{"prefix": "K8S_", "secretRef": {"name": "all"}}],
        )
    )
    assert [(held.variable, held.secret, held.key, held.optional) for held in found] == [
        ("KUBE_TOKEN", "old", "token", True),
        ("K8S_token", "all", "", False),
    ]
