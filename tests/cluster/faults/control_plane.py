"""Faults of the controller manager, and of the keys that a control plane signs and checks with.

All need a control plane of their own, with the run's usual flags unless a fault starts a program again.
"""

from datetime import timedelta

from tests.cluster.api import JsonObject
from tests.cluster.commands import CONTROLLERS, Component, Flags
from tests.cluster.faults.healthy import vault_sidecar
from tests.cluster.faults.scene import TOKEN_FILE, Scene
from tests.cluster.nodes import SYSTEM_PODS
from tests.cluster.tokens import legacy_claims
from tests.cluster.workloads import crash_looping, path_of

_MANAGER: Component = "kube-controller-manager"
_KEY = "service-account-private-key-file"


async def controller_manager_down(scene: Scene) -> JsonObject:
    """It crash-loops; a Secret that was made since is still empty, and the pod waits for its token."""
    await _stopped(scene)
    return await _waits_for_an_empty_secret(scene)


async def controller_manager_down_and_a_mounted_token(scene: Scene) -> JsonObject:
    """The same, and a pod that has nothing to do with it: its token is mounted, and made by the API server."""
    pod = await _works(scene)
    await _stopped(scene)
    return pod


async def controller_manager_down_and_an_expired_token(scene: Scene) -> JsonObject:
    """Two things at once: the pod's own fault is what keeps it from working."""
    pod, claims = await scene.pod_and_claims()
    await _stopped(scene)
    await scene.refused(pod, scene.plane.tokens.sign({**claims, "exp": claims["exp"] - 7200}))
    return pod


async def hidden_controller_manager_down(scene: Scene) -> JsonObject:
    """On a managed control plane nobody sees its pods: only what it should have done is missing."""
    await scene.plane.stop(_MANAGER)
    await _hidden(scene)
    return await _waits_for_an_empty_secret(scene)


async def no_key_to_sign_with(scene: Scene) -> JsonObject:
    """The controller manager was started without its private key."""
    await _restarted(scene, {_KEY: None})
    return await _waits_for_an_empty_secret(scene)


async def no_key_to_sign_with_and_a_mounted_token(scene: Scene) -> JsonObject:
    await _restarted(scene, {_KEY: None})
    return await _works(scene)


async def signs_with_another_key(scene: Scene) -> JsonObject:
    """The controller manager has another private key than the API server has public ones for."""
    foreign = scene.plane.layout.foreign_signing_key
    await _restarted(scene, {_KEY: str(foreign.private)})
    await scene.plane.etcd.age(path_of(await scene.account()), by=scene.month)
    secret = await scene.token_secret()
    pod = await scene.pod(_with_token_from("checkout-token"))
    await scene.refused(pod, scene.plane.tokens.sign(legacy_claims(secret), key=scene.plane.tokens.foreign_key))
    return pod


async def signs_with_another_key_and_a_mounted_token(scene: Scene) -> JsonObject:
    """The pod has no token of its: that of the kubelet is the API server's work."""
    await _restarted(scene, {_KEY: str(scene.plane.layout.foreign_signing_key.private)})
    return await _works(scene)


async def namespace_without_root_ca(scene: Scene) -> JsonObject:
    """Nobody puts kube-root-ca.crt there: the controller is switched off, and somebody deleted it."""
    pod = await _works(scene)
    others = [f"{name}-controller" for name in CONTROLLERS if name != "root-ca-certificate-publisher"]
    await _restarted(scene, {"controllers": ",".join(others)})
    namespace = f"/api/v1/namespaces/{scene.namespace}"
    await scene.plane.api.delete(f"{namespace}/configmaps/kube-root-ca.crt")
    await scene.plane.etcd.age(namespace, by=timedelta(hours=2))
    return pod


async def issuer_not_published(scene: Scene) -> JsonObject:
    """The API server's issuer is no https URL (a flag of the row), and a sidecar has a token for Vault."""
    return await vault_sidecar(scene)


# --- and what is none ---------------------------------------------------------------------------------------


async def hidden_control_plane(scene: Scene) -> JsonObject:
    """A managed one: none of its pods is in kube-system."""
    pod = await _works(scene)
    await _hidden(scene)
    return pod


async def keys_that_accounts_may_not_read(scene: Scene) -> JsonObject:
    """The binding for service accounts was taken away on purpose."""
    bindings = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
    await scene.plane.api.delete(f"{bindings}/system:service-account-issuer-discovery")
    return await vault_sidecar(scene)


async def token_controller_left_out(scene: Scene) -> JsonObject:
    """`--controllers` names it with a minus, and 1.36 starts it all the same: its Secret is filled."""
    others = ",".join(f"{name}-controller" for name in CONTROLLERS if name != "serviceaccount-token")
    await _restarted(scene, {"controllers": f"{others},-serviceaccount-token-controller"})
    pod = await _works(scene)
    await scene.token_secret()
    return pod


async def _works(scene: Scene) -> JsonObject:
    pod = await scene.pod()
    scene.log(pod, scene.worked(scene.now()))
    return pod


async def _waits_for_an_empty_secret(scene: Scene) -> JsonObject:
    """A running pod that reads its token from a Secret of two hours, which nobody has filled."""
    await scene.plane.etcd.age(path_of(await scene.account()), by=scene.month)
    secret = await scene.plane.workloads.create(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/service-account-token",
            "metadata": {
                "name": "checkout-token",
                "namespace": scene.namespace,
                "annotations": {"kubernetes.io/service-account.name": "checkout"},
            },
        }
    )
    await scene.plane.etcd.age(path_of(secret), by=timedelta(hours=2))
    pod = await scene.pod(_with_token_from("checkout-token"), age=timedelta(hours=1))
    scene.repeats(pod, f"unable to load in-cluster configuration: open {TOKEN_FILE}: no such file or directory")
    return pod


def _with_token_from(secret: str) -> JsonObject:
    """The Secret is mounted where clients look for their token."""
    mount = {"name": "token", "mountPath": TOKEN_FILE.removesuffix("/token")}
    return {
        "automountServiceAccountToken": False,
        "containers": [{"name": "app", "image": "shop/checkout:1.4", "volumeMounts": [mount]}],
        "volumes": [{"name": "token", "secret": {"secretName": secret}}],
    }


async def _stopped(scene: Scene) -> None:
    """As the kubelet shows a static pod whose program ends again and again."""
    await scene.plane.stop(_MANAGER)
    pod = (await scene.plane.api.get(SYSTEM_PODS, {"labelSelector": f"component={_MANAGER}"}))["items"][0]
    ended = (scene.now() - timedelta(minutes=3)).strftime("%Y-%m-%dT%H:%M:%SZ")
    changes = crash_looping(pod, restarts=7, exit_code=1, ended_at=ended)
    await scene.plane.workloads.set_container({"apiVersion": "v1", "kind": "Pod", **pod}, changes, _MANAGER)


async def _restarted(scene: Scene, changes: Flags) -> None:
    await scene.plane.stop(_MANAGER)
    await scene.plane.start(_MANAGER, changes)


async def _hidden(scene: Scene) -> None:
    for pod in (await scene.plane.api.get(SYSTEM_PODS))["items"]:
        await scene.plane.api.delete(f"{SYSTEM_PODS}/{pod['metadata']['name']}", {"gracePeriodSeconds": 0})
