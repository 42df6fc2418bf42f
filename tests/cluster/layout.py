"""Where one control plane keeps its files, and how they are written before anything starts."""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.certificates import Authority, KeyPair, create_signing_key

ADMIN = "admin"
LOOPBACK = "127.0.0.1"
CLIENTS = (ADMIN, "kube-controller-manager", "kube-scheduler", "kwok", "kubelet")

# Watches and the kubelet's own traffic would drown what a test looks for.
AUDIT_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  users: [kube-controller-manager, kube-scheduler, kwok, kubelet, "system:apiserver"]
- level: Metadata
"""


@dataclass(frozen=True)
class SigningKey:
    """PEM files of a key that signs service account tokens."""

    private: Path
    public: Path


@dataclass(frozen=True)
class Layout:
    """Paths below one folder."""

    folder: Path

    @property
    def certificates(self) -> Path:
        return self.folder / "certificates"

    @property
    def authority(self) -> Authority:
        return Authority(self.certificates)

    @property
    def serving(self) -> KeyPair:
        return _pair(self.certificates, "kube-apiserver")

    @property
    def kubelet_serving(self) -> KeyPair:
        return _pair(self.certificates, "kubelet")

    @property
    def kubelet_client(self) -> KeyPair:
        return _pair(self.certificates, "kube-apiserver-kubelet-client")

    @property
    def signing_key(self) -> SigningKey:
        return SigningKey(self.certificates / "sa.key", self.certificates / "sa.pub")

    @property
    def foreign_signing_key(self) -> SigningKey:
        """Another cluster's: never given to this control plane at its start."""
        return SigningKey(self.certificates / "foreign-sa.key", self.certificates / "foreign-sa.pub")

    @property
    def static_tokens(self) -> Path:
        return self.certificates / "tokens.csv"

    @property
    def audit_policy(self) -> Path:
        return self.folder / "audit-policy.yaml"

    @property
    def audit_log(self) -> Path:
        return self.logs / "audit.log"

    @property
    def etcd_data(self) -> Path:
        return self.folder / "etcd"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def kubelet(self) -> Path:
        return self.folder / "kubelet"

    @property
    def users(self) -> Path:
        """Kubeconfigs that tests asked for."""
        return self.folder / "users"

    @property
    def ready(self) -> Path:
        """JSON, written when the control plane is ready."""
        return self.folder / "ready.json"

    @property
    def supervisor_log(self) -> Path:
        return self.logs / "supervisor.log"

    def kubeconfig(self, client: str) -> Path:
        return self.folder / f"{client}.kubeconfig"

    def log(self, component: str) -> Path:
        """Lines as a container runtime writes them."""
        return self.logs / f"{component}.log"

    def create(self, address: str) -> None:
        """The folders, the certificates and the keys; the API server's is for this address."""
        for each in (self.certificates, self.logs, self.kubelet, self.users):
            each.mkdir(parents=True, mode=0o700)
        self.authority.create()
        self.authority.issue(
            "kube-apiserver",
            self.certificates,
            names=["localhost", "kubernetes.default.svc"],
            addresses=[address, "10.96.0.1"],
        )
        self.authority.issue("kubelet", self.certificates, addresses=[LOOPBACK])
        self.authority.issue("kube-apiserver-kubelet-client", self.certificates, organizations=["system:masters"])
        for key in (self.signing_key, self.foreign_signing_key):
            create_signing_key(key.private, key.public)
        self.audit_policy.write_text(AUDIT_POLICY)

    def create_clients(self, api_server: str) -> dict[str, str]:
        """A static token and a kubeconfig for each client; returns the tokens."""
        tokens = {client: secrets.token_urlsafe(24) for client in CLIENTS}
        lines = [f'{token},{client},{client},"system:masters"' for client, token in tokens.items()]
        self.static_tokens.write_text("\n".join(lines) + "\n")
        for client, token in tokens.items():
            write_kubeconfig(self.kubeconfig(client), api_server, self.authority.certificate, {"token": token})
        return tokens


def write_kubeconfig(path: Path, api_server: str, ca_file: Path, user: dict[str, str]) -> None:
    """JSON is YAML; `user` is the kubeconfig's: a token, or a client certificate and key."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": {"server": api_server, "certificate-authority": str(ca_file)}}],
        "users": [{"name": "test", "user": user}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "current-context": "test",
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(config, indent=2))


def _pair(folder: Path, stem: str) -> KeyPair:
    return KeyPair(folder / f"{stem}.crt", folder / f"{stem}.key")
