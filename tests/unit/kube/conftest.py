"""A fake API server, and a cluster that is connected to it by a kubeconfig."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.kube.client import Cluster, connect
from tests.unit.kube.fake_api import FakeApi, healthy, served


@pytest.fixture
async def api() -> AsyncIterator[FakeApi]:
    """Answers as for a healthy pod, until the test says otherwise."""
    fake = FakeApi()
    healthy(fake)
    server = await served(fake)
    yield fake
    await server.close()


@pytest.fixture
async def cluster(api: FakeApi, tmp_path: Path) -> AsyncIterator[Cluster]:
    connected = await connect("here", kubeconfig=api.kubeconfig(tmp_path))
    yield connected
    await connected.close()
