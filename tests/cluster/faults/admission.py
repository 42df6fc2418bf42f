"""Faults of admission: what a policy refuses to the control plane itself."""

from datetime import timedelta

from tests.cluster.api import ApiError, JsonObject
from tests.cluster.faults.scene import Scene
from tests.cluster.nodes import SYSTEM_PODS
from tests.cluster.waiting import eventually
from tests.cluster.workloads import path_of

_ADMISSION = "/apis/admissionregistration.k8s.io/v1"
_WORDS = "require-team-label: the label team is required"


async def policy_refuses_the_token_controller(scene: Scene) -> JsonObject:
    """Whoever changes a Secret of the namespace must label it; the token controller does not, and says so in its log.

    A Secret of another namespace is filled meanwhile.
    """
    await scene.account()
    await _team_label_required(scene)
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
    pods = (await scene.plane.api.get(SYSTEM_PODS, {"labelSelector": "component=kube-controller-manager"}))["items"]
    log = f"{SYSTEM_PODS}/{pods[0]['metadata']['name']}/log"
    named = f'secret="{scene.namespace}/checkout-token"'
    await eventually(lambda: scene.plane.api.text(log), lambda text: named in text, "the controller says so")
    await scene.plane.etcd.age(path_of(secret), by=timedelta(minutes=10))
    elsewhere = Scene(scene.plane, await scene.plane.create_namespace())
    await elsewhere.account()
    await elsewhere.token_secret()
    return secret


async def _team_label_required(scene: Scene) -> None:
    """Comes back once the API server enforces it."""
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["secrets"]}
    name = f"label-{scene.namespace}"
    validation = {"expression": "has(object.metadata.labels) && 'team' in object.metadata.labels", "message": _WORDS}
    policy = {"matchConstraints": {"resourceRules": [rule]}, "validations": [validation]}
    of_namespace = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": scene.namespace}}}
    binding = {"policyName": name, "validationActions": ["Deny"], "matchResources": of_namespace}
    api, metadata = scene.plane.api, {"metadata": {"name": name}}
    await api.post(f"{_ADMISSION}/validatingadmissionpolicies", {**metadata, "spec": policy})
    await api.post(f"{_ADMISSION}/validatingadmissionpolicybindings", {**metadata, "spec": binding})
    secrets = f"/api/v1/namespaces/{scene.namespace}/secrets"
    await api.post(secrets, {"metadata": {"name": "unlabelled"}})

    async def answer() -> str:
        try:
            await api.patch(f"{secrets}/unlabelled", {"metadata": {"annotations": {"shop.example/seen": "yes"}}})
        except ApiError as error:
            return error.text
        return ""

    await eventually(answer, lambda text: _WORDS in text, "the policy is enforced")
    await api.delete(f"{secrets}/unlabelled")
