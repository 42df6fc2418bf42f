"""`side` is both clusters in turn; what a test demands of the embedded one, the real one must do as well."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from demo.cluster import ClusterServer, Pace
from demo.cluster.keys import SigningKey as DemoKey
from tests.cluster.api import Api, JsonObject, connected
from tests.cluster.conftest import control_plane_binaries, plane
from tests.cluster.layout import SigningKey
from tests.cluster.plane import Plane
from tests.cluster.tokens import Tokens
from tests.cluster.waiting import eventually
from tests.cluster.workloads import container_of
from tests.contract.cluster.side import Lines, Side

__all__ = ["control_plane_binaries", "plane"]

QUICK = Pace(start=0.02, ready=0.02, stop=0.02, back_off=0.05)


@pytest.fixture(scope="module")
async def cluster() -> AsyncIterator[ClusterServer]:
    """The embedded one, empty."""
    async with ClusterServer("empty", pace=QUICK) as server:
        yield server


@pytest.fixture(scope="session")
def foreign_key() -> DemoKey:
    """Another cluster's."""
    return DemoKey()


@pytest.fixture
async def embedded(cluster: ClusterServer, foreign_key: DemoKey, tmp_path: Path) -> AsyncIterator[Side]:
    async with embedded_side(cluster, foreign_key, tmp_path) as found:
        yield found
        await found.api.delete(f"/api/v1/namespaces/{found.namespace}")


@pytest.fixture
async def real(plane: Plane) -> AsyncIterator[Side]:
    async with real_side(plane) as found:
        yield found
        await found.api.delete(f"/api/v1/namespaces/{found.namespace}")


@pytest.fixture(params=["embedded", pytest.param("real", marks=pytest.mark.cluster)])
def side(request: pytest.FixtureRequest) -> Side:
    """The one or the other: the one that is not asked for is not started."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Side)
    return found


@asynccontextmanager
async def embedded_side(cluster: ClusterServer, foreign: DemoKey, folder: Path) -> AsyncIterator[Side]:
    authority = folder / "ca.crt"
    authority.write_text(cluster.machinery.authority.pem)
    async with connected(cluster.url, cluster.admin_token, authority) as api:
        keys = [_written(folder, name, key) for name, key in (("own", cluster.machinery.key), ("foreign", foreign))]

        def write_log(pod: JsonObject, lines: Lines) -> None:
            container = (pod["metadata"]["uid"], pod["spec"]["containers"][0]["name"])
            cluster.machinery.logs.clear(container)
            for at, text in lines:
                cluster.machinery.logs.write(container, at, text)

        async def mount(_pod: JsonObject) -> None:
            """Its kubelet has done so."""

        kubeconfig = cluster.kubeconfig(folder / "kubeconfig", admin=True)
        yield Side(api, Tokens(api, *keys), await fresh_namespace(api), kubeconfig, write_log, mount)


@asynccontextmanager
async def real_side(plane: Plane) -> AsyncIterator[Side]:
    def write_log(pod: JsonObject, lines: Lines) -> None:
        plane.kubelet.set_logs(container_of(pod), lines)

    async def mount(pod: JsonObject) -> None:
        await plane.control.post(f"/mounts/{pod['metadata']['namespace']}/{pod['metadata']['name']}", {})

    yield Side(plane.api, plane.tokens, await fresh_namespace(plane.api), plane.kubeconfig, write_log, mount)


async def fresh_namespace(api: Api) -> str:
    """With all that a controller puts into it."""
    name = f"shop-{uuid.uuid4().hex[:10]}"
    await api.post("/api/v1/namespaces", {"metadata": {"name": name}})
    root = f"/api/v1/namespaces/{name}"
    for kind, wanted in (("serviceaccounts", "default"), ("configmaps", "kube-root-ca.crt")):
        await eventually(partial(api.get, f"{root}/{kind}"), partial(_holds, wanted), f"{wanted} in {name}")
    return name


def _holds(wanted: str, listed: JsonObject) -> bool:
    return any(each["metadata"]["name"] == wanted for each in listed["items"])


def _written(folder: Path, name: str, key: DemoKey) -> SigningKey:
    found = SigningKey(folder / f"{name}.key", folder / f"{name}.pub")
    for path, text in zip((found.private, found.public), key.pem, strict=True):
        path.write_bytes(text)
    return found
