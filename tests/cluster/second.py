"""A second API server on the same etcd: a control plane whose members disagree, about signing keys for example."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiohttp

from tests.cluster import nodes, processes
from tests.cluster.api import Api, ApiError, JsonObject
from tests.cluster.commands import Command, Flags, Ports, api_server
from tests.cluster.layout import LOOPBACK
from tests.cluster.plane import Plane
from tests.cluster.ports import free_ports
from tests.cluster.waiting import eventually

SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"


@asynccontextmanager
async def second_api_server(
    plane: Plane, *, other_keys: bool = True, changes: Flags | None = None
) -> AsyncIterator[Api]:
    """An administrator's client of it. With other keys it refuses the first one's tokens, and the other way round.

    On a private control plane its pod is shown beside the first one's. On one with an address of its own
    (`private_plane(address=…)`) it is published in the EndpointSlices of default/kubernetes, too: loopback
    addresses are not allowed there.
    """
    port, unused = free_ports(2)
    address = plane.ready.address
    etcd = urlsplit(plane.ready.etcd_url).port or 0
    name = f"kube-apiserver-{port}"
    audit = {"audit-log-path": str(plane.layout.logs / f"audit-{port}.log")}
    base = Command(
        plane.binaries / "kube-apiserver", api_server(plane.layout, Ports(etcd, unused, port, unused, address))
    )
    command = base.changed({**audit, "endpoint-reconciler-type": "none"})
    if other_keys:
        key = plane.layout.foreign_signing_key
        keys = {"service-account-key-file": str(key.public), "service-account-signing-key-file": str(key.private)}
        command = command.changed(keys)
    program = await processes.start(command.changed(changes or {}), plane.layout.log(name))
    api = plane.api.at(f"https://{address}:{port}")
    try:
        what = f"the second API server is ready (its log: {plane.layout.log(name)})"
        await eventually(lambda: _ready(api, program), lambda ready: ready, what)
        if plane.private:
            line, log = program.command.line(), plane.layout.log(name)
            await nodes.mirror(plane.api, plane.kubelet, nodes.Static("kube-apiserver", line, log, f"-{port}"))
        if address != LOOPBACK:
            await plane.api.post(SLICES, _slice(address, port))
        yield api
    finally:
        await program.stop()
        if address != LOOPBACK:
            await plane.api.delete(f"{SLICES}/kubernetes-{port}")


async def _ready(api: Api, program: processes.Program) -> bool:
    if not program.running():
        raise RuntimeError(f"the second API server ended; its log is {program.log}")
    try:
        return await api.text("/readyz") == "ok"
    except (ApiError, aiohttp.ClientError):
        return False


def _slice(address: str, port: int) -> JsonObject:
    return {
        "metadata": {"name": f"kubernetes-{port}", "labels": {"kubernetes.io/service-name": "kubernetes"}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
        "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
    }
