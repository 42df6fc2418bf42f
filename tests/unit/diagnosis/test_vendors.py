"""Managed control planes by what they say of themselves, in strings as vendors' pages and bug reports show them."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from bot.diagnosis.vendors import vendor_of, where_to_look
from bot.model import ApiServer, Discovery, Facet, Gap, GapKind, ObjectRef, Snapshot
from bot.objects import Version

NOWHERE = Snapshot(
    target=ObjectRef(cluster="", api_version="v1", kind="Pod", namespace="shop", name="app"),
    taken_at=datetime(2026, 11, 22, 13, 0, tzinfo=UTC),
)
AKS_ISSUER = "https://westeurope.oic.prod-aks.azure.com/72f988bf-86f1-41af-91ab-2d7cd011db47/0f2a1b3c-6d5e-4f70-8a9b/"


def snapshot(version: str = "", issuer: str = "", server: str = "") -> Snapshot:
    found = replace(NOWHERE, endpoints=(server,) if server else ())
    if version:
        found = replace(found, version=Facet(value=Version(git_version=version)))
    return replace(found, discovery=Facet(value=Discovery(issuer=issuer))) if issuer else found


@pytest.mark.parametrize(
    ("version", "issuer", "server", "name"),
    [
        # https://discuss.kubernetes.io/t/wrong-exp-date-in-projected-serviceaccount-token/17697
        ("", "https://oidc.eks.eu-west-1.amazonaws.com/id/D4E2A1B0C9F84736", "", "EKS"),
        ("v1.30.14-eks-3025e55", "", "", "EKS"),
        ("v1.21.2-eks-0389ca3", "", "", "EKS"),
        ("", "https://oidc.eks.cn-north-1.amazonaws.com.cn/id/D4E2A1B0C9F84736", "", "EKS"),
        ("", "", "https://D4E2A1B0C9F84736.gr7.eu-west-1.eks.amazonaws.com", "EKS"),
        ("", "", "https://D4E2A1B0C9F84736.yl4.us-east-1.eks.amazonaws.com:443", "EKS"),
        ("v1.33.5-gke.1080000", "", "", "GKE"),
        ("", "https://container.googleapis.com/v1/projects/shop-prod/locations/europe-west1/clusters/main", "", "GKE"),
        ("", "", "https://gke-0f2a1b3c-123456789012.europe-west1.gke.goog", "GKE"),
        ("v1.30.14", AKS_ISSUER, "", "AKS"),
        ("v1.29.4", "https://shop-dns-1a2b3c4d.hcp.westeurope.azmk8s.io", "", "AKS"),
        ("", "", "https://shop-dns-1a2b3c4d.hcp.westeurope.azmk8s.io:443", "AKS"),
        ("", "", "https://shop-1a2b3c4d.0f2a1b3c-6d5e.privatelink.westeurope.azmk8s.io:443", "AKS"),
    ],
)
def test_a_vendor_is_recognised(version: str, issuer: str, server: str, name: str) -> None:
    found = vendor_of(snapshot(version, issuer, server))
    assert found
    assert found.name == name
    assert (version or issuer or server).removesuffix("/") in found.why() or issuer in found.why()


@pytest.mark.parametrize(
    ("version", "issuer", "server"),
    [
        ("", "", ""),
        ("v1.36.3", "https://kubernetes.default.svc.cluster.local", "https://10.0.0.1:6443"),
        ("v1.29.4+k3s1", "https://kubernetes.default.svc", "https://127.0.0.1:6443"),
        ("v1.36.3", "https://eks.amazonaws.com.shop.example", "https://eks.amazonaws.com.shop.example"),
        ("v1.36.3", "https://issuer.shop.example/container.googleapis.com", "https://azmk8s.io.shop.example"),
    ],
)
def test_others_are_not(version: str, issuer: str, server: str) -> None:
    assert vendor_of(snapshot(version, issuer, server)) is None


def test_a_vendors_build_whose_control_plane_is_visible_is_not_managed() -> None:
    """EKS Anywhere runs Amazon's build on one's own machines."""
    visible = replace(
        snapshot("v1.30.14-eks-3025e55"), authentication=Facet(value=(ApiServer(pod="kube-apiserver-a"),))
    )
    assert vendor_of(visible) is None


@pytest.mark.parametrize(
    ("version", "issuer", "expected"),
    [
        ("v1.30.14-eks-3025e55", "", timedelta(days=90)),
        ("v1.33.5-gke.1080000", "", timedelta(hours=48)),
        ("v1.29.9", AKS_ISSUER, timedelta(days=365)),
        ("v1.30.0", AKS_ISSUER, None),
        ("v1.33.1", "https://shop-dns-1a2b3c4d.hcp.westeurope.azmk8s.io", timedelta(days=365)),
        ("", AKS_ISSUER, timedelta(days=365)),
    ],
)
def test_how_long_an_extended_token_lives_there(version: str, issuer: str, expected: timedelta | None) -> None:
    found = vendor_of(snapshot(version, issuer))
    assert found
    assert found.extension == expected


def test_what_is_hidden_is_to_be_seen_at_the_vendor() -> None:
    vendor = vendor_of(snapshot("v1.30.14-eks-3025e55"))
    hidden = Gap(facet="api_server_logs", kind=GapKind.UNOBSERVABLE, reason="hidden")
    assert "CloudWatch" in where_to_look(hidden, vendor).mend
    assert where_to_look(hidden, None) == hidden
    denied = replace(hidden, kind=GapKind.DENIED)
    assert where_to_look(denied, vendor) == denied
    other = replace(hidden, facet="discovery")
    assert where_to_look(other, vendor) == other
