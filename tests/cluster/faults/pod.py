"""Faults in how the pod comes by its token."""

from datetime import timedelta

from tests.cluster.api import JsonObject
from tests.cluster.faults.scene import TOKEN_FILE, Scene
from tests.cluster.faults.token import with_token_in_environment
from tests.cluster.workloads import ANNOTATION, path_of


async def automount_off(scene: Scene) -> JsonObject:
    pod = await scene.pod({"automountServiceAccountToken": False})
    text = f"panic: open {TOKEN_FILE}: no such file or directory"
    scene.repeats(pod, text)
    return pod


async def automount_off_on_the_account(scene: Scene) -> JsonObject:
    await scene.plane.etcd.age(path_of(await scene.account(automountServiceAccountToken=False)), by=scene.month)
    pod = await scene.pod()
    text = f"panic: open {TOKEN_FILE}: no such file or directory"
    scene.repeats(pod, text)
    return pod


def subpath() -> JsonObject:
    source = {"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}}
    mount = {"name": "token", "mountPath": "/etc/shop/token", "subPath": "token"}
    return {
        "automountServiceAccountToken": False,
        "volumes": [{"name": "token", "projected": {"sources": [source]}}],
        "containers": [{"name": "app", "image": "shop/checkout:1.4", "volumeMounts": [mount]}],
    }


async def subpath_mount(scene: Scene) -> JsonObject:
    """The file in the container is the one of its start, a day ago."""
    pod = await scene.pod(subpath())
    claims = await scene.plane.tokens.bound_claims(scene.namespace, "checkout", pod=pod)
    old = scene.plane.tokens.sign({**claims, "exp": claims["exp"] - 7200})
    scene.holds(pod, old, path="/etc/shop/token")
    await scene.refused(pod, old)
    return pod


async def subpath_mount_so_far_fine(scene: Scene) -> JsonObject:
    pod = await scene.pod(subpath())
    scene.log(pod, scene.worked(scene.now()))
    return pod


async def environment_so_far_fine(scene: Scene) -> JsonObject:
    await scene.plane.etcd.age(path_of(await scene.account()), by=scene.month)
    await scene.token_secret()
    pod = await scene.pod(with_token_in_environment())
    scene.log(pod, scene.worked(scene.now()))
    return pod


async def started_almost_a_year_ago(scene: Scene) -> JsonObject:
    """A client that reads its token once has lived on the extended year so far."""
    pod = await scene.pod(age=timedelta(days=350))
    scene.log(pod, scene.worked(scene.now()))
    return pod


async def refresh_overdue(scene: Scene) -> JsonObject:
    """The kubelet left the file alone although four fifths of its hour are over."""
    pod, claims = await scene.pod_and_claims()
    minted = {name: claims[name] - 3500 for name in ("iat", "nbf", "exp")}
    scene.holds(pod, scene.plane.tokens.sign({**claims, **minted}))
    scene.log(pod, scene.worked(scene.now()))
    return pod


async def first_fetch_fails(scene: Scene) -> JsonObject:
    why = 'serviceaccounts "checkout" is forbidden: node requested token not bound to a pod scheduled on it'
    return await fetch_fails(scene, why)


async def fetch_fails(scene: Scene, why: str) -> JsonObject:
    """A pod that does not start, and its kubelet's reason.

    The event is written as the kubelet does (pkg/volume/projected, pkg/kubelet/token); no kubelet runs here.
    """
    await scene.plane.etcd.age(path_of(await scene.account()), by=scene.month)
    metadata = {"name": "app", "namespace": scene.namespace, "annotations": {ANNOTATION: "by-hand"}}
    spec = {"serviceAccountName": "checkout", "containers": [{"name": "app", "image": "shop/checkout:1.4"}]}
    pod = await scene.plane.workloads.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    volume = pod["spec"]["volumes"][0]["name"]
    await scene.event(
        pod, "FailedMount", f'MountVolume.SetUp failed for volume "{volume}" : failed to fetch token: {why}'
    )
    return pod


async def asks_for_a_day(scene: Scene) -> JsonObject:
    """Healthy where no ceiling stands."""
    source = {"serviceAccountToken": {"path": "token", "expirationSeconds": 86400}}
    mount = {"name": "token", "mountPath": TOKEN_FILE.removesuffix("/token")}
    pod = await scene.pod(
        {
            "automountServiceAccountToken": False,
            "volumes": [{"name": "token", "projected": {"sources": [source]}}],
            "containers": [{"name": "app", "image": "shop/checkout:1.4", "volumeMounts": [mount]}],
        }
    )
    scene.log(pod, scene.worked(scene.now()))
    return pod
