"""Nodes, and the control plane's own pods as a kubelet mirrors them."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.api import Api, ApiError, JsonObject
from tests.cluster.commands import Command, Component
from tests.cluster.kubelet import leases
from tests.cluster.kubelet.state import Container, State
from tests.cluster.layout import Layout

CONTROL_PLANE = "control-plane"
WORKERS = ("worker-1", "worker-2")
CONTROL_PLANE_LABEL = "node-role.kubernetes.io/control-plane"
MIRRORED: tuple[Component, ...] = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
SYSTEM_PODS = "/api/v1/namespaces/kube-system/pods"
PAUSE_SECONDS = 0.05


async def first_nodes(
    api: Api, state: State, commands: Mapping[Component, Command], check: Callable[[], None], layout: Layout
) -> None:
    """The nodes and mirror pods of a fresh control plane; returns once pods can be scheduled."""
    taint = {"key": CONTROL_PLANE_LABEL, "effect": "NoSchedule"}
    nodes = [node(CONTROL_PLANE, labels={CONTROL_PLANE_LABEL: ""}, taints=[taint])]
    nodes += [node(name) for name in WORKERS]
    for each in nodes:
        await leases.renew(api, state, await api.post("/api/v1/nodes", each))
    for component in MIRRORED:
        await mirror(api, state, Static(component, commands[component].line(), layout.log(component)))
    while not await _settled(api):
        check()
        await asyncio.sleep(PAUSE_SECONDS)


def node(name: str, labels: Mapping[str, str] | None = None, taints: list[JsonObject] | None = None) -> JsonObject:
    """A manifest; kwok fills in the status."""
    all_labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", **(labels or {})}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": all_labels},
        "spec": {"taints": taints or []},
    }


def ready(found: JsonObject) -> bool:
    """Whether the node's status says so, and no taint of the node's life cycle is left."""
    conditions = found.get("status", {}).get("conditions", [])
    taints = found.get("spec", {}).get("taints", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions) and not any(
        each["key"].startswith("node.kubernetes.io/") for each in taints
    )


@dataclass(frozen=True)
class Static:
    """A program of the control plane and its output's file; the suffix tells several of a kind apart."""

    component: Component
    line: list[str]
    log: Path
    suffix: str = ""

    @property
    def pod(self) -> str:
        return f"{self.component}-{CONTROL_PLANE}{self.suffix}"


async def mirror(api: Api, state: State, program: Static) -> None:
    """Shows a program as the static pod that it would be, its output as the container's log; replaces an older one."""
    owner = await api.get(f"/api/v1/nodes/{CONTROL_PLANE}")
    try:
        await api.delete(f"{SYSTEM_PODS}/{program.pod}", {"gracePeriodSeconds": 0})
    except ApiError as error:
        if error.status != 404:
            raise
    state.link_logs(Container("kube-system", program.pod, program.component), program.log)
    await api.post(SYSTEM_PODS, _static_pod(program, owner))


def _static_pod(program: Static, owner: JsonObject) -> JsonObject:
    """As kubeadm writes it and the kubelet mirrors it; our own folder stands there as kubeadm's."""
    metadata, component = owner["metadata"], program.component
    ours = str(program.log.parents[1])
    command = [component, *(word.replace(ours, "/etc/kubernetes") for word in program.line[1:])]
    container = {"name": component, "image": f"{component}:v1.36.3", "command": command}
    reference = {
        "apiVersion": "v1",
        "kind": "Node",
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": program.pod,
            "namespace": "kube-system",
            "labels": {"component": component, "tier": "control-plane"},
            "annotations": {"kubernetes.io/config.mirror": "file", "kubernetes.io/config.source": "file"},
            "ownerReferences": [reference],
        },
        "spec": {
            "containers": [container],
            "hostNetwork": True,
            "nodeName": metadata["name"],
            "priorityClassName": "system-node-critical",
            "tolerations": [{"operator": "Exists", "effect": "NoExecute"}],
        },
    }


async def _settled(api: Api) -> bool:
    nodes = await api.get("/api/v1/nodes")
    pods = await api.get(SYSTEM_PODS)
    accounts = await api.get("/api/v1/namespaces/default/serviceaccounts")
    return (
        all(ready(each) for each in nodes["items"])
        and all(each["status"]["phase"] == "Running" for each in pods["items"])
        and any(each["metadata"]["name"] == "default" for each in accounts["items"])
    )
