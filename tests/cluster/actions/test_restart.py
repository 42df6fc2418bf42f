"""restart-workload: what it does, that it does it once, and what it refuses."""

import asyncio

import pytest

from bot.actions.action import CannotActError, PlanChangedError
from bot.kube.client import Cluster, connect
from bot.model import ActionKind, Risk
from bot.objects import REQUEST, RESTARTED_AT
from tests.cluster.actions.acting import Acting, forbidden, ref_of, refused_by
from tests.cluster.actions.made import BY_HAND, MARK, manifest, rolled_out
from tests.cluster.api import JsonObject
from tests.cluster.plane import Plane
from tests.cluster.waiting import eventually
from tests.cluster.workloads import CONTAINER, path_of


def restarting(cluster: Cluster, found: JsonObject) -> Acting:
    return Acting(cluster, ActionKind.RESTART_WORKLOAD, ref_of(found))


async def template_of(plane: Plane, found: JsonObject) -> JsonObject:
    template: JsonObject = (await plane.api.get(path_of(found)))["spec"]["template"]
    return template


# --- what it does -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
async def test_every_pod_is_made_anew_and_nothing_else_is_changed(
    kind: str, plane: Plane, namespace: str, cluster: Cluster
) -> None:
    found = await plane.workloads.run(manifest(namespace, kind))
    before, pods = await template_of(plane, found), await plane.workloads.pods_of(found)
    acting = restarting(cluster, found)
    end = await acting.carry_out()
    assert end.failed == ""
    assert end.text == f"{len(pods)} of {len(pods)} new pods are ready."
    after = await template_of(plane, found)
    annotations = after["metadata"].pop("annotations")
    assert set(annotations) == {RESTARTED_AT, REQUEST}
    assert annotations[REQUEST] == acting.request
    assert after == before
    live = await plane.api.get(path_of(found))
    assert live["metadata"].get("annotations", {}).keys() <= {"deployment.kubernetes.io/revision",
                                                              "deprecated.daemonset.template.generation"}  # fmt: skip
    fresh = await plane.workloads.pods_of(found)
    assert len(fresh) == len(pods)
    assert not {pod["metadata"]["uid"] for pod in pods} & {pod["metadata"]["uid"] for pod in fresh}
    assert {pod["metadata"]["annotations"][REQUEST] for pod in fresh} == {acting.request}


async def test_the_plan_shows_the_difference_and_what_people_will_notice(
    plane: Plane, namespace: str, cluster: Cluster
) -> None:
    found = await plane.workloads.run(manifest(namespace))
    first = await restarting(cluster, found).plan()
    assert first.difference == (
        "  spec.template.metadata.annotations:",
        f"+   {RESTARTED_AT}: (the time at which it is done)",
        f"+   {REQUEST}: (this request's id)",
    )
    assert first.summary == f"Restart deployment {namespace}/web: 2 pods are made anew"
    assert first.risk is Risk.LOW
    assert first.notes == (
        "Rolling: 2 pods are replaced, one at a time, each only when a new one is ready: none is missing meanwhile.",
    )
    await restarting(cluster, found).carry_out()
    again = await restarting(cluster, found).plan()
    assert again.difference[1].startswith(f"-   {RESTARTED_AT}: 20")
    assert again.fingerprint == first.fingerprint, "a restart is no change of what is restarted"


async def test_a_plan_changes_nothing(plane: Plane, namespace: str, cluster: Cluster) -> None:
    found = await plane.workloads.run(manifest(namespace))
    before = await plane.api.get(path_of(found))
    await restarting(cluster, found).plan()
    assert await plane.api.get(path_of(found)) == before


async def test_no_token_of_the_template_gets_out(plane: Plane, namespace: str, cluster: Cluster) -> None:
    pod = {"containers": [{**CONTAINER, "env": [{"name": "TOKEN", "value": MARK}]}]}
    found = await plane.workloads.run(manifest(namespace, pod=pod, annotations={RESTARTED_AT: MARK}))
    acting = restarting(cluster, found)
    plan = await acting.plan()
    await acting.apply(plan)
    await acting.follow(plan)
    assert "[token removed]" in "".join(plan.difference)
    assert MARK not in repr(plan) + repr(acting.said)


# --- once ---------------------------------------------------------------------------------------------------


async def test_two_workers_at_once_and_one_again_make_one_restart(
    plane: Plane, namespace: str, cluster: Cluster
) -> None:
    found = await plane.workloads.run(manifest(namespace))
    acting = restarting(cluster, found)
    plan = await acting.plan()
    await asyncio.gather(*(acting.apply(plan) for _ in range(4)))
    await acting.apply(plan)
    await acting.follow(plan)
    await acting.apply(plan)
    assert (await plane.api.get(path_of(found)))["metadata"]["generation"] == found["metadata"]["generation"] + 1
    assert await acting.is_done(plan)
    assert not await Acting(cluster, acting.kind, acting.ref).is_done(plan)


async def test_an_answer_that_was_lost_is_found_done(plane: Plane, namespace: str, cluster: Cluster) -> None:
    """Of a patch that took effect the answer never came: the next look says so, and nothing is done again."""
    found = await plane.workloads.run(manifest(namespace))
    acting = restarting(cluster, found)
    plan = await acting.plan()
    applying = asyncio.create_task(acting.apply(plan))
    await eventually(lambda: acting.is_done(plan), bool, "it took effect")
    applying.cancel()
    await asyncio.wait([applying])
    await acting.apply(plan)
    assert (await plane.api.get(path_of(found)))["metadata"]["generation"] == found["metadata"]["generation"] + 1


async def test_a_template_that_was_changed_is_left_alone(plane: Plane, namespace: str, cluster: Cluster) -> None:
    found = await plane.workloads.run(manifest(namespace))
    acting = restarting(cluster, found)
    plan = await acting.plan()
    template = {"spec": {"containers": [{**CONTAINER, "image": "shop/checkout:2"}]}}
    await plane.api.patch(path_of(found), {"spec": {"template": template}})
    await eventually(
        lambda: plane.api.get(path_of(found)), lambda live: rolled_out(live, 2), "the change is rolled out"
    )
    with pytest.raises(PlanChangedError, match="pod template"):
        await acting.apply(plan)
    assert not await acting.is_done(plan)
    assert (await acting.plan()).fingerprint != plan.fingerprint


async def test_another_count_of_pods_is_no_change(plane: Plane, namespace: str, cluster: Cluster) -> None:
    found = await plane.workloads.run(manifest(namespace))
    acting = restarting(cluster, found)
    plan = await acting.plan()
    await plane.api.patch(path_of(found), {"spec": {"replicas": 3}})
    await eventually(lambda: plane.api.get(path_of(found)), lambda live: rolled_out(live, 3), "there are three")
    await acting.apply(plan)
    assert (await acting.follow(plan)).text == "3 of 3 new pods are ready."


async def test_one_of_the_same_name_is_not_restarted(plane: Plane, namespace: str, cluster: Cluster) -> None:
    found = await plane.workloads.run(manifest(namespace))
    acting = restarting(cluster, found)
    plan = await acting.plan()
    await plane.api.delete(path_of(found))
    await eventually(lambda: plane.workloads.pods_of(found), lambda pods: not pods, "its pods are gone")
    with pytest.raises(PlanChangedError, match="does not exist any more"):
        await acting.apply(plan)
    other = await plane.workloads.run(manifest(namespace))
    with pytest.raises(PlanChangedError, match="deleted and created again"):
        await acting.apply(plan)
    with pytest.raises(PlanChangedError, match="deleted and created again"):
        await acting.plan()
    assert not await acting.is_done(plan)
    assert await template_of(plane, other) == other["spec"]["template"]
    assert "created again" in (await acting.follow(plan)).failed


# --- what it refuses ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "change", "words"),
    [
        ("Deployment", {"paused": True}, "is paused"),
        ("Deployment", {"replicas": 0}, "wants no pods"),
        ("StatefulSet", {"replicas": 0}, "wants no pods"),
        ("StatefulSet", {"updateStrategy": {"type": "OnDelete"}}, "OnDelete"),
        ("StatefulSet", {"updateStrategy": {"rollingUpdate": {"partition": 2}}}, "partition 2"),
        ("DaemonSet", {"updateStrategy": {"type": "OnDelete"}}, "OnDelete"),
    ],
)
async def test_what_a_restart_would_not_help_is_refused(
    kind: str, change: JsonObject, words: str, plane: Plane, namespace: str
) -> None:
    found = await plane.workloads.create(manifest(namespace, kind, spec=change))
    cluster = await connect("test", kubeconfig=plane.kubeconfig)
    try:
        await eventually(
            lambda: plane.api.get(path_of(found)),
            lambda live: kind != "DaemonSet" or live.get("status", {}).get("desiredNumberScheduled", 0) > 0,
            "it is counted",
        )
        with pytest.raises(CannotActError, match=words):
            await restarting(cluster, found).plan()
    finally:
        await cluster.close()


async def test_a_daemon_set_without_nodes_has_nothing_to_restart(
    plane: Plane, namespace: str, cluster: Cluster
) -> None:
    found = await plane.workloads.create(manifest(namespace, "DaemonSet", pod={"nodeSelector": {"none": "such"}}))
    with pytest.raises(CannotActError, match="wants no pods"):
        await restarting(cluster, found).plan()


async def test_a_rollout_under_way_is_told_with_what_holds_it(plane: Plane, namespace: str, cluster: Cluster) -> None:
    found = await plane.workloads.run(manifest(namespace))
    template = {"metadata": {"annotations": BY_HAND}}
    await plane.api.patch(path_of(found), {"spec": {"template": template}})
    await eventually(
        lambda: plane.api.get(path_of(found)),
        lambda live: live["status"].get("updatedReplicas") == 1 and live["status"]["observedGeneration"] > 1,
        "one pod is new",
    )
    with pytest.raises(CannotActError, match="rolling out already: 1 of 2 pods are of the newest template") as raised:
        await restarting(cluster, found).plan()
    assert "rollout undo" in raised.value.next_step


async def test_pods_that_do_not_work_do_not_keep_it_from_being_restarted(
    plane: Plane, namespace: str, cluster: Cluster
) -> None:
    """They are why somebody asks: that all are of the newest template is enough."""
    found = await plane.workloads.create(manifest(namespace, "StatefulSet", annotations=BY_HAND))
    await eventually(lambda: plane.workloads.pods_of(found), lambda pods: len(pods) == 1, "the first waits")
    await eventually(
        lambda: plane.api.get(path_of(found)),
        lambda live: live["status"].get("currentReplicas") == 1,
        "the controller has counted it",
    )
    assert (await restarting(cluster, found).plan()).fingerprint


async def test_without_its_account_it_would_lose_its_pods(plane: Plane, namespace: str, cluster: Cluster) -> None:
    account = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    held = {"name": "checkout", "finalizers": ["token-doctor.test/held"]}
    await plane.api.post(account, {"metadata": held})
    found = await plane.workloads.run(manifest(namespace, pod={"serviceAccountName": "checkout"}))
    await plane.api.delete(f"{account}/checkout")
    with pytest.raises(CannotActError, match="service account checkout, which is being deleted"):
        await restarting(cluster, found).plan()
    await plane.api.patch(f"{account}/checkout", {"metadata": {"finalizers": None}})
    with pytest.raises(CannotActError, match="which does not exist: no new pod would be admitted"):
        await restarting(cluster, found).plan()


async def test_a_job_is_nothing_to_restart(plane: Plane, namespace: str, cluster: Cluster) -> None:
    found = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a", "namespace": namespace, "uid": "x"}}
    with pytest.raises(CannotActError, match="nothing that can be restarted"):
        await restarting(cluster, found).plan()


async def test_what_admission_says_is_known_before_anybody_approves(
    plane: Plane, namespace: str, cluster: Cluster
) -> None:
    found = await plane.workloads.run(manifest(namespace))
    words = f"no restarts before Monday: they cannot be watched {MARK}"
    told = words.replace(MARK, "[token removed]")
    patch = {"spec": {"template": {"metadata": {"annotations": {"a": "b"}}}}}
    async with forbidden(plane, namespace, resources=["deployments"], operations=["UPDATE"], words=words):
        await refused_by(plane, "PATCH", path_of(found), patch, words)
        with pytest.raises(CannotActError) as raised:
            await restarting(cluster, found).plan()
    assert str(raised.value).startswith("The API server refuses it: ")
    assert told in str(raised.value)


async def test_a_missing_right_is_told_with_the_rule(plane: Plane, namespace: str, cluster: Cluster) -> None:
    found = await plane.workloads.run(manifest(namespace))
    rules = [
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["serviceaccounts"], "verbs": ["get"]},
    ]
    kubeconfig = await plane.users.kubeconfig_for(f"reader-{namespace}", rules, namespace=namespace)
    reader = await connect("test", kubeconfig=kubeconfig)
    try:
        with pytest.raises(CannotActError, match="token-doctor may not list pods, events in namespace") as raised:
            await restarting(reader, found).plan()
        assert 'resources: ["events"], verbs: ["list"]' in raised.value.next_step
        more = [{"apiGroups": [""], "resources": ["pods", "events"], "verbs": ["list"]}]
        for rule in ("pods", "events"):
            one = [{**more[0], "resources": [rule]}]
            await plane.users.grant(f"reader-{namespace}", one, namespace=namespace)
        with pytest.raises(CannotActError, match=r"may not patch deployments\.apps in namespace") as raised:
            await restarting(reader, found).plan()
        assert 'resources: ["deployments"], verbs: ["patch"]' in raised.value.next_step
    finally:
        await reader.close()
