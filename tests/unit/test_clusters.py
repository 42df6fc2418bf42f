"""The configured clusters: which one is meant, and what becomes of one that cannot be connected to."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.clusters import Clusters, Connect
from bot.errors import ClusterUnreachableError, WrongUsageError
from bot.kube.client import Cluster, connect
from bot.model import Target
from tests.unit.kube.fake_api import FakeApi, listed, says, served

TARGET = Target(namespace="shop", name="checkout-1")


class Way:
    """Connects as the real one does, after failing with each of the errors given."""

    def __init__(self, folder: Path, name: str, *errors: Exception) -> None:
        self.kubeconfig = FakeApi(url="http://127.0.0.1:1").kubeconfig(folder)
        self.name = name
        self.errors = list(errors)
        self.tries = 0

    async def __call__(self) -> Cluster:
        self.tries += 1
        await asyncio.sleep(0)
        if self.errors:
            raise self.errors.pop(0)
        return await connect(self.name, kubeconfig=self.kubeconfig)


@pytest.fixture
async def made() -> AsyncIterator[list[Clusters]]:
    clusters: list[Clusters] = []
    yield clusters
    for each in clusters:
        await each.close()


def clusters(made: list[Clusters], **ways: Connect) -> Clusters:
    made.append(Clusters(ways))
    return made[-1]


async def test_the_only_cluster_is_meant_and_is_called_as_its_context_is(tmp_path: Path, made: list[Clusters]) -> None:
    found = Clusters({"": Way(tmp_path, "")})
    made.append(found)
    await found.start()
    assert found.names == ("here",)
    assert (await found.chosen(TARGET)).cluster == "here"


async def test_of_several_the_target_says_which_in_any_case_of_letters(tmp_path: Path, made: list[Clusters]) -> None:
    found = clusters(made, prod=Way(tmp_path, "prod"), staging=Way(tmp_path, "staging"))
    await found.start()
    assert (await found.chosen(Target(namespace="shop", name="x", cluster="Staging"))).cluster == "staging"
    assert (await found.chosen(TARGET)).cluster == ""


async def test_one_that_cannot_be_reached_does_not_stop_the_bot_and_is_tried_again(
    tmp_path: Path, made: list[Clusters]
) -> None:
    way = Way(tmp_path, "prod", ClusterUnreachableError("down"), ClusterUnreachableError("still down"))
    found = clusters(made, prod=way)
    await found.start()
    assert found.connected == {}
    with pytest.raises(ClusterUnreachableError, match="still down"):
        await found.chosen(TARGET)
    await asyncio.gather(*(found.chosen(TARGET) for _ in range(5)))
    assert list(found.connected) == ["prod"]
    assert way.tries == 3


async def test_while_one_is_away_the_other_is_not_taken_for_it(tmp_path: Path, made: list[Clusters]) -> None:
    away = Way(tmp_path, "prod", *[ClusterUnreachableError("down")] * 3)
    found = clusters(made, prod=away, staging=Way(tmp_path, "staging"))
    await found.start()
    with pytest.raises(WrongUsageError) as raised:
        await found.chosen(TARGET)
    assert "prod, staging" in raised.value.next_step


async def test_a_wrong_configuration_stops_the_start(tmp_path: Path, made: list[Clusters]) -> None:
    found = clusters(made, prod=Way(tmp_path, "prod"), staging=Way(tmp_path, "staging", WrongUsageError("no context")))
    with pytest.raises(WrongUsageError, match="no context"):
        await found.start()


async def test_what_a_killed_process_left_is_looked_for_in_each_cluster(tmp_path: Path, made: list[Clusters]) -> None:
    api = FakeApi()
    server = await served(api)
    try:
        folder = "/api/v1/namespaces/probes"
        left = {"metadata": {"name": "old", "uid": "u", "creationTimestamp": "2020-01-01T00:00:00Z"}}
        api.on(f"{folder}/secrets", says(listed(left)))
        api.on(f"{folder}/serviceaccounts", says(listed()))
        api.on(f"{folder}/secrets/old", says({}))
        way = Way(tmp_path, "prod")
        (tmp_path / "gone").mkdir()
        gone = Way(tmp_path / "gone", "gone")
        way.kubeconfig = api.kubeconfig(tmp_path)
        found = clusters(made, prod=way, gone=gone)
        await found.start()

        await found.sweep("probes", 5)  # the one that does not answer is only written into the log

        assert [request.method for request in api.asked(f"{folder}/secrets/old")] == ["DELETE"]
    finally:
        await server.close()
