"""One request: typed, bounded, paged, and every other answer a typed failure."""

import json
from collections.abc import Callable

import pytest
from aiohttp import web

from bot import objects
from bot.errors import ClusterUnreachableError
from bot.kube import read
from bot.kube.client import Cluster
from bot.kube.connection import Call
from bot.kube.gaps import (
    AbsentError,
    BadAnswerError,
    DeniedError,
    RefusedError,
    UnavailableError,
    UnreadableError,
    how_to_allow,
    shortened,
)
from bot.kube.permissions import GET_ISSUER, GET_NODE, GET_POD, GET_VERSION, LIST_PODS, Operation
from bot.model import Rule
from tests.unit.kube.fake_api import NAMESPACE, FakeApi, breaks_off, listed, named, refuses, says

PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"


async def all_pods(cluster: Cluster, most: int = 10_000) -> list[str]:
    found = await read.get_all(cluster.main, LIST_PODS, objects.Named, namespace=NAMESPACE, most=most)
    return [pod.metadata.name for pod in found]


async def get_version(cluster: Cluster) -> objects.Version:
    return await read.get(cluster.main, GET_VERSION, objects.Version)


# --- paths and rules ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "path"),
    [
        (GET_POD, "/api/v1/namespaces/shop/pods/a%2Fb"),
        (Operation(verb="get", resource="pods/log"), "/api/v1/namespaces/shop/pods/a%2Fb/log"),
        (
            Operation(verb="get", resource="deployments", group="apps"),
            "/apis/apps/v1/namespaces/shop/deployments/a%2Fb",
        ),
        (GET_NODE, "/api/v1/nodes/a%2Fb"),
        (GET_VERSION, "/version"),
    ],
)
def test_an_operation_is_a_path(operation: Operation, path: str) -> None:
    assert operation.path(namespace="shop", name="a/b") == path


def test_a_rule_says_where_it_belongs() -> None:
    assert "to a Role in namespace shop" in how_to_allow(GET_POD.rule("shop"))
    assert "to a ClusterRole" in how_to_allow(GET_NODE.rule())
    assert '- {nonResourceURLs: ["/.well-known/openid-configuration"], verbs: ["get"]}' in how_to_allow(
        GET_ISSUER.rule()
    )


# --- answers that are none ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "failure", "words"),
    [
        (refuses(400, "container is waiting"), RefusedError, "container is waiting"),
        (refuses(404, "no such thing"), AbsentError, "no such thing"),
        (refuses(403, "", "Forbidden"), DeniedError, "may not get /version"),
        (refuses(403, "exceeded quota: small"), RefusedError, "exceeded quota: small"),
        (refuses(403, "a is forbidden: x denied request: it cannot be"), RefusedError, "x denied request: it cannot"),
        (says(b"<html>", 403), UnavailableError, "answered 403: HTTP status 403"),
        (refuses(500, "etcd is gone"), BadAnswerError, "answered 500: etcd is gone"),
        (refuses(429, "slow down"), UnavailableError, "overloaded"),
        (says(b"x" * 70_000, 500), BadAnswerError, "HTTP status 500"),
        (says(b"{"), BadAnswerError, "cannot be understood"),
        (says(b"\xff\xfe"), BadAnswerError, "cannot be understood"),
        (says({"gitVersion": []}), BadAnswerError, "cannot be understood"),
        (breaks_off, UnavailableError, "the connection broke off"),
    ],
)
async def test_what_another_answer_means(
    api: FakeApi, cluster: Cluster, answer: Callable[[web.Request], object], failure: type[UnreadableError], words: str
) -> None:
    api.answers["/version"] = [answer]  # type: ignore[list-item]  # each is one
    with pytest.raises(UnreadableError) as raised:
        await get_version(cluster)
    assert type(raised.value) is failure
    assert words in str(raised.value)


async def test_a_server_that_is_not_there(api: FakeApi, cluster: Cluster) -> None:
    cluster.main.server = type(cluster.main.server)(url="http://127.0.0.1:1")
    with pytest.raises(UnavailableError, match="Connection refused"):
        await get_version(cluster)


async def test_the_rule_is_the_one_that_the_server_names(api: FakeApi, cluster: Cluster) -> None:
    words = 'User "bot" cannot create resource "pods/exec" in API group "" in the namespace "shop"'
    api.on("/version", refuses(403, words, "Forbidden"))
    with pytest.raises(DeniedError) as raised:
        await get_version(cluster)
    assert raised.value.rule == Rule(verb="create", resource="pods/exec", namespace="shop")


async def test_a_403_for_nobody_means_that_the_bot_has_no_credentials(api: FakeApi, cluster: Cluster) -> None:
    words = 'User "system:anonymous" cannot get resource "pods" in API group "" in the namespace "shop"'
    api.on("/version", refuses(403, words, "Forbidden"))
    with pytest.raises(ClusterUnreachableError, match="no credentials were sent"):
        await get_version(cluster)


async def test_the_server_s_words_are_redacted_and_short(api: FakeApi, cluster: Cluster) -> None:
    token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"
    api.on("/version", refuses(500, f"failed with {token}\n" + "and so on " * 100))
    with pytest.raises(UnavailableError) as raised:
        await get_version(cluster)
    assert token not in str(raised.value)
    assert len(str(raised.value)) < 400
    assert "\n" not in shortened("a\nb")


async def test_an_answer_is_bounded(api: FakeApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "_MOST_BYTES", 1000)
    api.on("/version", says({"gitVersion": "v" * 2000}))
    with pytest.raises(UnavailableError, match="larger than"):
        await get_version(cluster)


async def test_a_busy_server_that_asks_for_a_second_gets_it(api: FakeApi, cluster: Cluster) -> None:
    api.on("/version", refuses(429, "wait", headers={"Retry-After": "0"}), says({"gitVersion": "v1.36.3"}))
    assert (await get_version(cluster)).git_version == "v1.36.3"


async def test_a_busy_server_that_asks_for_a_minute_does_not(api: FakeApi, cluster: Cluster) -> None:
    api.on("/version", refuses(429, "wait", headers={"Retry-After": "60"}))
    with pytest.raises(UnavailableError):
        await get_version(cluster)
    assert len(api.asked("/version")) == 1


async def test_a_netrc_entry_for_the_host_changes_nothing(
    api: FakeApi, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("default login me password mine\n")
    monkeypatch.setenv("NETRC", str(netrc))
    await get_version(cluster)
    assert api.requests[0].headers["Authorization"] == "Bearer a-token"


# --- lists --------------------------------------------------------------------------------------------------


async def test_a_list_is_read_page_by_page(api: FakeApi, cluster: Cluster) -> None:
    api.on(PODS, says(listed(named("a"), following="next")), says(listed(named("b"))))
    assert await all_pods(cluster) == ["a", "b"]
    queries = [dict(request.query) for request in api.asked(PODS)]
    assert queries == [{"limit": "500"}, {"limit": "500", "continue": "next"}]


async def test_a_list_that_expired_is_begun_again_once(api: FakeApi, cluster: Cluster) -> None:
    gone = refuses(410, "The provided continue parameter is too old", "Expired")
    api.on(PODS, says(listed(named("a"), following="old")), gone, says(listed(named("a"), named("b"))))
    assert await all_pods(cluster) == ["a", "b"]

    api.on(PODS, says(listed(named("a"), following="old")), gone, says(listed(following="old")), gone)
    with pytest.raises(UnreadableError, match="too old"):
        await all_pods(cluster)


async def test_half_a_list_is_no_list(api: FakeApi, cluster: Cluster) -> None:
    api.on(PODS, says(listed(named("a"), named("b"), following="more")))
    with pytest.raises(UnavailableError, match="more than 3 pods"):
        await all_pods(cluster, most=3)


async def test_an_empty_list_may_be_null(api: FakeApi, cluster: Cluster) -> None:
    api.on(PODS, says({"metadata": {}, "items": None}))
    assert await all_pods(cluster) == []


async def test_a_body_is_sent_and_never_shown(api: FakeApi, cluster: Cluster) -> None:
    operation = Operation(verb="create", resource="things", namespaced=False)
    api.on("/api/v1/things", says({"gitVersion": "made"}, 201))
    made = await read.create(cluster.main, operation, objects.Version, {"spec": {"token": "secret"}})
    assert made.git_version == "made"
    assert json.loads(api.bodies[0]) == {"spec": {"token": "secret"}}
    assert "secret" not in repr(Call(method="POST", path="/x", body={"token": "secret"}))
