"""The command lines of the control plane's programs: as kubeadm's, with ports and files of our own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

from tests.cluster.layout import Layout

Component: TypeAlias = Literal["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok"]
Flags: TypeAlias = Mapping[str, str | tuple[str, ...] | None]

ISSUER = "https://kubernetes.default.svc"

# Not all of them: pod-garbage-collector would delete pods whose node a test has not made, taint-eviction the
# pods of a node that a test has stopped. Fewer controllers also start sooner.
CONTROLLERS = (
    "clusterrole-aggregation",
    "cronjob",
    "daemonset",
    "deployment",
    "endpointslice",
    "garbage-collector",
    "job",
    "legacy-serviceaccount-token-cleaner",
    "namespace",
    "node-lifecycle",
    "replicaset",
    "root-ca-certificate-publisher",
    "serviceaccount",
    "serviceaccount-token",
    "statefulset",
)


@dataclass(frozen=True)
class Ports:
    """Ports on 127.0.0.1, the API server's on its own address; the kubelet's serves every node."""

    etcd: int
    etcd_peer: int
    api_server: int
    kubelet: int
    api_server_address: str


@dataclass(frozen=True)
class Command:
    """A program with its flags; one with several values is given several times."""

    program: Path
    flags: Flags

    def changed(self, changes: Flags) -> "Command":
        """With some flags set otherwise; None leaves a flag out."""
        return replace(self, flags={**self.flags, **changes})

    def line(self) -> list[str]:
        flags = [f"--{name}={value}" for name, values in self.flags.items() for value in _each(values)]
        return [str(self.program), *flags]


def _each(values: str | Sequence[str] | None) -> Sequence[str]:
    """A flag may be given several times, or left out."""
    if values is None:
        return ()
    return (values,) if isinstance(values, str) else values


def commands(binaries: Path, layout: Layout, ports: Ports) -> dict[Component, Command]:
    """Every program's command."""
    return {
        "etcd": Command(binaries / "server", etcd(layout, ports)),
        "kube-apiserver": Command(binaries / "kube-apiserver", api_server(layout, ports)),
        "kube-controller-manager": Command(binaries / "kube-controller-manager", controller_manager(layout)),
        "kube-scheduler": Command(binaries / "kube-scheduler", scheduler(layout)),
        "kwok": Command(binaries / "kwok", kwok(layout, ports)),
    }


def etcd(layout: Layout, ports: Ports) -> Flags:
    client, peer = f"http://127.0.0.1:{ports.etcd}", f"http://127.0.0.1:{ports.etcd_peer}"
    return {
        "name": "default",
        "data-dir": str(layout.etcd_data),
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"default={peer}",
        "unsafe-no-fsync": "true",
    }


def api_server(layout: Layout, ports: Ports) -> Flags:
    return {
        "advertise-address": ports.api_server_address,
        "allow-privileged": "true",
        "audit-log-path": str(layout.audit_log),
        "audit-policy-file": str(layout.audit_policy),
        "authorization-mode": "Node,RBAC",
        "bind-address": ports.api_server_address,
        "cert-dir": str(layout.certificates),
        "client-ca-file": str(layout.authority.certificate),
        "enable-admission-plugins": "NodeRestriction",
        "etcd-servers": f"http://127.0.0.1:{ports.etcd}",
        "kubelet-certificate-authority": str(layout.authority.certificate),
        "kubelet-client-certificate": str(layout.kubelet_client.certificate),
        "kubelet-client-key": str(layout.kubelet_client.key),
        "kubelet-preferred-address-types": "InternalIP",
        "secure-port": str(ports.api_server),
        "service-account-issuer": ISSUER,
        "service-account-key-file": str(layout.signing_key.public),
        "service-account-signing-key-file": str(layout.signing_key.private),
        "service-cluster-ip-range": "10.96.0.0/16",
        # JSON, so that a test can move an object's time stamps in etcd
        "storage-media-type": "application/json",
        "tls-cert-file": str(layout.serving.certificate),
        "tls-private-key-file": str(layout.serving.key),
        "token-auth-file": str(layout.static_tokens),
        "v": "2",
    }


def controller_manager(layout: Layout) -> Flags:
    return {
        "concurrent-serviceaccount-token-syncs": "20",
        "controllers": ",".join(f"{name}-controller" for name in CONTROLLERS),
        "kube-api-burst": "2000",
        "kube-api-qps": "1000",
        "kubeconfig": str(layout.kubeconfig("kube-controller-manager")),
        "leader-elect": "false",
        "root-ca-file": str(layout.authority.certificate),
        "secure-port": "0",
        "service-account-private-key-file": str(layout.signing_key.private),
        "v": "2",
    }


def scheduler(layout: Layout) -> Flags:
    return {
        "kube-api-burst": "2000",
        "kube-api-qps": "1000",
        "kubeconfig": str(layout.kubeconfig("kube-scheduler")),
        "leader-elect": "false",
        "secure-port": "0",
        "v": "2",
    }


def kwok(layout: Layout, ports: Ports) -> Flags:
    return {
        "cidr": "10.244.0.0/16",
        "config": str(Path(__file__).with_name("stages.yaml")),
        "kubeconfig": str(layout.kubeconfig("kwok")),
        "manage-all-nodes": "true",
        "node-ip": "127.0.0.1",
        # 0: our kubelet renews the nodes' leases, so that a test can put a node's clock back
        "node-lease-duration-seconds": "0",
        # the kubelet's port goes into each node's status; kwok's own server is not used
        "node-port": str(ports.kubelet),
        "server-address": "127.0.0.1:0",
    }
