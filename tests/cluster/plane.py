"""A running control plane, as tests use it."""

import datetime as dt
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from tests.cluster import launch, nodes
from tests.cluster.api import Api, JsonObject, connected
from tests.cluster.commands import Component, Flags
from tests.cluster.control import ControlClient
from tests.cluster.etcd import Etcd
from tests.cluster.kubelet import leases
from tests.cluster.kubelet.server import STOPPED
from tests.cluster.kubelet.state import State
from tests.cluster.layout import ADMIN, LOOPBACK, Layout
from tests.cluster.supervise import Changes, Ready
from tests.cluster.tokens import Tokens
from tests.cluster.users import Users
from tests.cluster.waiting import eventually
from tests.cluster.workloads import Workloads


@dataclass(frozen=True)
class Plane:
    """`api` asks as an administrator. Only a private control plane's programs may be stopped."""

    layout: Layout
    binaries: Path
    ready: Ready
    private: bool
    api: Api

    @property
    def kubeconfig(self) -> Path:
        """The administrator's."""
        return self.layout.kubeconfig(ADMIN)

    @property
    def tokens(self) -> Tokens:
        return Tokens(self.api, self.layout.signing_key, self.layout.foreign_signing_key)

    @property
    def workloads(self) -> Workloads:
        return Workloads(self.api, self.control)

    @property
    def control(self) -> ControlClient:
        return ControlClient(self.api.session, self.ready.control_url, self.ready.admin_token)

    @property
    def kubelet(self) -> State:
        """What containers log and what commands in them print."""
        return State(self.layout.kubelet)

    @property
    def etcd(self) -> Etcd:
        return Etcd(self.ready.etcd_url, self.api)

    @property
    def users(self) -> Users:
        return Users(self.api, self.layout, self.tokens)

    async def create_namespace(self) -> str:
        """A fresh one, with all that a cluster puts into it."""
        name = f"shop-{uuid.uuid4().hex[:10]}"
        await self.api.post("/api/v1/namespaces", {"metadata": {"name": name}})
        root = f"/api/v1/namespaces/{name}"
        await eventually(
            lambda: self._names(f"{root}/serviceaccounts"), lambda found: "default" in found, f"default in {name}"
        )
        await eventually(
            lambda: self._names(f"{root}/configmaps"),
            lambda found: "kube-root-ca.crt" in found,
            f"kube-root-ca.crt in {name}",
        )
        return name

    async def create_node(self, name: str) -> JsonObject:
        """A ready node of the test's own: the scheduler leaves it alone, `nodeName` in a pod's spec does not."""
        manifest = nodes.node(name, taints=[{"key": "token-doctor.test/own", "effect": "NoSchedule"}])
        created = await self.api.post("/api/v1/nodes", manifest)
        await leases.renew(self.api, self.kubelet, created)
        path = f"/api/v1/nodes/{name}"
        return await eventually(lambda: self.api.get(path), nodes.ready, f"node {name} is ready")

    async def stop_node(self, name: str) -> JsonObject:
        """As if its kubelet had died a while ago: not ready, no Lease renewed, its port closed, its pods as before."""
        path = f"/api/v1/nodes/{name}"
        await self.api.patch(path, {"metadata": {"annotations": {STOPPED: "true"}}})
        conditions = (await self.api.get(path))["status"]["conditions"]
        unknown = {"status": "Unknown", "reason": "NodeStatusUnknown"}
        unknown["message"] = "Kubelet stopped posting node status."
        stopped = {
            "conditions": [{**each, **unknown} for each in conditions],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 1}},
        }
        await self.api.patch(f"{path}/status", {"status": stopped})
        return await eventually(lambda: self.api.get(path), _unreachable, f"node {name} is tainted")

    async def delay_node_clock(self, node: str, by: dt.timedelta) -> None:
        """The node's clock is behind from now on: its Lease's renewTime lags, managedFields tell the true time."""
        self.kubelet.set_clock_lag(node, by)
        await leases.renew(self.api, self.kubelet, await self.api.get(f"/api/v1/nodes/{node}"))

    def audit_events(self) -> list[JsonObject]:
        """All that the API server has audited so far (Metadata level), the control plane's own requests left out."""
        whole, _, _ = self.layout.audit_log.read_text().rpartition("\n")  # the last line may be half written
        return [json.loads(line) for line in whole.splitlines()]

    async def start(self, component: Component, changes: Flags | None = None) -> None:
        """Starts it again, with the flags of its first start, changed; None leaves a flag out."""
        line = (await self._control(component, "start", dict(changes or {})))["line"]
        if component in nodes.MIRRORED:
            await nodes.mirror(self.api, self.kubelet, nodes.Static(component, line, self.layout.log(component)))

    async def stop(self, component: Component) -> None:
        await self._control(component, "stop", {})

    async def pause(self, component: Component) -> None:
        """It answers nobody until resumed; connections stay open."""
        await self._control(component, "pause", {})

    async def resume(self, component: Component) -> None:
        await self._control(component, "resume", {})

    async def _control(
        self, component: Component, verb: Literal["start", "stop", "pause", "resume"], body: JsonObject
    ) -> JsonObject:
        if not self.private:
            raise PermissionError("other tests use this control plane too: ask for a private_plane")
        return await self.control.post(f"/components/{component}/{verb}", body)

    async def _names(self, path: str) -> set[str]:
        return {each["metadata"]["name"] for each in (await self.api.get(path))["items"]}


def _unreachable(node: JsonObject) -> bool:
    return any(each["key"] == "node.kubernetes.io/unreachable" for each in node["spec"]["taints"])


class MakePlane(Protocol):
    """Starts a whole control plane, with changed flags, its API server on another address than 127.0.0.1 if told."""

    async def __call__(self, changes: Changes | None = None, *, address: str = LOOPBACK) -> Plane: ...


@asynccontextmanager
async def opened(layout: Layout, binaries: Path, *, private: bool) -> AsyncIterator[Plane]:
    """A client of a control plane that is ready."""
    ready = launch.ready(layout)
    async with connected(ready.url, ready.admin_token, layout.authority.certificate) as api:
        yield Plane(layout, binaries, ready, private, api)
