"""Healthy pods: nothing of severity warning or worse may be found in any of them."""

from tests.cluster.api import JsonObject
from tests.cluster.faults.scene import Scene


async def plain(scene: Scene) -> JsonObject:
    pod = await scene.pod()
    scene.log(pod, scene.worked(scene.now()))
    return pod


async def vault_sidecar(scene: Scene) -> JsonObject:
    """A sidecar with a token for Vault beside the default token."""
    source = {"serviceAccountToken": {"path": "vault", "audience": "vault", "expirationSeconds": 3600}}
    pod = await scene.pod(
        {
            "volumes": [{"name": "vault", "projected": {"sources": [source]}}],
            "containers": [
                {"name": "app", "image": "shop/checkout:1.4"},
                {
                    "name": "vault-agent",
                    "image": "hashicorp/vault:1.21",
                    "volumeMounts": [{"name": "vault", "mountPath": "/var/run/vault"}],
                },
            ],
        }
    )
    scene.log(pod, scene.worked(scene.now()), "app")
    scene.log(pod, [(scene.now(), "renewed auth token")], "vault-agent")
    return pod


async def host_network(scene: Scene) -> JsonObject:
    pod = await scene.pod({"hostNetwork": True})
    scene.log(pod, scene.worked(scene.now()))
    return pod


async def many_containers(scene: Scene) -> JsonObject:
    """An init container and a dozen others, one of which answers 401 to its own callers."""
    names = [f"part-{number}" for number in range(12)]
    pod = await scene.pod(
        {
            "initContainers": [{"name": "prepare", "image": "shop/prepare:1"}],
            "containers": [{"name": name, "image": "shop/part:1"} for name in names],
        }
    )
    served = '10.1.2.3 - - "GET /login HTTP/1.1" 401 12 "-" "curl/8.5"'
    for name in names:
        scene.log(pod, [*scene.worked(scene.now()), (scene.now(), served)], name)
    return pod


async def job(scene: Scene) -> JsonObject:
    """A Job's pod that has ended well."""
    metadata = {"name": "nightly", "namespace": scene.namespace}
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "app", "image": "shop/nightly:1"}]}}
    await scene.plane.workloads.run(
        {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": template}}
    )
    found = await scene.plane.api.get(
        f"/api/v1/namespaces/{scene.namespace}/pods", {"labelSelector": "job-name=nightly"}
    )
    pod: JsonObject = {"apiVersion": "v1", "kind": "Pod", **found["items"][0]}
    scene.log(pod, [(scene.now(), "done: 1204 orders")])
    return pod
