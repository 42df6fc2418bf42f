"""delete-pod: whether anything brings it back, that the budgets are asked, and that no other pod is hit."""

import asyncio

import pytest

from bot.actions.action import CannotActError, PlanChangedError
from bot.kube.client import Cluster
from bot.model import ActionKind, Risk
from tests.cluster.actions.acting import Acting, forbidden, ref_of, refused_by
from tests.cluster.actions.made import by_hand, cannot_pull, make_ready, manifest, new_one
from tests.cluster.api import ApiError, JsonObject
from tests.cluster.plane import Plane
from tests.cluster.waiting import eventually
from tests.cluster.workloads import CONTAINER, path_of


def deleting(cluster: Cluster, pod: JsonObject) -> Acting:
    return Acting(cluster, ActionKind.DELETE_POD, ref_of(pod))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("Deployment", "ReplicaSet web-{hash} makes another one, under another name, maybe on another node."),
        ("StatefulSet", "StatefulSet web makes the same one again, with its name and its volumes."),
        ("DaemonSet", "DaemonSet web makes another one on node {node}."),
    ],
)
async def test_it_comes_back_as_was_said(kind: str, words: str, plane: Plane, namespace: str, cluster: Cluster) -> None:
    found = await plane.workloads.run(manifest(namespace, kind))
    pods = await plane.workloads.pods_of(found)
    acting = deleting(cluster, pods[0])
    plan = await acting.plan()
    meta = pods[0]["metadata"]
    named = words.format(hash=meta["labels"].get("pod-template-hash", ""), node=pods[0]["spec"]["nodeName"])
    assert plan.notes[0] == named
    assert plan.risk is Risk.MEDIUM
    assert plan.difference[0].startswith(f"- pod {namespace}/{meta['name']}, created 20")
    end = await acting.carry_out()
    assert end.failed == ""
    assert end.text == f"Pod {meta['name']} is gone, and its successor is ready."
    left = await plane.workloads.pods_of(found)
    assert len(left) == len(pods)
    assert meta["uid"] not in {pod["metadata"]["uid"] for pod in left}


async def test_the_plan_deletes_nothing(plane: Plane, namespace: str, cluster: Cluster) -> None:
    (pod, *_) = await plane.workloads.pods_of(await plane.workloads.run(manifest(namespace)))
    await deleting(cluster, pod).plan()
    assert "deletionTimestamp" not in (await plane.api.get(path_of(pod)))["metadata"]


async def test_the_only_one_is_told(plane: Plane, namespace: str, cluster: Cluster) -> None:
    (pod,) = await plane.workloads.pods_of(await plane.workloads.deployment(namespace, "web"))
    plan = await deleting(cluster, pod).plan()
    assert "It is the only one: nobody answers until its successor is ready." in plan.notes
    assert plan.risk is Risk.HIGH


async def test_a_bare_pod_is_refused(plane: Plane, namespace: str, cluster: Cluster) -> None:
    pod = await plane.workloads.run_pod(namespace)
    with pytest.raises(CannotActError, match="belongs to nothing that would make it again"):
        await deleting(cluster, pod).plan()


async def test_a_static_pod_is_refused(plane: Plane, cluster: Cluster) -> None:
    pods = (await plane.api.get("/api/v1/namespaces/kube-system/pods", {"labelSelector": "component=etcd"}))["items"]
    with pytest.raises(CannotActError, match="static pod of node"):
        await deleting(cluster, {"apiVersion": "v1", "kind": "Pod", **pods[0]}).plan()


async def test_a_pod_whose_controller_is_gone_is_refused(plane: Plane, namespace: str, cluster: Cluster) -> None:
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "gone", "uid": "0", "controller": True}
    metadata = {"name": "left", "namespace": namespace, "ownerReferences": [owner], "finalizers": ["a.test/held"]}
    pod = await plane.workloads.create(
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [CONTAINER]}}
    )
    with pytest.raises(CannotActError, match=r"belonged to ReplicaSet gone, which is gone|is being deleted already"):
        await deleting(cluster, pod).plan()
    await plane.api.patch(path_of(pod), {"metadata": {"finalizers": None}})


async def test_of_a_job_it_counts_as_a_failure(plane: Plane, namespace: str, cluster: Cluster) -> None:
    template = {"metadata": {"annotations": {"token-doctor.test/status": "running"}}}
    spec = {"containers": [CONTAINER], "restartPolicy": "Never"}
    job = await plane.workloads.create(
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "nightly", "namespace": namespace},
            "spec": {"backoffLimit": 2, "template": {**template, "spec": spec}},
        }
    )
    pods = await eventually(lambda: plane.workloads.pods_of(job), bool, "its pod is there")
    acting = deleting(cluster, pods[0])
    plan = await acting.plan()
    assert plan.notes[0].startswith("Job nightly counts it as a failed try")
    assert "(it bears 2 failures)" in plan.notes[0]
    assert plan.risk is Risk.HIGH
    assert (await acting.carry_out()).text == f"Pod {acting.ref.name} is gone."


async def test_a_disruption_budget_is_respected(plane: Plane, namespace: str, cluster: Cluster) -> None:
    found = await plane.workloads.run(manifest(namespace))
    (pod, *_) = await plane.workloads.pods_of(found)
    acting = deleting(cluster, pod)
    plan = await acting.plan()
    budgets = f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets"
    spec = {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}}
    await plane.api.post(budgets, {"metadata": {"name": "both"}, "spec": spec})
    # The run's control plane has no controller for budgets: one that nobody has counted allows nothing either.
    words = "The API server refuses it: .*disruption budget both"
    with pytest.raises(CannotActError, match=words):
        await acting.plan()
    with pytest.raises(CannotActError, match=words):
        await acting.apply(plan)
    assert not await acting.is_done(plan)
    assert "deletionTimestamp" not in (await plane.api.get(path_of(pod)))["metadata"]


async def test_one_of_the_same_name_is_not_deleted(plane: Plane, namespace: str, cluster: Cluster) -> None:
    """A StatefulSet's pods keep their names."""
    found = await plane.workloads.run(manifest(namespace, "StatefulSet"))
    (pod, _) = await plane.workloads.pods_of(found)
    acting = deleting(cluster, pod)
    plan = await acting.plan()
    await plane.api.delete(path_of(pod))
    uid = pod["metadata"]["uid"]
    live = await eventually(lambda: present(plane, pod), lambda live: bool(live) and uid != _uid(live), "a new")
    await asyncio.gather(*(acting.apply(plan) for _ in range(3)))
    assert (await plane.api.get(path_of(pod)))["metadata"]["uid"] == _uid(live)
    assert await acting.is_done(plan), "that very pod is gone"
    with pytest.raises(PlanChangedError, match="another pod of the same name"):
        await acting.plan()


def _uid(found: JsonObject | None) -> str:
    return str(found["metadata"]["uid"]) if found else ""


async def present(plane: Plane, pod: JsonObject) -> JsonObject | None:
    try:
        return await plane.api.get(path_of(pod))
    except ApiError:
        return None


async def test_it_is_done_once_by_however_many(plane: Plane, namespace: str, cluster: Cluster) -> None:
    found = await plane.workloads.run(manifest(namespace))
    pods = await plane.workloads.pods_of(found)
    acting = deleting(cluster, pods[0])
    plan = await acting.plan()
    await asyncio.gather(*(acting.apply(plan) for _ in range(4)))
    await acting.apply(plan)
    await acting.follow(plan)
    await acting.apply(plan)
    left = {pod["metadata"]["uid"] for pod in await plane.workloads.pods_of(found)}
    assert pods[1]["metadata"]["uid"] in left
    assert len(left) == 2


async def test_the_successor_is_followed_until_it_is_ready(plane: Plane, namespace: str, cluster: Cluster) -> None:
    found = await by_hand(plane, namespace)
    (pod, *_) = await plane.workloads.pods_of(found)
    acting = deleting(cluster, pod)
    plan = await acting.plan()
    await acting.apply(plan)
    following = asyncio.create_task(acting.follow(plan))
    new = await new_one(plane, found)
    await cannot_pull(plane, new, "no such image")

    async def stuck() -> list[str]:
        return [each.stuck for each in acting.said]

    await eventually(stuck, lambda words: "ImagePullBackOff: no such image" in words, "it is told", 20)
    await make_ready(plane, new)
    assert (await following).text.endswith("and its successor is ready.")
    assert f"its successor {new['metadata']['name']} is not ready yet." in repr(acting.said)


async def test_what_admission_says_is_known_before(plane: Plane, namespace: str, cluster: Cluster) -> None:
    (pod, *_) = await plane.workloads.pods_of(await plane.workloads.run(manifest(namespace)))
    words = "nobody evicts here"
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod["metadata"]["name"]}}
    async with forbidden(plane, namespace, resources=["pods/eviction"], operations=["CREATE"], words=words):
        await refused_by(plane, "POST", f"{path_of(pod)}/eviction", eviction, words)
        with pytest.raises(CannotActError, match=words):
            await deleting(cluster, pod).plan()
