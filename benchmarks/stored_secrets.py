"""The Secrets of a team, by what they are for, in the sizes and numbers that they have in real clusters.

Of a hundred: thirty legacy token Secrets, ten revisions of Helm's release (as many as Helm keeps), four of TLS, two for
registries, the rest settings. One in a hundred holds a credential of another cluster.
"""

import base64
import gzip
import json
import random
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.shop import labels, opaque_secret
from tests.cluster.api import JsonObject
from tests.cluster.certificates import Authority
from tests.cluster.tokens import Tokens

OPAQUE = "Opaque"
TOKEN_SECRET = "kubernetes.io/service-account-token"  # noqa: S105  # a Secret's type
HELM, TLS, REGISTRY = "helm.sh/release.v1", "kubernetes.io/tls", "kubernetes.io/dockerconfigjson"

OF_A_TEAM = {TOKEN_SECRET: 30, HELM: 10, TLS: 4, REGISTRY: 2, OPAQUE: 53}
"""How many of each type. A service account for each of the token Secrets."""

OF_A_HOLDER = 10
"""Those with credentials, of type Opaque: a tenth of the teams has as many beside."""

HELM_BYTES = 12 * 1024
"""Of a release, compressed: a chart of a dozen manifests. Large ones come near the limit of 1 MiB."""

DAYS = (-3, 0.5, 4, 12)
"""Until the end of a credential."""


def others(team: str) -> list[JsonObject]:
    """Manifests of all but the token Secrets and those of a holder."""
    chance = random.Random(team)  # noqa: S311  # sizes and bytes that are the same in every run
    with TemporaryDirectory() as folder:
        pair = _authority(Path(folder)).issue(team, Path(folder))
        chain = {"tls.crt": pair.certificate.read_bytes() * 2, "tls.key": pair.key.read_bytes()}
    registry = json.dumps({"auths": {"registry.example": {"auth": "c2hvcDpzaG9w" * 6}}}).encode()
    kinds = [
        (HELM, f"sh.helm.release.v1.{team}.v", {"release": _release(chance)}),
        (TLS, f"{team}-tls-", chain),
        (REGISTRY, f"{team}-registry-", {".dockerconfigjson": registry}),
    ]
    typed = [
        _secret(f"{start}{number:02d}", team, data, of_type=of_type)
        for of_type, start, data in kinds
        for number in range(OF_A_TEAM[of_type])
    ]
    return [*typed, *(opaque_secret(f"{team}-settings-{number:02d}", team) for number in range(OF_A_TEAM[OPAQUE]))]


def held(team: str, tokens: Tokens, claims: JsonObject) -> list[JsonObject]:
    """Manifests of OF_A_HOLDER: kubeconfigs with a token or a certificate, Argo CD's clusters, and bare tokens."""
    signed = [tokens.sign({**claims, "exp": claims["iat"] + int(days * 86_400)}) for days in DAYS]
    with TemporaryDirectory() as folder:
        authority = _authority(Path(folder))
        pair = authority.issue("operator", Path(folder))
        ca = _base64(authority.certificate.read_bytes())
        pem = {
            "client-certificate-data": _base64(pair.certificate.read_bytes()),
            "client-key-data": _base64(pair.key.read_bytes()),
        }
    users = [*({"token": token} for token in signed), pem, pem]
    data: list[tuple[str, dict[str, bytes]]] = [
        *(("kubeconfig", {"value": _kubeconfig(ca, user)}) for user in users),
        *(("cluster", _cluster(ca, token)) for token in signed[:2]),
        *(("ci", {"KUBE_TOKEN": token.encode()}) for token in signed[:2]),
    ]
    return [
        _secret(f"{team}-held-{number}-{what}", team, each, argo_cd=what == "cluster")
        for number, (what, each) in enumerate(data)
    ]


def is_held(key: str) -> bool:
    """Whether it is one of those, by its name or its key in etcd."""
    return "-held-" in key


def _secret(
    name: str, team: str, data: dict[str, bytes], *, of_type: str = OPAQUE, argo_cd: bool = False
) -> JsonObject:
    marked = {"argocd.argoproj.io/secret-type": "cluster"} if argo_cd else {}
    encoded = {key: _base64(value) for key, value in data.items()}
    return {"metadata": {"name": name, "labels": {**labels(team), **marked}}, "type": of_type, "data": encoded}


def _release(chance: random.Random) -> bytes:
    """As Helm writes it: gzip, and base64 inside of the Secret's own."""
    return base64.b64encode(gzip.compress(chance.randbytes(HELM_BYTES), mtime=0))


def _kubeconfig(ca: str, user: dict[str, str]) -> bytes:
    lines = "".join(f"    {key}: {value}\n" for key, value in user.items())
    return (
        "apiVersion: v1\nkind: Config\nclusters:\n- name: other\n  cluster:\n    server: https://other.example:6443\n"
        f"    certificate-authority-data: {ca}\ncontexts:\n- name: other\n  context:\n    cluster: other\n"
        f"    user: operator\ncurrent-context: other\nusers:\n- name: operator\n  user:\n{lines}"
    ).encode()


def _cluster(ca: str, token: str) -> dict[str, bytes]:
    config = {"bearerToken": token, "tlsClientConfig": {"caData": ca}}
    return {"config": json.dumps(config).encode(), "server": b"https://other.example:6443", "name": b"other"}


def _authority(folder: Path) -> Authority:
    authority = Authority(folder)
    authority.create()
    return authority


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
