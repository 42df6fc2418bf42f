"""A list page by page, and everything that can happen to the API server meanwhile."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import aclosing

import msgspec
import pytest
from aiohttp import ClientTimeout, web

from bot import objects
from bot.errors import ClusterUnreachableError
from bot.kube import connection as door
from bot.kube import stream as module
from bot.kube.client import Cluster
from bot.kube.gaps import BadAnswerError, DeniedError, ExpiredError, TooLargeError, UnavailableError, UnreadableError
from bot.kube.permissions import LIST_PODS
from bot.kube.stream import Patience, StartAgainError, stream
from tests.unit.kube.fake_api import (
    NAMESPACE,
    Answer,
    FakeApi,
    breaks_off,
    forbids,
    hangs,
    listed,
    named,
    refuses,
    says,
)

PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
ALL_PODS = "/api/v1/pods"
SOON = Patience(waits=(0, 0, 0), longest=5)
TOO_OLD = "The provided continue parameter is too old to display a consistent list result."

A = says(listed(named("a"), following="after-a"))
B = says(listed(named("b"), following="after-b"))
C = says(listed(named("c")))


def expired(place: str = "") -> Answer:
    status = {"kind": "Status", "metadata": {"continue": place}, "message": TOO_OLD, "reason": "Expired", "code": 410}
    return says(status, 410)


async def breaks_off_in_the_body(request: web.Request) -> web.StreamResponse:
    """Half a page, and the connection is reset."""
    body = json.dumps(listed(named("b"), following="after-b")).encode()
    response = web.StreamResponse(headers={"Content-Length": str(len(body)), "Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    assert request.transport is not None
    request.transport.abort()
    return response


async def names(cluster: Cluster, *, namespace: str = NAMESPACE, page: int = 500) -> list[str]:
    reading = stream(cluster.main, LIST_PODS, objects.Named, namespace=namespace, page=page, patience=SOON)
    async with aclosing(reading) as pages:
        return [each.metadata.name async for items in pages for each in items]


def places(api: FakeApi, path: str = PODS) -> list[str]:
    return [request.query.get("continue", "") for request in api.asked(path)]


def limits(api: FakeApi, path: str = PODS) -> list[int]:
    return [int(request.query["limit"]) for request in api.asked(path)]


# --- what goes well -----------------------------------------------------------------------------------------


async def test_each_page_begins_where_the_one_before_ended(api: FakeApi, cluster: Cluster) -> None:
    api.on(PODS, A, B, C)
    assert await names(cluster) == ["a", "b", "c"]
    assert places(api) == ["", "after-a", "after-b"]
    assert limits(api) == [100, 500, 500]


async def test_without_a_namespace_it_is_the_whole_cluster(api: FakeApi, cluster: Cluster) -> None:
    api.on(ALL_PODS, A, C)
    assert await names(cluster, namespace="") == ["a", "c"]


@pytest.mark.parametrize("items", [None, []])
async def test_an_empty_list_has_no_pages(api: FakeApi, cluster: Cluster, items: Sequence[object] | None) -> None:
    api.on(PODS, says({"metadata": {}, "items": items}))
    assert await names(cluster) == []


async def test_an_empty_page_in_the_middle_is_none(api: FakeApi, cluster: Cluster) -> None:
    api.on(PODS, A, says(listed(following="on")), C)
    assert await names(cluster, page=50) == ["a", "c"]
    assert limits(api) == [50, 50, 50]


async def test_a_list_s_metadata_may_stand_behind_its_items(api: FakeApi, cluster: Cluster) -> None:
    api.on(PODS, says({"items": [named("a")], "metadata": {"continue": "after-a"}}), C)
    assert await names(cluster) == ["a", "c"]


async def test_the_next_page_is_on_its_way_while_one_is_used(api: FakeApi, cluster: Cluster) -> None:
    second = asyncio.Event()

    async def asked(request: web.Request) -> web.StreamResponse:
        second.set()
        return await B(request)

    api.on(PODS, A, asked, C)
    async with aclosing(stream(cluster.main, LIST_PODS, objects.Named, namespace=NAMESPACE)) as pages:
        await anext(pages)
        async with asyncio.timeout(10):
            await second.wait()
        await asyncio.sleep(0.05)
        assert places(api) == ["", "after-a"]  # one ahead, and no more


async def test_whoever_stops_early_stops_the_page_on_its_way_too(api: FakeApi, cluster: Cluster) -> None:
    api.on(PODS, A, hangs)
    before = asyncio.all_tasks()
    async with aclosing(stream(cluster.main, LIST_PODS, objects.Named, namespace=NAMESPACE)) as pages:
        await anext(pages)
        assert len(asyncio.all_tasks() - before) >= 1
    assert not [task for task in asyncio.all_tasks() - before if "page" in repr(task.get_coro())]


async def test_objects_can_be_had_as_they_came(api: FakeApi, cluster: Cluster) -> None:
    api.on(PODS, says(b'{"metadata":{},"items":[{"a": 1},{"b":"\\u0041"}]}'))
    async with aclosing(stream(cluster.main, LIST_PODS, msgspec.Raw, namespace=NAMESPACE)) as pages:
        found = [bytes(each) async for items in pages for each in items]
    assert found == [b'{"a": 1}', b'{"b":"\\u0041"}']


async def test_large_objects_come_in_small_pages(
    api: FakeApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_AIM_BYTES", 3000)

    def full(size: int) -> Answer:
        async def answer(request: web.Request) -> web.StreamResponse:
            items = [named("a", padding="x" * size)] * int(request.query["limit"])
            return await says(listed(*items, following="on"))(request)

        return answer

    api.on(PODS, full(900), full(900), full(10), C)
    await names(cluster, page=8)
    assert limits(api) == [8, 3, 3, 8]


# --- what goes wrong, and passes ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "trouble",
    [
        refuses(429, "slow down"),
        refuses(429, "slow down", headers={"Retry-After": "0"}),
        refuses(500, "etcd is gone"),
        refuses(503, "apiserver is shutting down"),
        says(b"<html>", 502),
        breaks_off,
        breaks_off_in_the_body,
        forbids("list", "pods"),
        refuses(401, "Unauthorized", "Unauthorized"),
    ],
    ids=["429", "429-after", "500", "503", "proxy", "reset", "reset-mid-body", "no-roles-yet", "no-accounts-yet"],
)
async def test_a_page_that_does_not_come_is_asked_for_again(api: FakeApi, cluster: Cluster, trouble: Answer) -> None:
    api.on(PODS, A, trouble, B, C)
    assert await names(cluster) == ["a", "b", "c"]
    assert places(api)[-2:] == ["after-a", "after-b"]
    assert set(places(api)[1:-1]) == {"after-a"}


async def test_a_page_that_takes_too_long_is_asked_for_in_smaller_ones(
    api: FakeApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "_TIMEOUT", ClientTimeout(total=0.2))
    api.on(PODS, A, hangs, B, C)
    assert await names(cluster) == ["a", "b", "c"]
    assert limits(api) == [100, 500, 250, 250]
    assert places(api) == ["", "after-a", "after-a", "after-b"]


async def test_a_page_that_is_too_large_is_asked_for_in_smaller_ones(
    api: FakeApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 1000)
    large = says({"metadata": {}, "items": [named("a" * 2000)]})
    api.on(PODS, large, large, A, C)
    assert await names(cluster, page=50) == ["a", "c"]
    assert limits(api)[:3] == [50, 12, 3]

    api.on(PODS, large)
    with pytest.raises(TooLargeError):
        await names(cluster)
    assert limits(api)[-1] == 1


async def test_a_server_is_waited_for_as_long_as_it_says(
    api: FakeApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    busy = refuses(503, "starting", headers={"Retry-After": "4"})
    api.on(PODS, busy, busy, says(listed(named("a"))))
    assert await names(cluster) == ["a"]
    assert [each for each in waited if each] == [4, 4]

    api.on(PODS, refuses(503, "in maintenance", headers={"Retry-After": "600"}))
    with pytest.raises(UnavailableError, match="in maintenance"):
        await names(cluster)
    assert [each for each in waited if each] == [4, 4]


# --- a place that is too old --------------------------------------------------------------------------------


async def test_an_expired_list_goes_on_from_the_place_that_the_server_gives(api: FakeApi, cluster: Cluster) -> None:
    api.on(PODS, A, expired("after-a-as-it-is-now"), B, C)
    assert await names(cluster) == ["a", "b", "c"]
    assert places(api) == ["", "after-a", "after-a-as-it-is-now", "after-b"]


async def test_the_new_place_is_kept_through_more_trouble(api: FakeApi, cluster: Cluster) -> None:
    api.on(PODS, A, expired("now"), refuses(500), breaks_off, B, C)
    assert await names(cluster) == ["a", "b", "c"]
    assert places(api) == ["", "after-a", "now", "now", "now", "after-b"]


async def test_without_such_a_place_whoever_counts_is_told(api: FakeApi, cluster: Cluster) -> None:
    api.on(PODS, A, expired())
    with pytest.raises(StartAgainError, match="too old"):
        await names(cluster)


async def test_a_server_that_gives_ever_new_places_is_not_believed_for_ever(api: FakeApi, cluster: Cluster) -> None:
    api.on(PODS, A, expired("x"))
    with pytest.raises(StartAgainError):
        await names(cluster)
    assert len(api.asked(PODS)) == 2 + len(SOON.waits)


async def test_a_list_that_cannot_even_begin_is_not_begun_again(api: FakeApi, cluster: Cluster) -> None:
    api.on(PODS, expired())
    with pytest.raises(ExpiredError):
        await names(cluster)
    assert len(api.asked(PODS)) == 1


# --- what does not pass -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trouble", "failure", "asked"),
    [
        (refuses(500, "etcd is gone"), BadAnswerError, 4),
        (breaks_off, UnavailableError, 8),  # aiohttp asks once more by itself each time
        (forbids("list", "pods"), DeniedError, 1),
        (refuses(400, "no such field"), UnreadableError, 1),
        (refuses(405, "not here"), UnavailableError, 1),
        (says(b"{"), BadAnswerError, 1),
        (says(b'{"items": [{"metadata": 3}]}'), BadAnswerError, 1),
        (says(b'{"metadata": {}, "items":[{"metadata": '), BadAnswerError, 1),
        (refuses(401, "Unauthorized", "Unauthorized"), ClusterUnreachableError, 1),
    ],
    ids=["500", "reset", "403", "400", "405", "no-json", "other-json", "half-a-json", "401"],
)
async def test_patience_ends(
    api: FakeApi, cluster: Cluster, trouble: Answer, failure: type[Exception], asked: int
) -> None:
    api.on(PODS, trouble)
    with pytest.raises(failure):
        await names(cluster)
    assert len(api.asked(PODS)) == asked


async def test_a_right_that_was_taken_away_is_said_in_the_end(api: FakeApi, cluster: Cluster) -> None:
    api.on(PODS, A, forbids("list", "pods"))
    with pytest.raises(DeniedError, match="may not list pods"):
        await names(cluster)
    assert len(api.asked(PODS)) == 2 + len(SOON.waits)


async def test_every_page_has_the_whole_patience(api: FakeApi, cluster: Cluster) -> None:
    trouble = (refuses(500), refuses(503), refuses(429))
    api.on(PODS, *trouble, A, *trouble, B, *trouble, C)
    assert await names(cluster) == ["a", "b", "c"]
