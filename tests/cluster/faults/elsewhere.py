"""Not the token after all."""

from datetime import datetime, timedelta

from tests.cluster.api import JsonObject
from tests.cluster.faults.scene import Scene
from tests.cluster.workloads import crash_looping


async def no_token_sent(scene: Scene) -> JsonObject:
    """The client builds its request by hand and forgets the header; the API server's real answer is logged."""
    pod = await scene.pod()
    path = f"/api/v1/namespaces/{scene.namespace}/configmaps"
    said = await scene.answer("", path)
    assert "system:anonymous" in said
    scene.log(pod, [*scene.worked(scene.now()), (scene.now(), f"request failed: {said}")])
    return pod


async def rbac_403(scene: Scene) -> JsonObject:
    """The account may not list Secrets; the API server's real answer is logged."""
    pod = await scene.pod()
    token = await scene.plane.tokens.mint(scene.namespace, "checkout", bound_to=pod)
    said = await scene.answer(token, f"/api/v1/namespaces/{scene.namespace}/secrets")
    assert f"system:serviceaccount:{scene.namespace}:checkout" in said
    scene.log(pod, [*scene.worked(scene.now()), (scene.now(), f"request failed: {said}")])
    return pod


async def recovered(scene: Scene) -> JsonObject:
    """401s three hours ago, while an API server was restarted; it has worked since."""
    pod = await scene.pod()
    then, text = scene.now() - timedelta(hours=3), "failed to list *v1.ConfigMap: Unauthorized"
    refused = [(then + timedelta(seconds=20 * step), text) for step in range(5)]
    scene.log(pod, [*refused, *scene.worked(scene.now())])
    return pod


async def vault_says_401(scene: Scene) -> JsonObject:
    pod = await scene.pod()
    text = "GET https://vault.shop.example:8200/v1/secret/data/checkout: 401 Unauthorized"
    scene.repeats(pod, text)
    return pod


async def crashes(scene: Scene, pod: JsonObject, ended: datetime) -> JsonObject:
    """Its container is between two tries; the last one ended then."""
    stamp = ended.strftime("%Y-%m-%dT%H:%M:%SZ")
    return await scene.plane.workloads.set_container(pod, crash_looping(pod, restarts=7, exit_code=1, ended_at=stamp))


async def crash_loop(scene: Scene) -> JsonObject:
    """It cannot reach its database."""
    pod = await scene.pod()
    ended = scene.now() - timedelta(minutes=2)
    pod = await crashes(scene, pod, ended)
    text = "fatal: connection to db.shop.svc:5432 refused: password authentication failed for user shop"
    scene.log(pod, [(ended, text)])
    scene.log(pod, [(ended, text)], previous=True)
    return pod


async def unreachable(scene: Scene) -> JsonObject:
    """A network policy lies between the pod and the API server."""
    pod = await scene.pod()
    text = 'Get "https://10.0.0.1:443/api/v1/namespaces/shop/configmaps": dial tcp 10.0.0.1:443: i/o timeout'
    scene.repeats(pod, text)
    return pod


async def refused_and_no_reason_visible(scene: Scene) -> JsonObject:
    """As on a managed control plane: only the pod's own log speaks, and it never says why."""
    pod = await scene.pod()
    scene.says_401(pod)
    return pod
