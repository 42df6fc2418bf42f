"""Healthy pods: nothing of severity warning or worse may be found in any of them."""

from datetime import timedelta

from tests.cluster.api import JsonObject
from tests.cluster.faults.scene import TOKEN_FILE, Scene
from tests.cluster.workloads import ANNOTATION, path_of

IMAGE = "shop/checkout:1.4"


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


async def needs_no_token(scene: Scene) -> JsonObject:
    """No token is mounted, and nothing wants one."""
    pod = await scene.pod({"automountServiceAccountToken": False})
    scene.log(pod, scene.worked(scene.now()))
    return pod


async def pod_overrules_the_account(scene: Scene) -> JsonObject:
    """The account says automount: false, the pod says true."""
    await scene.plane.etcd.age(path_of(await scene.account(automountServiceAccountToken=False)), by=scene.month)
    pod = await scene.pod({"automountServiceAccountToken": True})
    scene.log(pod, scene.worked(scene.now()))
    return pod


async def init_containers(scene: Scene) -> JsonObject:
    """One that has ended, and a sidecar: an init container that runs on."""
    pod = await scene.pod(
        {
            "initContainers": [
                {"name": "migrate", "image": "shop/migrate:1"},
                {"name": "mesh", "image": "shop/mesh:1", "restartPolicy": "Always"},
            ]
        }
    )
    scene.log(pod, [(scene.now() - timedelta(hours=30), "migrated 12 tables")], "migrate")
    for name in ("mesh", "app"):
        scene.log(pod, scene.worked(scene.now()), name)
    return pod


def mounted(path: str, folder: str, *, audience: str = "", seconds: int = 3600) -> tuple[JsonObject, JsonObject]:
    """A volume with a projected token, and its mount."""
    name = f"token-{path.partition('.')[0]}"
    token = {"path": path, "expirationSeconds": seconds, **({"audience": audience} if audience else {})}
    volume = {"name": name, "projected": {"sources": [{"serviceAccountToken": token}]}}
    return volume, {"name": name, "mountPath": folder, "readOnly": True}


async def with_tokens(scene: Scene, *tokens: tuple[JsonObject, JsonObject], automount: bool = False) -> JsonObject:
    container = {"name": "app", "image": IMAGE, "volumeMounts": [mount for _, mount in tokens]}
    volumes = [volume for volume, _ in tokens]
    pod = await scene.pod({"automountServiceAccountToken": automount, "containers": [container], "volumes": volumes})
    scene.log(pod, scene.worked(scene.now()))
    return pod


async def token_at_a_path_of_its_own(scene: Scene) -> JsonObject:
    return await with_tokens(scene, mounted("api.jwt", "/etc/shop/tokens"))


async def two_projected_tokens(scene: Scene) -> JsonObject:
    """One for the API server, one of ten minutes for Vault, in the same container, beside the usual one."""
    own = mounted("api", "/etc/shop/api", seconds=7200)
    return await with_tokens(
        scene, own, mounted("vault", "/etc/shop/vault", audience="vault", seconds=600), automount=True
    )


async def paths_as_on_windows(scene: Scene) -> JsonObject:
    return await with_tokens(scene, mounted("token", "C:\\shop\\secrets"))


async def paused_deployment(scene: Scene) -> JsonObject:
    """Nobody rolls it out for the moment; its pod runs on."""
    await scene.plane.etcd.age(path_of(await scene.account()), by=scene.month)
    found = await scene.plane.workloads.deployment(scene.namespace, "web", spec={"serviceAccountName": "checkout"})
    await scene.plane.api.patch(path_of(found), {"spec": {"paused": True}})
    (pod,) = await scene.plane.workloads.pods_of(found)
    scene.log(pod, scene.worked(scene.now()))
    return pod


async def terminating(scene: Scene) -> JsonObject:
    """It was told to end a moment ago, and a finalizer waits for its last orders: within its grace, all is well."""
    pod = await scene.pod()
    await scene.plane.api.patch(path_of(pod), {"metadata": {"finalizers": ["shop.example/orders"]}})
    await scene.plane.api.delete(path_of(pod), {"gracePeriodSeconds": 600})
    scene.log(pod, scene.worked(scene.now()))
    return pod


async def just_created(scene: Scene) -> JsonObject:
    """Pending for some seconds: its containers are being created."""
    await scene.plane.etcd.age(path_of(await scene.account()), by=scene.month)
    metadata = {"name": "app", "namespace": scene.namespace, "annotations": {ANNOTATION: "by-hand"}}
    spec = {"serviceAccountName": "checkout", "containers": [{"name": "app", "image": IMAGE}]}
    pod = await scene.plane.workloads.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    waiting = {"name": "app", "image": IMAGE, "imageID": "", "ready": False, "restartCount": 0, "started": False}
    status = {"containerStatuses": [{**waiting, "state": {"waiting": {"reason": "ContainerCreating"}}}]}
    return await scene.plane.api.patch(f"{path_of(pod)}/status", {"status": status})


async def static_pod(scene: Scene) -> JsonObject:
    """As its kubelet mirrors it: it has no service account at all."""
    owner = await scene.plane.api.get("/api/v1/nodes/worker-1")
    reference = {"apiVersion": "v1", "kind": "Node", "name": "worker-1", "uid": owner["metadata"]["uid"]}
    pod = await scene.plane.workloads.run(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": "proxy-worker-1",
                "namespace": scene.namespace,
                "annotations": {"kubernetes.io/config.mirror": "file", "kubernetes.io/config.source": "file"},
                "ownerReferences": [{**reference, "controller": True}],
            },
            "spec": {"hostNetwork": True, "nodeName": "worker-1", "containers": [{"name": "app", "image": IMAGE}]},
        }
    )
    scene.log(pod, scene.worked(scene.now()))
    return pod


async def file_read_again(scene: Scene) -> JsonObject:
    """A day old, its file refreshed many times, and a client that reads it each time."""
    pod = await scene.pod(age=timedelta(days=100))
    minted = await scene.plane.tokens.mint(scene.namespace, "checkout", expiration_seconds=3607, bound_to=pod)
    scene.holds(pod, minted, path=TOKEN_FILE)
    scene.log(pod, scene.worked(scene.now()))
    return pod
