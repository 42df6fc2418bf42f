"""The kubelet of a node of the test's own: silent, complaining, or well while its node is not."""

from datetime import timedelta

from tests.cluster.api import JsonObject
from tests.cluster.faults.clocks import of_an_hour
from tests.cluster.faults.scene import Scene
from tests.cluster.kubelet import leases
from tests.cluster.kubelet.server import STOPPED
from tests.cluster.workloads import ANNOTATION, path_of

REFUSED = 'Post "https://10.0.0.1:443/api/v1": dial tcp 10.0.0.1:443: connect: connection refused'


async def own_node(scene: Scene) -> str:
    name = f"node-of-{scene.namespace}"
    await scene.plane.create_node(name)
    return name


async def silent(scene: Scene, node: str, since: timedelta) -> None:
    """Its kubelet renewed its Lease for the last time that long ago."""
    await scene.plane.stop_node(node)
    path = f"{leases.LEASES}/{node}"
    spec = {"spec": {"renewTime": leases.micro_time(scene.now() - since)}}
    await scene.plane.api.patch(path, spec, {"fieldManager": "kubelet"})
    await scene.plane.etcd.age(path, by=since)


async def node_silent_for_20_min(scene: Scene) -> JsonObject:
    """The hour's token goes on for a while."""
    node = await own_node(scene)
    pod = await scene.pod(of_an_hour(node))
    await silent(scene, node, timedelta(minutes=20))
    return pod


async def node_silent_for_3_hours(scene: Scene) -> JsonObject:
    """Every token of an hour has expired since."""
    node = await own_node(scene)
    pod = await scene.pod(of_an_hour(node))
    await silent(scene, node, timedelta(hours=3))
    return pod


async def node_silent_and_an_extended_token(scene: Scene) -> JsonObject:
    """It was due for a new token, and the old one is good for months."""
    node = await own_node(scene)
    pod = await scene.pod({"nodeName": node})
    await silent(scene, node, timedelta(hours=3))
    return pod


async def starts_on_a_silent_node(scene: Scene) -> JsonObject:
    """Scheduled just before the kubelet died: its first token is never fetched."""
    node = await own_node(scene)
    await scene.plane.etcd.age(path_of(await scene.account()), by=scene.month)
    pod = await scene.plane.workloads.create(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "app", "namespace": scene.namespace, "annotations": {ANNOTATION: "by-hand"}},
            "spec": {
                "serviceAccountName": "checkout",
                "nodeName": node,
                "containers": [{"name": "app", "image": "a:1"}],
            },
        }
    )
    await silent(scene, node, timedelta(minutes=10))
    return pod


async def node_gone(scene: Scene) -> JsonObject:
    node = await own_node(scene)
    pod = await scene.pod({"nodeName": node})
    await scene.plane.api.delete(f"/api/v1/nodes/{node}")
    return pod


async def not_ready(scene: Scene, node: str) -> None:
    """By its own word: the kubelet is alive, and renews its Lease."""
    path = f"/api/v1/nodes/{node}"
    await scene.plane.api.patch(path, {"metadata": {"annotations": {STOPPED: "true"}}})  # kwok keeps its hands off
    found = await scene.plane.api.get(path)
    why = {
        "status": "False",
        "reason": "KubeletNotReady",
        "message": "container runtime network not ready: cni plugin not initialized",
    }
    conditions = [{**each, **why} if each["type"] == "Ready" else each for each in found["status"]["conditions"]]
    await scene.plane.api.patch(f"{path}/status", {"status": {"conditions": conditions}})
    await leases.renew(scene.plane.api, scene.plane.kubelet, found)


async def finished_on_a_node_that_is_not_ready(scene: Scene) -> JsonObject:
    """Healthy: it ended well before its node got into trouble."""
    node = await own_node(scene)
    pod = await scene.pod({"nodeName": node, "restartPolicy": "Never"})
    scene.log(pod, scene.worked(scene.now()))
    ended = {"exitCode": 0, "reason": "Completed", "finishedAt": scene.now().strftime("%Y-%m-%dT%H:%M:%SZ")}
    await scene.plane.workloads.set_container(pod, {"ready": False, "started": False, "state": {"terminated": ended}})
    found = await scene.plane.api.patch(f"{path_of(pod)}/status", {"status": {"phase": "Succeeded"}})
    await not_ready(scene, node)
    return found


async def node_says_it_is_not_ready(scene: Scene) -> JsonObject:
    node = await own_node(scene)
    pod = await scene.pod(of_an_hour(node))
    scene.log(pod, scene.worked(scene.now()))
    await not_ready(scene, node)
    return pod


async def node_not_ready_beside_a_cached_token(scene: Scene) -> JsonObject:
    """The kubelet works on: what the process sends has nothing to do with its node."""
    node = await own_node(scene)
    pod = await scene.pod(of_an_hour(node))
    claims = await scene.plane.tokens.bound_claims(scene.namespace, "checkout", pod=pod)
    await scene.refused(pod, scene.plane.tokens.sign({**claims, "exp": claims["exp"] - 7200}))
    await not_ready(scene, node)
    return pod


async def node_being_drained(scene: Scene) -> JsonObject:
    """Healthy: an autoscaler has marked its node for deletion, and a finalizer waits for the pods to move."""
    node = await own_node(scene)
    path = f"/api/v1/nodes/{node}"
    pod = await scene.pod({"nodeName": node})
    scene.log(pod, scene.worked(scene.now()))
    await scene.plane.api.patch(path, {"metadata": {"finalizers": ["shop.example/drain"]}})
    await scene.plane.api.delete(path)
    return pod


async def _complains(scene: Scene, pod: JsonObject, before: timedelta) -> None:
    """The event is written as the kubelet does; no kubelet runs here."""
    volume = pod["spec"]["volumes"][0]["name"]
    message = f'MountVolume.SetUp failed for volume "{volume}" : failed to fetch token: {REFUSED}'
    await scene.event(pod, "FailedMount", message, before=before)


async def refresh_fails(scene: Scene) -> JsonObject:
    """The pod runs; its kubelet has been refused a new token until a minute ago."""
    pod = await scene.pod(of_an_hour("worker-1"))
    scene.log(pod, scene.worked(scene.now()))
    await _complains(scene, pod, timedelta(minutes=1))
    return pod


async def refresh_fails_of_an_extended_token(scene: Scene) -> JsonObject:
    """The same, and nobody notices for months."""
    pod = await scene.pod()
    scene.log(pod, scene.worked(scene.now()))
    await _complains(scene, pod, timedelta(minutes=1))
    return pod


async def refresh_that_healed(scene: Scene) -> JsonObject:
    """Healthy: it failed forty minutes ago, and has not failed since."""
    pod = await scene.pod(of_an_hour("worker-1"))
    scene.log(pod, scene.worked(scene.now()))
    await _complains(scene, pod, timedelta(minutes=40))
    return pod


async def a_year_old_restarted_yesterday(scene: Scene) -> JsonObject:
    """Healthy: its process read its token a day ago, however old the pod is."""
    pod = await scene.pod(age=timedelta(days=370))
    started = (scene.now() - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    running = {"restartCount": 1, "state": {"running": {"startedAt": started}}}
    pod = await scene.plane.workloads.set_container(pod, running)
    scene.log(pod, scene.worked(scene.now()))
    return pod


async def past_the_cliff(scene: Scene) -> JsonObject:
    """A process of a year and a day that never read its token again: the year has run out."""
    pod = await scene.pod(age=timedelta(days=366))
    claims = await scene.plane.tokens.bound_claims(scene.namespace, "checkout", pod=pod)
    year = {"iat": claims["iat"] - 366 * 86400, "nbf": claims["nbf"] - 366 * 86400, "exp": claims["iat"] - 86400}
    await scene.refused(pod, scene.plane.tokens.sign({**claims, **year}))
    return pod
