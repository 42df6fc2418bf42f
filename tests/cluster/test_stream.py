"""A long list on a real control plane whose API server goes away, and forgets, in the middle of it."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from bot import objects
from bot.kube import read
from bot.kube.client import Cluster, connect
from bot.kube.permissions import LIST_SECRETS
from bot.kube.stream import stream
from tests.cluster.plane import MakePlane, Plane

NAMES = [f"settings-{number:02d}" for number in range(20)]


@pytest.fixture
async def private(private_plane: MakePlane) -> Plane:
    return await private_plane()


@pytest.fixture
async def cluster(private: Plane) -> AsyncIterator[Cluster]:
    connected = await connect("here", kubeconfig=private.kubeconfig)
    yield connected
    await connected.close()


async def create(plane: Plane, namespace: str, name: str) -> None:
    await plane.api.post(f"/api/v1/namespaces/{namespace}/secrets", {"metadata": {"name": name}})


async def filled(plane: Plane) -> str:
    namespace = await plane.create_namespace()
    await asyncio.gather(*(create(plane, namespace, name) for name in NAMES))
    return namespace


async def etcd(plane: Plane, what: str, body: dict[str, object]) -> dict[str, dict[str, str]]:
    async with plane.api.session.post(f"{plane.ready.etcd_url}/v3/kv/{what}", json=body) as response:
        response.raise_for_status()
        answer: dict[str, dict[str, str]] = await response.json()
        return answer


async def forget(plane: Plane) -> None:
    """What etcd does every five minutes: only the present is kept."""
    found = await etcd(plane, "range", {"key": base64.b64encode(b"/").decode()})
    await etcd(plane, "compaction", {"revision": found["header"]["revision"], "physical": True})


async def test_a_list_goes_on_where_it_was_when_the_api_server_is_back(private: Plane, cluster: Cluster) -> None:
    namespace = await filled(private)
    found: list[str] = []
    reading = stream(cluster.main, LIST_SECRETS, objects.Named, namespace=namespace, page=5, accept=read.METADATA_LIST)
    async with aclosing(reading) as pages:
        found += [each.metadata.name for each in await anext(pages)]
        await private.stop("kube-apiserver")
        starting = asyncio.create_task(private.start("kube-apiserver"))
        found += [each.metadata.name async for items in pages for each in items]
        await starting
    assert found == NAMES


async def test_a_list_that_was_forgotten_goes_on_as_it_is_now(private: Plane, cluster: Cluster) -> None:
    namespace = await filled(private)
    found: list[str] = []
    reading = stream(cluster.main, LIST_SECRETS, objects.Named, namespace=namespace, page=5, accept=read.METADATA_LIST)
    async with aclosing(reading) as pages:
        found += [each.metadata.name for each in await anext(pages)]
        second = [each.metadata.name for each in await anext(pages)]
        found += second
        # The third page may be on its way already, and is then of the old version.
        root = f"/api/v1/namespaces/{namespace}/secrets"
        await private.api.delete(f"{root}/{NAMES[0]}")  # was read
        await private.api.delete(f"{root}/{NAMES[-1]}")  # was not
        await create(private, namespace, "aaa")  # before the place
        await create(private, namespace, "zzz")  # behind it
        await forget(private)
        await private.stop("kube-apiserver")  # whose memory of older versions would do as well
        await private.start("kube-apiserver")
        found += [each.metadata.name async for items in pages for each in items]
    assert found == [*NAMES[:-1], "zzz"]
    log = [event for event in private.audit_events() if event["requestURI"].startswith(root)]
    assert 410 in {event["responseStatus"]["code"] for event in log if event["stage"] == "ResponseComplete"}, (
        json.dumps(log[-3:])
    )
