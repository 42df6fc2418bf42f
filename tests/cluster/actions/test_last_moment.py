"""What changes between the last look and the effect: the API server itself holds it against the request."""

import base64
from pathlib import Path

import pytest

from bot.actions.action import PlanChangedError
from bot.kube import effects
from bot.kube.client import Cluster
from bot.kube.gaps import ConflictError
from bot.kube.permissions import PATCH_WORKLOAD
from bot.model import ActionKind
from bot.objects import LAST_USED, REQUEST
from tests.cluster.actions.acting import Acting, ref_of
from tests.cluster.actions.made import manifest
from tests.cluster.actions.proxied import at_the_last_moment
from tests.cluster.actions.test_rights import account, marked_secret, old_secret, stateful_set
from tests.cluster.faults import Scene
from tests.cluster.plane import Plane
from tests.cluster.waiting import eventually
from tests.cluster.workloads import CONTAINER, path_of

WRONG_UID = "00000000-0000-0000-0000-000000000000"


async def test_a_template_that_is_changed_is_not_restarted(plane: Plane, namespace: str, tmp_path: Path) -> None:
    found = await plane.workloads.run(manifest(namespace))
    template = {"spec": {"containers": [{**CONTAINER, "image": "shop/checkout:2"}]}}

    async def change() -> None:
        await plane.api.patch(path_of(found), {"spec": {"template": template}})

    async with at_the_last_moment(plane, tmp_path, change) as cluster:
        acting = Acting(cluster, ActionKind.RESTART_WORKLOAD, ref_of(found))
        plan = await acting.plan()
        with pytest.raises(PlanChangedError, match="pod template"):
            await acting.apply(plan)
        assert not await acting.is_done(plan)
    live = await plane.api.get(path_of(found))
    assert REQUEST not in live["spec"]["template"]["metadata"].get("annotations", {})


async def test_another_change_of_the_workload_is_looked_at_again_and_it_goes_on(
    plane: Plane, namespace: str, tmp_path: Path
) -> None:
    found = await plane.workloads.run(manifest(namespace))

    async def change() -> None:
        await plane.api.patch(path_of(found), {"metadata": {"labels": {"team": "shop"}}})

    async with at_the_last_moment(plane, tmp_path, change) as cluster:
        assert (await Acting(cluster, ActionKind.RESTART_WORKLOAD, ref_of(found)).carry_out()).failed == ""


async def test_a_secret_that_is_used_stays(plane: Plane, namespace: str, tmp_path: Path) -> None:
    secret = await old_secret(plane, namespace)
    token = base64.b64decode(secret["data"]["token"]).decode()

    async def use() -> None:
        assert await plane.tokens.authenticate(token) == 200
        await eventually(
            lambda: plane.api.get(path_of(secret)),
            lambda live: live["metadata"]["labels"][LAST_USED] != "2026-01-01",
            "the use is recorded",
        )

    async with at_the_last_moment(plane, tmp_path, use) as cluster:
        acting = Acting(cluster, ActionKind.DELETE_LEGACY_SECRET, ref_of(secret))
        with pytest.raises(PlanChangedError, match="was changed meanwhile"):
            await acting.apply(await acting.plan())
    assert (await plane.api.get(path_of(secret)))["metadata"]["uid"] == secret["metadata"]["uid"]


async def test_a_mark_of_another_day_stays(plane: Plane, namespace: str, tmp_path: Path) -> None:
    secret = await marked_secret(plane, namespace)
    label = "kubernetes.io/legacy-token-invalid-since"

    async def mark() -> None:
        await plane.api.patch(path_of(secret), {"metadata": {"labels": {label: "2026-02-02"}}})

    async with at_the_last_moment(plane, tmp_path, mark) as cluster:
        acting = Acting(cluster, ActionKind.REACTIVATE_LEGACY_TOKEN, ref_of(secret))
        with pytest.raises(PlanChangedError, match="was changed meanwhile"):
            await acting.apply(await acting.plan())
    assert (await plane.api.get(path_of(secret)))["metadata"]["labels"][label] == "2026-02-02"


async def test_the_successor_of_a_pod_stays(plane: Plane, namespace: str, tmp_path: Path) -> None:
    """A StatefulSet's pod has its predecessor's name."""
    found = await stateful_set(plane, namespace)
    (pod, _) = await plane.workloads.pods_of(found)
    uid = pod["metadata"]["uid"]

    async def another() -> set[str]:
        return {each["metadata"]["uid"] for each in await plane.workloads.pods_of(found)}

    async def replace() -> None:
        await plane.api.delete(path_of(pod))
        await eventually(another, lambda uids: len(uids) == 2 and uid not in uids, "there is another one")

    async with at_the_last_moment(plane, tmp_path, replace) as cluster:
        acting = Acting(cluster, ActionKind.DELETE_POD, ref_of(pod))
        plan = await acting.plan()
        await acting.apply(plan)
        assert await acting.is_done(plan), "that very pod is gone"
    present = await plane.api.get(path_of(pod))
    assert present["metadata"]["uid"] != uid
    assert "deletionTimestamp" not in present["metadata"]


async def test_another_account_of_the_name_gets_no_secret(plane: Plane, namespace: str, tmp_path: Path) -> None:
    """The Secret names the account's uid, and the token controller deletes one that names another's."""
    found = await account(plane, namespace)

    async def replace() -> None:
        await plane.api.delete(path_of(found))
        await Scene(plane, namespace).account()

    async with at_the_last_moment(plane, tmp_path, replace) as cluster:
        acting = Acting(cluster, ActionKind.CREATE_TOKEN_SECRET, ref_of(found))
        plan = await acting.plan()
        await acting.apply(plan)
        assert "the token controller deletes a Secret" in (await acting.follow(plan)).failed
    assert (await plane.api.get(f"/api/v1/namespaces/{namespace}/secrets"))["items"] == []


# --- each precondition by itself ----------------------------------------------------------------------------


async def patched(cluster: Cluster, namespace: str, uid: str, version: str) -> None:
    await effects.patch(
        cluster.main,
        PATCH_WORKLOAD["Deployment"],
        {"metadata": {"labels": {"a": "b"}}},
        namespace=namespace,
        name="web",
        uid=uid,
        resource_version=version,
    )


async def test_a_patch_is_of_that_very_object_in_that_very_version(
    plane: Plane, namespace: str, cluster: Cluster
) -> None:
    meta = (await plane.workloads.run(manifest(namespace)))["metadata"]
    uid, version = meta["uid"], meta["resourceVersion"]
    with pytest.raises(ConflictError, match="another object of that name"):
        await patched(cluster, namespace, WRONG_UID, version)
    await patched(cluster, namespace, uid, version)
    with pytest.raises(ConflictError, match="the object has been modified"):
        await patched(cluster, namespace, uid, version)


async def test_an_eviction_is_of_that_very_pod(plane: Plane, namespace: str, cluster: Cluster) -> None:
    pod = await plane.workloads.run_pod(namespace)
    with pytest.raises(ConflictError, match="UID in the precondition"):
        await effects.evict(cluster.main, namespace=namespace, name="app", uid=WRONG_UID)
    assert "deletionTimestamp" not in (await plane.api.get(path_of(pod)))["metadata"]
