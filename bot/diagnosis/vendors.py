"""Managed control planes: whose this is, and the rules its tokens have there. Pure.

A node's provider id tells a cloud, not who runs the control plane: kops and kubeadm clusters have one too. So only
what the vendor's own API server says of itself counts: its version, its issuer and its address.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

from msgspec.structs import replace

from bot.model import Gap, GapKind, Noun, Snapshot
from bot.versions import Minor, minor_of


class Vendor(Noun, frozen=True, kw_only=True):
    """A managed Kubernetes: `extension` is how long an extended token lives, None where none is extended.

    `longest` is the longest life that its API server gives on request, None where nothing is known of a ceiling.
    """

    name: str
    told_by: str = ""
    extension: timedelta | None
    longest: timedelta | None = None
    logs: str
    flags: str
    anonymous: str

    def why(self) -> str:
        """`EKS (version v1.33.5-eks-3cfe0ce)`: the name with what told it."""
        return f"{self.name} ({self.told_by})"


# Lifetime and where the refusals are logged: https://docs.aws.amazon.com/eks/latest/userguide/service-accounts.html and
# control-plane-logs.html.
_EKS = Vendor(
    name="EKS",
    extension=timedelta(days=90),
    logs="CloudWatch Logs, group /aws/eks/CLUSTER/cluster, streams kube-apiserver-… (why a token was refused), "
    "kube-apiserver-audit-… and authenticator-…; each must be switched on for the cluster",
    flags="aws eks describe-cluster: identity.oidc.issuer; aws eks list-identity-provider-configs",
    anonymous="a request without a token is answered 403 for system:anonymous",
)
# https://cloud.google.com/kubernetes-engine/docs/how-to/service-accounts and view-logs.
_GKE = Vendor(
    name="GKE",
    extension=timedelta(hours=48),
    longest=timedelta(hours=48),
    logs='Cloud Logging, resource.type="k8s_control_plane_component" and component_name="apiserver"; the control '
    "plane's API_SERVER logs must be switched on for the cluster",
    flags="gcloud container clusters describe: anonymousAuthenticationConfig, identityServiceConfig",
    anonymous="a request without a token is answered 403 for system:anonymous, and 401 beyond the health checks where "
    "anonymousAuthenticationConfig.mode is LIMITED",
)
# The extension is off from 1.30 on where the OIDC issuer is on: https://github.com/Azure/AKS/issues/4373 and the
# notes of release 2024-06-09. Without a token it says 401: https://learn.microsoft.com/azure/aks/cis-kubernetes.
_AKS = Vendor(
    name="AKS",
    extension=timedelta(days=365),
    logs="Azure Monitor, the cluster's diagnostic settings: category kube-apiserver (why a token was refused), "
    "kube-audit and guard; each must be switched on for the cluster",
    flags="az aks show: oidcIssuerProfile, aadProfile",
    anonymous="a request without a token is answered 401, and never reaches RBAC",
)
_AKS_STOPPED_EXTENDING = Minor(1, 30)

_VERSIONS = ((re.compile(r"-eks-[0-9a-f]+"), _EKS), (re.compile(r"-gke\.\d+"), _GKE))
_ISSUERS = (
    (re.compile(r"oidc\.eks(?:-\w+)?\.[\w-]+\.(?:amazonaws\.com(?:\.cn)?|api\.aws)"), _EKS),
    (re.compile(r"container\.googleapis\.com"), _GKE),
    (re.compile(r"(?:[\w-]+\.)+oic\.[\w-]*aks\.azure\.(?:com|us|cn)|(?:[\w-]+\.)+azmk8s\.(?:io|cn)"), _AKS),
)
_HOSTS = (
    (re.compile(r"(?:[\w-]+\.)+eks\.amazonaws\.com(?:\.cn)?"), _EKS),
    (re.compile(r"(?:[\w-]+\.)+gke\.goog"), _GKE),
    (re.compile(r"(?:[\w-]+\.)+azmk8s\.(?:io|cn)|(?:[\w-]+\.)+cx\.aks\.containerservice\.azure\.us"), _AKS),
)
_OIDC = re.compile(r"\.oic\.")


def vendor_of(snapshot: Snapshot) -> Vendor | None:
    """Who runs the control plane; None where it is nobody known, or nothing that would tell was read.

    A vendor's build may run on anybody's machines (EKS Anywhere): where the API server's pods are visible, it does.
    """
    if snapshot.authentication.gap is None:
        return None
    found = next(_signs(snapshot), None)
    if found is None or found.name != _AKS.name:
        return found
    issuer = snapshot.discovery.value.issuer if snapshot.discovery.value else ""
    version = minor_of(snapshot.version.value.git_version) if snapshot.version.value else None
    off = bool(_OIDC.search(issuer) and version and version >= _AKS_STOPPED_EXTENDING)
    return replace(found, extension=None) if off else found


def where_to_look(gap: Gap, vendor: Vendor | None) -> Gap:
    """A control plane's gap that nobody can close here, with the place where its vendor shows the same."""
    if vendor is None or gap.kind is not GapKind.UNOBSERVABLE or gap.mend:
        return gap
    places = {"api_server_logs": vendor.logs, "control_plane_logs": vendor.logs, "authentication": vendor.flags}
    place = places.get(gap.facet)
    return replace(gap, mend=f"this is {vendor.why()}; look in {place}") if place else gap


def _signs(snapshot: Snapshot) -> Iterator[Vendor]:
    """Whatever tells a vendor, the surest first."""
    version = snapshot.version.value.git_version if snapshot.version.value else ""
    for pattern, vendor in _VERSIONS:
        if pattern.search(version):
            yield replace(vendor, told_by=f"version {version}")
    issuer = snapshot.discovery.value.issuer if snapshot.discovery.value else ""
    for pattern, vendor in _ISSUERS:
        if pattern.fullmatch(urlsplit(issuer).hostname or ""):
            yield replace(vendor, told_by=f"issuer {issuer}")
    for server in snapshot.endpoints:
        for pattern, vendor in _HOSTS:
            if pattern.fullmatch(urlsplit(server).hostname or ""):
                yield replace(vendor, told_by=f"address {server}")
