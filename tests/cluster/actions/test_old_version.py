"""Kubernetes 1.30 does the same."""

import pytest

from bot.kube import effects
from bot.kube.client import connect
from bot.kube.gaps import ConflictError
from bot.kube.permissions import PATCH_WORKLOAD
from bot.model import ActionKind
from tests.cluster.actions.acting import Acting, ref_of
from tests.cluster.actions.test_rights import EACH, Make, deployment
from tests.cluster.plane import Plane


@pytest.mark.parametrize(("kind", "make"), [(kind, make) for kind, make, _ in EACH])
async def test_each_action_is_carried_out(kind: ActionKind, make: Make, old_plane: Plane) -> None:
    namespace = await old_plane.create_namespace()
    cluster = await connect("test", kubeconfig=old_plane.kubeconfig)
    try:
        acting = Acting(cluster, kind, ref_of(await make(old_plane, namespace)))
        assert (await acting.carry_out()).failed == ""
    finally:
        await cluster.close()


@pytest.mark.parametrize("wrong", ["uid", "resource_version"])
async def test_a_patch_is_of_that_very_object_in_that_very_version(wrong: str, old_plane: Plane) -> None:
    namespace = await old_plane.create_namespace()
    meta = (await deployment(old_plane, namespace))["metadata"]
    held = {"uid": meta["uid"], "resource_version": meta["resourceVersion"]}
    held[wrong] = "1"
    cluster = await connect("test", kubeconfig=old_plane.kubeconfig)
    try:
        with pytest.raises(ConflictError):
            await effects.patch(
                cluster.main,
                PATCH_WORKLOAD["Deployment"],
                {"metadata": {"labels": {"a": "b"}}},
                namespace=namespace,
                name="web",
                uid=held["uid"],
                resource_version=held["resource_version"],
            )
    finally:
        await cluster.close()
