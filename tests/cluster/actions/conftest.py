"""The bot's own connection to the run's control plane, as its administrator."""

from collections.abc import AsyncIterator

import pytest

from bot.kube.client import Cluster, connect
from tests.cluster.plane import Plane


@pytest.fixture
async def cluster(plane: Plane) -> AsyncIterator[Cluster]:
    found = await connect("test", kubeconfig=plane.kubeconfig)
    yield found
    await found.close()
