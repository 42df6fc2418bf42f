"""reactivate-legacy-token: the label goes, nothing else does, and the API server accepts the token again."""

import asyncio
import base64

import pytest

from bot.actions.action import CannotActError, PlanChangedError
from bot.kube.client import Cluster
from bot.model import ActionKind
from bot.objects import INVALID_SINCE, LAST_USED, REQUEST
from tests.cluster.actions.acting import Acting, forbidden, ref_of, refused_by
from tests.cluster.api import JsonObject
from tests.cluster.faults import Scene
from tests.cluster.plane import Plane
from tests.cluster.waiting import eventually
from tests.cluster.workloads import path_of

SINCE = "2026-01-01"


async def marked(plane: Plane, namespace: str) -> JsonObject:
    """A filled token Secret that its account lists, marked by the cleaner."""
    scene = Scene(plane, namespace)
    account = await scene.account()
    secret = await scene.token_secret()
    await plane.api.patch(path_of({**account, "apiVersion": "v1", "kind": "ServiceAccount"}),
                          {"secrets": [{"name": "checkout-token"}]})  # fmt: skip
    labels = {INVALID_SINCE: SINCE, "team": "shop"}
    return {**secret, **await plane.api.patch(path_of(secret), {"metadata": {"labels": labels}})}


def reactivating(cluster: Cluster, secret: JsonObject) -> Acting:
    return Acting(cluster, ActionKind.REACTIVATE_LEGACY_TOKEN, ref_of(secret))


def token_of(secret: JsonObject) -> str:
    return base64.b64decode(secret["data"]["token"]).decode()


async def test_its_token_is_accepted_again(plane: Plane, namespace: str, cluster: Cluster) -> None:
    secret = await marked(plane, namespace)
    await eventually(
        lambda: plane.tokens.review(token_of(secret)),
        lambda review: "has been marked invalid" in review.get("error", ""),
        "the API server has heard of the mark",
    )
    acting = reactivating(cluster, secret)
    plan = await acting.plan()
    assert plan.difference == (
        "  metadata.labels:",
        f"-   {INVALID_SINCE}: {SINCE}",
        "  metadata.annotations:",
        f"+   {REQUEST}: (this request's id)",
    )
    end = await acting.carry_out()
    assert (end.text, end.failed) == ("The label is off. The token is accepted by the API server.", "")
    live = await plane.api.get(path_of(secret))
    assert live["data"] == secret["data"]
    assert live["metadata"]["labels"].keys() - {LAST_USED} == {"team"}
    assert live["metadata"]["annotations"] == {**secret["metadata"]["annotations"], REQUEST: acting.request}
    assert (await plane.tokens.review(token_of(secret)))["authenticated"]
    for said in (repr(plan), repr(acting.said)):
        assert token_of(secret) not in said
        assert secret["data"]["token"] not in said


async def test_two_workers_and_one_again_do_it_once(plane: Plane, namespace: str, cluster: Cluster) -> None:
    secret = await marked(plane, namespace)
    acting = reactivating(cluster, secret)
    plan = await acting.plan()
    await asyncio.gather(*(acting.apply(plan) for _ in range(4)))
    assert await acting.is_done(plan)
    await plane.api.patch(path_of(secret), {"metadata": {"labels": {INVALID_SINCE: SINCE}}})
    await acting.apply(plan)
    assert (await plane.api.get(path_of(secret)))["metadata"]["labels"][INVALID_SINCE] == SINCE
    assert (await acting.follow(plan)).failed == "It was marked invalid again meanwhile."


async def test_one_that_is_not_marked_is_refused(plane: Plane, namespace: str, cluster: Cluster) -> None:
    secret = await marked(plane, namespace)
    acting = reactivating(cluster, secret)
    plan = await acting.plan()
    await plane.api.patch(path_of(secret), {"metadata": {"labels": {INVALID_SINCE: None}}})
    for asked in (acting.plan(), acting.apply(plan)):
        with pytest.raises(CannotActError, match="is not marked invalid"):
            await asked


async def test_one_that_was_marked_on_another_day_is_another_matter(
    plane: Plane, namespace: str, cluster: Cluster
) -> None:
    secret = await marked(plane, namespace)
    acting = reactivating(cluster, secret)
    plan = await acting.plan()
    await plane.api.patch(path_of(secret), {"metadata": {"labels": {INVALID_SINCE: "2026-02-02"}}})
    with pytest.raises(PlanChangedError, match="not as it was when this was approved"):
        await acting.apply(plan)


async def test_one_of_the_same_name_is_left_alone(plane: Plane, namespace: str, cluster: Cluster) -> None:
    secret = await marked(plane, namespace)
    acting = reactivating(cluster, secret)
    plan = await acting.plan()
    await plane.api.delete(path_of(secret))
    with pytest.raises(PlanChangedError, match="does not exist any more"):
        await acting.apply(plan)
    other = await Scene(plane, namespace).token_secret()
    await plane.api.patch(path_of(other), {"metadata": {"labels": {INVALID_SINCE: SINCE}}})
    with pytest.raises(PlanChangedError, match="created again"):
        await acting.apply(plan)
    assert not await acting.is_done(plan)
    assert (await plane.api.get(path_of(other)))["metadata"]["labels"][INVALID_SINCE] == SINCE
    assert "created again meanwhile" in (await acting.follow(plan)).failed


async def test_another_refusal_of_the_token_is_told_in_its_words(
    plane: Plane, namespace: str, cluster: Cluster
) -> None:
    secret = await marked(plane, namespace)
    acting = reactivating(cluster, secret)
    plan = await acting.plan()
    await acting.apply(plan)
    spoilt = base64.b64encode((token_of(secret)[:-8] + "AAAAAAAA").encode()).decode()
    await plane.api.patch(path_of(secret), {"data": {"token": spoilt}})
    end = await acting.follow(plan, seconds=1)
    assert "The token is refused by 1 of 1 API server." in end.text
    assert "invalid bearer token" in end.failed


async def test_what_admission_says_is_known_before(plane: Plane, namespace: str, cluster: Cluster) -> None:
    secret, words = await marked(plane, namespace), "labels are the cleaner's"
    body = {"metadata": {"labels": {"a": "b"}}}
    async with forbidden(plane, namespace, resources=["secrets"], operations=["UPDATE"], words=words):
        await refused_by(plane, "PATCH", path_of(secret), body, words)
        with pytest.raises(CannotActError, match=words):
            await reactivating(cluster, secret).plan()
