"""Clocks that differ: the node's, and those of API servers. The API server that is asked has the right time."""

from datetime import datetime, timedelta

from tests.cluster.api import JsonObject
from tests.cluster.faults.scene import CLIENT_GO_401, TOKEN_FILE, Scene
from tests.cluster.kubelet.leases import micro_time
from tests.cluster.waiting import eventually
from tests.cluster.workloads import container_of

IDENTITY = "apiserver.kubernetes.io/identity"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"


async def node_behind(scene: Scene, by: timedelta) -> str:
    """A node of the test's own with a slow clock; its name."""
    name = f"node-of-{scene.namespace}"
    await scene.plane.create_node(name)
    await scene.plane.delay_node_clock(name, by)
    return name


def of_an_hour(node: str) -> JsonObject:
    """A pod on that node whose token lives for just an hour: it is not extended."""
    source = {"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}}
    mount = {"name": "token", "mountPath": TOKEN_FILE.removesuffix("/token")}
    return {
        "nodeName": node,
        "automountServiceAccountToken": False,
        "volumes": [{"name": "token", "projected": {"sources": [source]}}],
        "containers": [{"name": "app", "image": "shop/checkout:1.4", "volumeMounts": [mount]}],
    }


def works(scene: Scene, pod: JsonObject, by: timedelta) -> None:
    """Its log has the node's time."""
    scene.log(pod, [(moment - by, text) for moment, text in scene.worked(scene.now())])


async def refused_on_a_slow_node(scene: Scene, pod: JsonObject, token: str, by: timedelta) -> None:
    """The token is really refused; the pod's log has the node's time, the API server's its own."""
    start = scene.now()
    await scene.refused(pod, token)
    log = scene.plane.kubelet.log(container_of(pod), previous=False).read_text().splitlines()
    moments = [datetime.fromisoformat(line.split(" ", 1)[0]) for line in log if CLIENT_GO_401 in line]
    scene.log(
        pod, [(moment - by, text) for moment, text in [*scene.worked(start), *((at, CLIENT_GO_401) for at in moments)]]
    )


async def node_20_min_slow_and_its_file_expired(scene: Scene) -> JsonObject:
    """Twelve minutes are the margin of an hour's token: the file holds one that expired three minutes ago."""
    by = timedelta(minutes=20)
    pod = await scene.pod(of_an_hour(await node_behind(scene, by)))
    claims = await scene.plane.tokens.bound_claims(scene.namespace, "checkout", pod=pod)
    token = scene.plane.tokens.sign({**claims, **{name: claims[name] - 3780 for name in ("iat", "nbf", "exp")}})
    scene.holds(pod, token)
    await refused_on_a_slow_node(scene, pod, token, by)
    return pod


async def node_20_min_slow_so_far_fine(scene: Scene) -> JsonObject:
    by = timedelta(minutes=20)
    pod = await scene.pod(of_an_hour(await node_behind(scene, by)))
    works(scene, pod, by)
    return pod


async def node_5_min_slow_beside_a_cached_token(scene: Scene) -> JsonObject:
    """Five minutes late is well within the margin: the process keeps the token that it read at its start."""
    by = timedelta(minutes=5)
    pod = await scene.pod(of_an_hour(await node_behind(scene, by)))
    claims = await scene.plane.tokens.bound_claims(scene.namespace, "checkout", pod=pod)
    token = scene.plane.tokens.sign({**claims, "exp": claims["exp"] - 7200})
    await refused_on_a_slow_node(scene, pod, token, by)
    return pod


async def node_5_min_slow(scene: Scene) -> JsonObject:
    """Healthy: an hour's token allows twelve."""
    by = timedelta(minutes=5)
    pod = await scene.pod(of_an_hour(await node_behind(scene, by)))
    works(scene, pod, by)
    return pod


async def node_20_min_slow_and_an_extended_token(scene: Scene) -> JsonObject:
    """Healthy: the default token lives for a year."""
    by = timedelta(minutes=20)
    pod = await scene.pod({"nodeName": await node_behind(scene, by)})
    works(scene, pod, by)
    return pod


async def node_10_min_fast(scene: Scene) -> JsonObject:
    """Healthy: its kubelet only refreshes too early."""
    by = timedelta(minutes=-10)
    pod = await scene.pod(of_an_hour(await node_behind(scene, by)))
    works(scene, pod, by)
    return pod


async def identity(scene: Scene, ahead: timedelta) -> JsonObject:
    """The Lease of another API server, whose clock is that far ahead: written through the one that is there."""
    lease = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": "apiserver-of-another-machine",
            "namespace": "kube-system",
            "labels": {IDENTITY: "kube-apiserver", "kubernetes.io/hostname": "control-plane-2"},
        },
        "spec": {
            "holderIdentity": "apiserver-of-another-machine_1",
            "leaseDurationSeconds": 3600,
            "renewTime": micro_time(scene.now() + ahead),
        },
    }
    return await scene.plane.api.post(LEASES, lease, {"fieldManager": "kube-apiserver"})


async def own_identity_renewed(scene: Scene) -> None:
    """Returns just after the API server has renewed its own Lease, as it does every ten seconds."""
    query = {"labelSelector": f"{IDENTITY}=kube-apiserver"}

    async def renewals() -> JsonObject:
        return {each["metadata"]["name"]: each for each in (await scene.plane.api.get(LEASES, query))["items"]}

    before = await eventually(renewals, bool, "the API server has an identity Lease")
    name = next(name for name in before if name != "apiserver-of-another-machine")
    version = before[name]["metadata"]["resourceVersion"]
    await eventually(
        renewals, lambda found: found[name]["metadata"]["resourceVersion"] != version, f"{name} is renewed"
    )


async def api_server_90_s_ahead(scene: Scene) -> JsonObject:
    """It has minted the pod's token; the one that is asked says that it is not valid yet."""
    pod, claims = await scene.pod_and_claims()
    token = scene.plane.tokens.sign({**claims, "nbf": claims["nbf"] + 90, "iat": claims["iat"] + 90})
    await scene.sends(pod, token)
    await identity(scene, timedelta(seconds=90))
    return pod


async def api_server_45_s_ahead(scene: Scene) -> JsonObject:
    """Within the leeway of 60 s: nothing is refused yet."""
    pod = await scene.pod()
    scene.log(pod, scene.worked(scene.now()))
    await identity(scene, timedelta(seconds=45))
    return pod


async def api_server_90_s_behind(scene: Scene) -> JsonObject:
    """Its Lease is the newer one, and shows the earlier time."""
    pod = await scene.pod()
    scene.log(pod, scene.worked(scene.now()))
    await own_identity_renewed(scene)
    await identity(scene, timedelta(seconds=-90))
    return pod


async def api_server_90_s_ahead_beside_a_cached_token(scene: Scene) -> JsonObject:
    """The API server says that the token has expired: that is no matter of clocks."""
    pod, claims = await scene.pod_and_claims()
    await scene.refused(pod, scene.plane.tokens.sign({**claims, "exp": claims["exp"] - 7200}))
    await identity(scene, timedelta(seconds=90))
    return pod


async def api_server_gone_for_half_an_hour(scene: Scene) -> JsonObject:
    """Healthy: its Lease stays for an hour, and its time says nothing of any clock."""
    pod = await scene.pod()
    scene.log(pod, scene.worked(scene.now()))
    await identity(scene, timedelta(minutes=-30))
    await own_identity_renewed(scene)
    return pod
