"""A restart is followed: how many new pods are ready, what keeps them up, and when it has come to its end."""

import asyncio

import pytest

from bot.actions.action import Progress
from bot.kube.client import Cluster, connect
from bot.model import ActionKind, Plan
from bot.objects import REQUEST
from tests.cluster.actions.acting import Acting, forbidden, ref_of, refused_by
from tests.cluster.actions.made import MARK, by_hand, cannot_pull, make_ready, new_one
from tests.cluster.api import JsonObject
from tests.cluster.plane import MakePlane, Plane
from tests.cluster.waiting import eventually
from tests.cluster.workloads import CONTAINER, path_of


def restarting(cluster: Cluster, found: JsonObject) -> Acting:
    return Acting(cluster, ActionKind.RESTART_WORKLOAD, ref_of(found))


async def started(acting: Acting) -> tuple[Plan, asyncio.Task[Progress]]:
    plan = await acting.plan()
    await acting.apply(plan)
    return plan, asyncio.create_task(acting.follow(plan))


async def said(acting: Acting, words: str) -> None:
    async def all_said() -> str:
        return "\n".join(f"{each.text} {each.stuck}" for each in acting.said)

    await eventually(all_said, lambda text: words in text, f"“{words}” is said", 20)


async def test_a_pod_that_cannot_pull_its_image_is_told_and_then_it_goes_on(
    plane: Plane, namespace: str, cluster: Cluster
) -> None:
    found = await by_hand(plane, namespace)
    acting = restarting(cluster, found)
    _, following = await started(acting)
    new = await new_one(plane, found)
    await said(acting, "0 of 2 new pods are ready.")
    await cannot_pull(plane, new, f"Back-off pulling image with {MARK}")
    name = new["metadata"]["name"]
    await said(acting, f"pod {name}: ImagePullBackOff: Back-off pulling image with [token removed]")
    assert MARK not in repr(acting.said)
    await make_ready(plane, new)
    second = await new_one(plane, found, beside=new)
    await said(acting, "1 of 2 new pods are ready.")
    await make_ready(plane, second)
    end = await following
    assert (end.text, end.failed) == ("2 of 2 new pods are ready.", "")


async def test_a_rollout_that_does_not_end_in_time_says_why(plane: Plane, namespace: str, cluster: Cluster) -> None:
    found = await by_hand(plane, namespace, "StatefulSet")
    acting = restarting(cluster, found)
    plan = await acting.plan()
    await acting.apply(plan)
    new = await new_one(plane, found)
    await cannot_pull(plane, new, "no such image")
    end = await acting.follow(plan, seconds=2)
    assert end.ended
    assert end.failed.startswith("It had not come to its end by 20")
    assert end.failed.endswith(f"UTC: pod {new['metadata']['name']}: ImagePullBackOff: no such image.")


async def test_a_rollout_that_kubernetes_gives_up_has_failed(plane: Plane, namespace: str, cluster: Cluster) -> None:
    found = await by_hand(plane, namespace, spec={"progressDeadlineSeconds": 2})
    acting = restarting(cluster, found)
    plan = await acting.plan()
    await acting.apply(plan)
    end = await acting.follow(plan, seconds=60)
    assert end.failed.startswith("Kubernetes has given it up: ")
    assert "has timed out progressing" in end.failed


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
async def test_pods_that_are_not_admitted_are_told(kind: str, plane: Plane, namespace: str, cluster: Cluster) -> None:
    found = await by_hand(plane, namespace, kind)
    words = "no pods today"
    pod = {"metadata": {"name": "try", "namespace": namespace}, "spec": {"containers": [CONTAINER]}}
    async with forbidden(plane, namespace, resources=["pods"], operations=["CREATE"], words=words, group=""):
        await refused_by(plane, "POST", f"/api/v1/namespaces/{namespace}/pods", pod, words)
        acting = restarting(cluster, found)
        _, following = await started(acting)
        await said(acting, f"denied request: {words}")
        assert any(each.stuck.startswith("FailedCreate: ") for each in acting.said)
        following.cancel()
        await asyncio.wait([following])


async def test_it_is_told_when_another_rollout_takes_over(plane: Plane, namespace: str, cluster: Cluster) -> None:
    found = await by_hand(plane, namespace)
    acting = restarting(cluster, found)
    _, following = await started(acting)
    other = Acting(cluster, acting.kind, acting.ref)
    await plane.api.patch(
        path_of(found), {"spec": {"template": {"metadata": {"annotations": {REQUEST: other.request}}}}}
    )
    end = await following
    assert end.failed == "Its pod template was replaced meanwhile: another rollout has taken over."


async def test_an_api_server_that_is_started_again_meanwhile_is_waited_for(private_plane: MakePlane) -> None:
    plane = await private_plane()
    cluster = await connect("test", kubeconfig=plane.kubeconfig)
    try:
        namespace = await plane.create_namespace()
        found = await by_hand(plane, namespace)
        acting = restarting(cluster, found)
        _, following = await started(acting)
        await said(acting, "0 of 2 new pods are ready.")
        await plane.stop("kube-apiserver")
        await said(acting, "It cannot be seen at the moment how it goes. no answer from https://")
        await plane.start("kube-apiserver")
        new = await new_one(plane, found)
        await make_ready(plane, new)
        await make_ready(plane, await new_one(plane, found, beside=new))
        end = await following
        assert (end.text, end.failed) == ("2 of 2 new pods are ready.", "")
    finally:
        await cluster.close()
