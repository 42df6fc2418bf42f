"""A Secret as it comes over the wire, and whose way of keeping a credential it is."""

import base64

from msgspec import Struct, field

from bot import ownership
from bot.model import TOKEN_TYPE, Layout

NOT_OURS = frozenset({
    "kubernetes.io/dockercfg",
    "kubernetes.io/dockerconfigjson",
    "kubernetes.io/ssh-auth",
    "kubernetes.io/tls",
    "bootstrap.kubernetes.io/token",
    "helm.sh/release.v1",
})  # fmt: skip
"""Somebody else's by their type: registry passwords, TLS, Helm's own records."""


class _Labels(ownership.Labels, frozen=True, kw_only=True):
    argo_cd_kind: str = field(default="", name="argocd.argoproj.io/secret-type")
    cluster_api: str = field(default="", name="cluster.x-k8s.io/cluster-name")


class _Meta(ownership.Meta, frozen=True, kw_only=True):
    labels: _Labels = _Labels()
    managed_fields: tuple[ownership.Managed, ...] = ()


class SecretData(Struct, frozen=True, kw_only=True):
    """A Secret as it comes over the wire: the values of `data` are base64 still."""

    metadata: _Meta
    type: str = ""
    data: dict[str, str] | None = None

    def __repr__(self) -> str:
        return "SecretData(hidden)"


def may_hold(secret_type: str) -> bool:
    """Whether a Secret of that type may hold any: nobody need read the others."""
    return secret_type not in NOT_OURS


def _needles(text: bytes) -> tuple[str, ...]:
    """What base64 makes of the text at each of the three places it can begin at, without what its neighbours decide."""
    found = []
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + text).rstrip(b"=").decode()
        whole = (before + len(text)) * 8 // 6
        found.append(encoded[-(-before * 8 // 6) : whole])
    return tuple(found)


_NEEDLES = (*_needles(b"eyJ"), *_needles(b"client-certificate-data"), *_needles(b"certData"))


def may_hold_one(encoded: str) -> bool:
    return any(needle in encoded for needle in _NEEDLES)


def is_known(secret: SecretData) -> bool:
    """Whether its label or its name says that it keeps one, damaged or not."""
    return secret.metadata.labels.argo_cd_kind == "cluster" or secret.metadata.name.endswith("-kubeconfig")


def layout_of(secret: SecretData, key: str) -> Layout:
    """By what the projects themselves go by: labels, owners, types, names and keys."""
    meta = secret.metadata
    kinds = {owner.kind for owner in meta.owner_references}
    if secret.type == TOKEN_TYPE:
        return Layout.TOKEN_SECRET
    if meta.labels.argo_cd_kind == "cluster":
        return Layout.ARGO_CD
    if "TenantControlPlane" in kinds or (meta.name.endswith("-admin-kubeconfig") and key.endswith(".conf")):
        return Layout.KAMAJI
    if meta.name.endswith("-sveltos-kubeconfig"):
        return Layout.SVELTOS
    if key == "value" and (secret.type == "cluster.x-k8s.io/secret" or meta.labels.cluster_api):
        return Layout.CLUSTER_API if meta.name.endswith("-kubeconfig") else Layout.TOKEN
    return Layout.FLUX if key in {"value", "value.yaml"} else Layout.KUBECONFIG


def must_be_kubeconfig(layout: Layout, key: str) -> bool:
    return (
        layout is Layout.CLUSTER_API
        or (layout is Layout.SVELTOS and key in {"kubeconfig", "re-kubeconfig"})
        or (layout is Layout.KAMAJI and key.endswith(".conf"))
    )
