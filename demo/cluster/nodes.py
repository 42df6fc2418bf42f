"""Nodes with their Leases, and the control plane's own static pods and Leases."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from demo.cluster import resources as r
from demo.cluster.controllers.context import Context
from demo.cluster.managed_fields import Writer
from demo.cluster.objects import JsonObject, clone, labels_of, meta, micro_stamp, name_of, random_suffix, stamp, uid_of
from demo.cluster.registry import How

VERSION = "v1.36.3"
CONTROL_PLANE = "control-plane"
ROLE = "node-role.kubernetes.io/control-plane"
IDENTITY = "apiserver.kubernetes.io/identity"
API_SERVER, MANAGER, SCHEDULER, ETCD = "kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd"

_RENEWED = {"node": 10.0, API_SERVER: 10.0, MANAGER: 5.0, SCHEDULER: 5.0}
_PKI = "/etc/kubernetes/pki"
_FLAGS: dict[str, tuple[str, ...]] = {
    API_SERVER: (
        "--advertise-address=172.18.0.2",
        "--allow-privileged=true",
        "--authorization-mode=Node,RBAC",
        f"--client-ca-file={_PKI}/ca.crt",
        "--enable-admission-plugins=NodeRestriction",
        "--etcd-servers=https://127.0.0.1:2379",
        "--secure-port=6443",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={_PKI}/sa.pub",
        f"--service-account-signing-key-file={_PKI}/sa.key",
        "--service-cluster-ip-range=10.96.0.0/16",
    ),
    MANAGER: (
        "--bind-address=127.0.0.1",
        "--controllers=*,bootstrapsigner,tokencleaner",
        "--kubeconfig=/etc/kubernetes/controller-manager.conf",
        "--leader-elect=true",
        f"--root-ca-file={_PKI}/ca.crt",
        f"--service-account-private-key-file={_PKI}/sa.key",
        "--use-service-account-credentials=true",
    ),
    SCHEDULER: ("--bind-address=127.0.0.1", "--kubeconfig=/etc/kubernetes/scheduler.conf", "--leader-elect=true"),
    ETCD: ("--data-dir=/var/lib/etcd", "--listen-client-urls=https://127.0.0.1:2379"),
}


@dataclass
class Nodes:
    """`behind` is how far a node's clock lags; a stopped one renews nothing."""

    context: Context
    behind: dict[str, timedelta] = field(default_factory=dict)
    stopped: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    """Programs of the control plane that renew no Lease for the moment."""

    def make(self, names: Sequence[str]) -> None:
        for number, name in enumerate((CONTROL_PLANE, *names)):
            self.context.registry.create(r.NODES, "", _node(name), How(Writer("kubelet")))
            now = stamp(self.context.clock.now())
            status = _node_status(name, f"172.18.0.{2 + number}", now)
            self.context.registry.change_status(r.NODES, "", name, status, How(Writer("kubelet")))

    def make_static_pods(self) -> None:
        """Shown as their kubelet mirrors them."""
        owner = self.context.registry.get(r.NODES, "", CONTROL_PLANE)
        for component, flags in _FLAGS.items():
            manifest = _static_pod(component, flags, owner)
            self.context.registry.create(r.PODS, "kube-system", manifest, How(Writer("kubelet")))

    def begin_leases(self, host: str) -> None:
        """From now on they tick; `host` is the API server's address and port."""
        for node in self.context.registry.store.items(r.NODES):
            self._lease("kube-node-lease", _node_lease(node), "kubelet")
            self._tick("kube-node-lease", name_of(node), "kubelet", _RENEWED["node"])
        identity = f"apiserver-{random_suffix(26)}"
        self._lease("kube-system", _identity_lease(identity, host), API_SERVER)
        self._tick("kube-system", identity, API_SERVER, _RENEWED[API_SERVER])
        for component in (MANAGER, SCHEDULER):
            self._lease("kube-system", _leader_lease(component), component)
            self._tick("kube-system", component, component, _RENEWED[component])

    def _lease(self, namespace: str, manifest: JsonObject, writer: str) -> None:
        manifest["spec"]["renewTime"] = micro_stamp(self._time(name_of(manifest)))
        self.context.registry.create(r.LEASES, namespace, manifest, How(Writer(writer)))

    def _tick(self, namespace: str, name: str, writer: str, seconds: float) -> None:
        def renewed(found: JsonObject) -> JsonObject:
            return {**found, "spec": {**found["spec"], "renewTime": micro_stamp(self._time(name))}}

        def tick() -> None:
            lives = self.context.registry.store.get(r.LEASES, namespace, name) is not None
            if lives and name not in self.stopped and writer not in self.silent:
                self.context.registry.change(r.LEASES, namespace, name, renewed, How(Writer(writer)))
            self.context.agenda.after(seconds, tick)

        self.context.agenda.after(seconds, tick)

    def renew(self, name: str) -> None:
        """At once, as after its clock was moved."""

        def renewed(found: JsonObject) -> JsonObject:
            return {**found, "spec": {**found["spec"], "renewTime": micro_stamp(self._time(name))}}

        self.context.registry.change(r.LEASES, "kube-node-lease", name, renewed, How(Writer("kubelet")))

    def _time(self, name: str) -> datetime:
        return self.context.clock.now() - self.behind.get(name, timedelta())

    def stop(self, name: str) -> None:
        """As if its kubelet had died: not ready, and tainted."""
        self.stopped.add(name)
        self._set_ready(name, "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")

    def start(self, name: str) -> None:
        self.stopped.discard(name)
        self._set_ready(name, "True", "KubeletReady", "kubelet is posting ready status")

    def _set_ready(self, name: str, ready: str, reason: str, message: str) -> None:
        now = stamp(self.context.clock.now())
        status = clone(self.context.registry.get(r.NODES, "", name)["status"])
        for each in status["conditions"]:
            if each["type"] == "Ready":
                each |= {"status": ready, "reason": reason, "message": message, "lastTransitionTime": now}
        self.context.registry.change_status(r.NODES, "", name, status)
        taints = [
            {"key": "node.kubernetes.io/unreachable", "effect": effect, "timeAdded": now}
            for effect in ("NoSchedule", "NoExecute")
        ]

        def tainted(found: JsonObject) -> JsonObject:
            own = [each for each in found["spec"].get("taints", []) if each["key"] == ROLE]
            return {**found, "spec": {**found["spec"], "taints": own if ready == "True" else [*own, *taints]}}

        self.context.registry.change(r.NODES, "", name, tainted)


def container_of(pods: Sequence[JsonObject], component: str) -> tuple[str, str]:
    """Where a program of the control plane writes its log."""
    pod = next(each for each in pods if labels_of(each).get("component") == component)
    return uid_of(pod), component


def _node(name: str) -> JsonObject:
    labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    spec: JsonObject = {}
    if name == CONTROL_PLANE:
        labels[ROLE] = ""
        spec["taints"] = [{"key": ROLE, "effect": "NoSchedule"}]
    return {"metadata": {"name": name, "labels": labels}, "spec": spec}


def _node_status(name: str, address: str, now: str) -> JsonObject:
    conditions = [
        ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
    ]
    return {
        "addresses": [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}],
        "capacity": {"cpu": "8", "memory": "32Gi", "pods": "110"},
        "allocatable": {"cpu": "7800m", "memory": "30Gi", "pods": "110"},
        "conditions": [
            {"type": kind, "status": status, "reason": reason, "message": message, "lastHeartbeatTime": now,
             "lastTransitionTime": now}
            for kind, status, reason, message in conditions
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "nodeInfo": {"architecture": "amd64", "bootID": "", "containerRuntimeVersion": "containerd://2.1.4",
                     "kernelVersion": "6.8.0", "kubeProxyVersion": "", "kubeletVersion": VERSION, "machineID": "",
                     "operatingSystem": "linux", "osImage": "Debian GNU/Linux 12 (bookworm)", "systemUUID": ""},
    }  # fmt: skip


def _node_lease(node: JsonObject) -> JsonObject:
    owner = {"apiVersion": "v1", "kind": "Node", "name": name_of(node), "uid": uid_of(node)}
    spec = {"holderIdentity": name_of(node), "leaseDurationSeconds": 40}
    return {"metadata": {"name": name_of(node), "ownerReferences": [owner]}, "spec": spec}


def _identity_lease(name: str, host: str) -> JsonObject:
    labels = {IDENTITY: API_SERVER, "kubernetes.io/hostname": CONTROL_PLANE}
    annotations = {"kubernetes.io/peer-advertise-address": host}
    spec = {"holderIdentity": f"{name}_{random_suffix(8)}", "leaseDurationSeconds": 3600}
    return {"metadata": {"name": name, "labels": labels, "annotations": annotations}, "spec": spec}


def _leader_lease(component: str) -> JsonObject:
    holder = f"{CONTROL_PLANE}_{random_suffix(8)}"
    return {
        "metadata": {"name": component},
        "spec": {"holderIdentity": holder, "leaseDurationSeconds": 15, "leaseTransitions": 1},
    }


def _static_pod(component: str, flags: Sequence[str], owner: JsonObject) -> JsonObject:
    reference = {"apiVersion": "v1", "kind": "Node", "name": name_of(owner), "uid": meta(owner)["uid"]}
    image = f"registry.k8s.io/{component}:{'3.6.8-0' if component == ETCD else VERSION}"
    return {
        "metadata": {
            "name": f"{component}-{name_of(owner)}",
            "labels": {"component": component, "tier": "control-plane"},
            "annotations": {"kubernetes.io/config.mirror": "file", "kubernetes.io/config.source": "file"},
            "ownerReferences": [{**reference, "controller": True}],
        },
        "spec": {
            "containers": [{"name": component, "image": image, "command": [component, *flags]}],
            "hostNetwork": True,
            "nodeName": name_of(owner),
            "priorityClassName": "system-node-critical",
            "tolerations": [{"operator": "Exists", "effect": "NoExecute"}],
        },
    }
