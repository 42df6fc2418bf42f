"""delete-legacy-secret: only what nobody refers to and nobody has used; and never one that was used meanwhile."""

import asyncio
import base64
from datetime import UTC, datetime, timedelta

import pytest

from bot.actions.action import CannotActError, PlanChangedError
from bot.kube import effects
from bot.kube.client import Cluster, connect
from bot.kube.gaps import ConflictError
from bot.kube.permissions import DELETE_SECRET
from bot.model import ActionKind, Risk
from bot.objects import LAST_USED
from tests.cluster.actions.acting import Acting, forbidden, ref_of, refused_by
from tests.cluster.actions.made import manifest
from tests.cluster.api import JsonObject
from tests.cluster.faults import Scene
from tests.cluster.faults.secret import TRACKING
from tests.cluster.plane import MakePlane, Plane
from tests.cluster.waiting import eventually
from tests.cluster.workloads import CONTAINER, path_of

NAME = "checkout-token"


def days_ago(days: int) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).date().isoformat()


async def unused(plane: Plane, namespace: str, *, last_used: int | None = 60) -> JsonObject:
    """A filled token Secret; its token was last used so many days ago."""
    scene = Scene(plane, namespace)
    await scene.account()
    secret = await scene.token_secret(NAME)
    labels = {LAST_USED: None if last_used is None else days_ago(last_used)}
    live = await plane.api.patch(path_of(secret), {"metadata": {"labels": labels}})
    return {**secret, **live}


def deleting(cluster: Cluster, secret: JsonObject, days: str = "") -> Acting:
    parameters = {"unused_days": days} if days else {}
    return Acting(cluster, ActionKind.DELETE_LEGACY_SECRET, ref_of(secret), parameters=parameters)


async def is_there(plane: Plane, secret: JsonObject) -> bool:
    path, _, _ = path_of(secret).rpartition("/")
    return secret["metadata"]["uid"] in {each["metadata"]["uid"] for each in (await plane.api.get(path))["items"]}


async def test_one_that_nobody_uses_goes_and_its_token_with_it(plane: Plane, namespace: str, cluster: Cluster) -> None:
    secret = await unused(plane, namespace)
    acting = deleting(cluster, secret)
    plan = await acting.plan()
    assert await is_there(plane, secret)
    assert plan.risk is Risk.HIGH
    assert plan.difference == (
        f"- Secret {namespace}/{NAME}",
        "-   of service account checkout",
        f"-   {LAST_USED}: {days_ago(60)}",
    )
    assert plan.notes[0] == (
        f"Its token dies at once: last used on {days_ago(60)}; no pod, workload or service account refers to it."
    )
    end = await acting.carry_out()
    assert (end.text, end.failed) == (
        f"Secret {namespace}/{NAME} is gone; its token is refused everywhere within 10 seconds.", "",
    )  # fmt: skip
    assert not await is_there(plane, secret)
    token = base64.b64decode(secret["data"]["token"]).decode()
    assert not (await plane.tokens.review(token)).get("authenticated")
    await acting.apply(plan)
    assert await acting.is_done(plan)


@pytest.mark.parametrize(
    ("last_used", "days", "words"),
    [
        (10, "", "was used on {day}, and is to be unused for 30 days"),
        (30, "", "was used on {day}"),
        (0, "1", "was used on {day}, and is to be unused for 1 day"),
        (None, "1", "uses are recorded only since"),
    ],
)
async def test_what_is_in_use_or_unknown_is_refused(
    last_used: int | None, days: str, words: str, plane: Plane, namespace: str
) -> None:
    secret = await unused(plane, namespace, last_used=last_used)
    cluster = await connect("test", kubeconfig=plane.kubeconfig)
    try:
        with pytest.raises(CannotActError, match=words.format(day=days_ago(last_used or 0))):
            await deleting(cluster, secret, days).plan()
    finally:
        await cluster.close()


async def test_fewer_days_are_the_requesters_word_and_stand_in_the_plan(
    plane: Plane, namespace: str, cluster: Cluster
) -> None:
    secret = await unused(plane, namespace, last_used=3)
    assert (await deleting(cluster, secret, "2").plan()).parameters == {"unused_days": "2"}
    for wrong in ("0", "-1", "99999", "a", "٣"):
        with pytest.raises(CannotActError, match="a number from 1 to 3650"):
            await deleting(cluster, secret, wrong).plan()


async def test_what_was_never_used_goes_once_it_was_watched_for_long(private_plane: MakePlane) -> None:
    plane = await private_plane()
    cluster = await connect("test", kubeconfig=plane.kubeconfig)
    try:
        secret = await unused(plane, await plane.create_namespace(), last_used=None)
        await plane.api.patch(TRACKING, {"data": {"since": days_ago(400)}})
        with pytest.raises(CannotActError, match="is younger than 30 days: that it was not used yet says nothing"):
            await deleting(cluster, secret).plan()
        await plane.etcd.age(path_of(secret), by=timedelta(days=90))
        plan = await deleting(cluster, secret).plan()
        assert "no use is recorded" in plan.notes[0]
        await plane.api.patch(TRACKING, {"data": {"since": days_ago(30)}})
        with pytest.raises(CannotActError, match=f"uses are recorded only since {days_ago(30)}, and 30 days"):
            await deleting(cluster, secret).plan()
    finally:
        await cluster.close()


VOLUME = {"volumes": [{"name": "token", "secret": {"secretName": NAME}}]}
PROJECTED = {"volumes": [{"name": "token", "projected": {"sources": [{"secret": {"name": NAME}}]}}]}
ENV = {"containers": [{**CONTAINER, "env": [
    {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": NAME, "key": "token"}}}]}]}  # fmt: skip
ENV_FROM = {"containers": [{**CONTAINER, "envFrom": [{"secretRef": {"name": NAME}}]}]}
PULL = {"imagePullSecrets": [{"name": NAME}]}
INIT = {"initContainers": [{**ENV_FROM["containers"][0], "name": "first"}]}


@pytest.mark.parametrize("spec", [VOLUME, PROJECTED, ENV, ENV_FROM, PULL, INIT])
async def test_a_pod_that_refers_to_it_keeps_it(
    spec: JsonObject, plane: Plane, namespace: str, cluster: Cluster
) -> None:
    secret = await unused(plane, namespace)
    acting = deleting(cluster, secret)
    plan = await acting.plan()
    await plane.workloads.run_pod(namespace, "reader", spec=spec)
    with pytest.raises(CannotActError, match="is in use: it is used by pod reader"):
        await acting.plan()
    with pytest.raises(CannotActError, match="is in use"):
        await acting.apply(plan)
    assert await is_there(plane, secret)
    assert not await acting.is_done(plan)


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "ServiceAccount"])
async def test_what_pods_will_be_made_from_keeps_it(kind: str, plane: Plane, namespace: str, cluster: Cluster) -> None:
    secret = await unused(plane, namespace)
    if kind == "ServiceAccount":
        body: JsonObject = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "web", "namespace": namespace}}
        body["imagePullSecrets"] = [{"name": NAME}]
    elif kind in {"Job", "CronJob"}:
        job = {"suspend": True, "template": {"spec": {"containers": [CONTAINER], "restartPolicy": "Never", **VOLUME}}}
        spec = job if kind == "Job" else {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": job}}
        body = {"apiVersion": "batch/v1", "kind": kind, "metadata": {"name": "web", "namespace": namespace}}
        body["spec"] = spec
    else:
        own = {} if kind == "DaemonSet" else {"replicas": 0}
        body = manifest(namespace, kind, pod={**ENV, **({} if own else {"nodeSelector": {"none": "such"}})}, spec=own)
    await plane.workloads.create(body)
    named = "service account web" if kind == "ServiceAccount" else f"{kind.lower()} web"
    with pytest.raises(CannotActError, match=f"is in use: it is used by {named}"):
        await deleting(cluster, secret).plan()


async def test_one_that_is_used_after_the_approval_stays(plane: Plane, namespace: str, cluster: Cluster) -> None:
    secret = await unused(plane, namespace)
    acting = deleting(cluster, secret)
    plan = await acting.plan()
    token = base64.b64decode(secret["data"]["token"]).decode()
    assert await plane.tokens.authenticate(token) == 200
    await eventually(
        lambda: plane.api.get(path_of(secret)),
        lambda live: live["metadata"]["labels"][LAST_USED] == days_ago(0),
        "the use is recorded",
    )
    with pytest.raises(CannotActError, match=f"was used on {days_ago(0)}"):
        await acting.apply(plan)
    assert await is_there(plane, secret)


async def test_one_that_is_used_at_the_last_moment_stays(plane: Plane, namespace: str, cluster: Cluster) -> None:
    """Between the look and the deletion: the label moves the version, and the API server holds it against that."""
    secret = await unused(plane, namespace)
    meta = secret["metadata"]
    await plane.api.patch(path_of(secret), {"metadata": {"labels": {LAST_USED: days_ago(0)}}})
    with pytest.raises(ConflictError, match="ResourceVersion"):
        await effects.remove(
            cluster.main,
            DELETE_SECRET,
            namespace=namespace,
            name=NAME,
            uid=meta["uid"],
            resource_version=meta["resourceVersion"],
        )
    assert await is_there(plane, secret)


async def test_another_label_makes_it_another_matter(plane: Plane, namespace: str, cluster: Cluster) -> None:
    secret = await unused(plane, namespace)
    acting = deleting(cluster, secret)
    plan = await acting.plan()
    await plane.api.patch(path_of(secret), {"metadata": {"labels": {LAST_USED: days_ago(50)}}})
    with pytest.raises(PlanChangedError, match="not as it was when this was approved"):
        await acting.apply(plan)
    await plane.api.patch(path_of(secret), {"metadata": {"labels": {LAST_USED: days_ago(60), "team": "shop"}}})
    await asyncio.gather(*(acting.apply(plan) for _ in range(3)))
    assert not await is_there(plane, secret)


async def test_one_of_the_same_name_stays(plane: Plane, namespace: str, cluster: Cluster) -> None:
    secret = await unused(plane, namespace)
    acting = deleting(cluster, secret)
    plan = await acting.plan()
    await plane.api.delete(path_of(secret))
    other = await Scene(plane, namespace).token_secret(NAME)
    await acting.apply(plan)
    assert await is_there(plane, other)
    with pytest.raises(PlanChangedError, match="created again"):
        await acting.plan()


async def test_another_type_is_refused(plane: Plane, namespace: str, cluster: Cluster) -> None:
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "plain", "namespace": namespace}}
    with pytest.raises(CannotActError, match="is of type Opaque"):
        await deleting(cluster, {**body, **await plane.workloads.create(body)}).plan()


async def test_a_finalizer_that_holds_it_is_told(plane: Plane, namespace: str, cluster: Cluster) -> None:
    secret = await unused(plane, namespace)
    await plane.api.patch(path_of(secret), {"metadata": {"finalizers": ["a.test/held"]}})
    acting = deleting(cluster, secret)
    plan = await acting.plan()
    await acting.apply(plan)
    assert await acting.is_done(plan)
    end = await acting.follow(plan, seconds=1)
    assert "a finalizer holds it since 20" in end.failed
    with pytest.raises(CannotActError, match="is being deleted since"):
        await acting.plan()
    await plane.api.patch(path_of(secret), {"metadata": {"finalizers": None}})
    assert (await acting.follow(plan)).failed == ""


async def test_what_admission_says_is_known_before(plane: Plane, namespace: str, cluster: Cluster) -> None:
    secret, words = await unused(plane, namespace), "Secrets are deleted by hand"
    async with forbidden(plane, namespace, resources=["secrets"], operations=["DELETE"], words=words):
        await refused_by(plane, "DELETE", path_of(secret), {"dryRun": ["All"]}, words)
        with pytest.raises(CannotActError, match=words):
            await deleting(cluster, secret).plan()
