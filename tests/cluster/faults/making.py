"""What faults in workloads are made of: controllers, Jobs, rights, and what befalls them."""

from collections.abc import Sequence
from datetime import timedelta

from tests.cluster.api import JsonObject
from tests.cluster.faults.scene import Scene
from tests.cluster.waiting import eventually
from tests.cluster.workloads import ANNOTATION, path_of

APP: JsonObject = {"name": "app", "image": "shop/checkout:1.4"}
DAY = timedelta(days=1)


async def deployment(
    scene: Scene,
    *,
    name: str = "checkout",
    account: str = "checkout",
    replicas: int = 1,
    spec: JsonObject | None = None,
) -> JsonObject:
    """Rolled out a day ago, under an account that is older."""
    return await _aged(scene, workload(scene, "Deployment", name=name, account=account, replicas=replicas, spec=spec))


async def stateful_set(scene: Scene, *, account: str = "checkout", spec: JsonObject | None = None) -> JsonObject:
    return await _aged(scene, workload(scene, "StatefulSet", name="db", account=account, replicas=2, spec=spec))


async def daemon_set(scene: Scene, *, spec: JsonObject | None = None) -> JsonObject:
    manifest = workload(scene, "DaemonSet", name="agent", account="checkout", spec=spec)
    return await _aged(scene, manifest)


async def _aged(scene: Scene, manifest: JsonObject) -> JsonObject:
    await aged_account(scene, manifest["spec"]["template"]["spec"]["serviceAccountName"])
    found = await scene.plane.workloads.run(manifest)
    for pod in await scene.plane.workloads.pods_of(found):
        await scene.plane.etcd.age(path_of(pod), by=DAY)
    return found


async def aged_account(scene: Scene, name: str) -> JsonObject:
    account = await scene.account(name)
    return {**account, **await scene.plane.etcd.age(path_of(account), by=scene.month)}


def workload(  # each has a default
    scene: Scene,
    kind: str,
    *,
    name: str = "checkout",
    account: str,
    replicas: int | None = None,
    spec: JsonObject | None = None,
) -> JsonObject:
    labels = {"app": name}
    pod = {"serviceAccountName": account, "containers": [APP], **(spec or {})}
    own: dict[str, JsonObject] = {
        "Deployment": {"replicas": replicas},
        "StatefulSet": {"replicas": replicas, "serviceName": name},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": scene.namespace},
        "spec": {
            **own.get(kind, {}),
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def a_job(scene: Scene, name: str, *, made_by: JsonObject | None = None) -> JsonObject:
    """Of a CronJob's run where it is made by one; a failed one leaves its status to the test."""
    metadata: JsonObject = {"name": name, "namespace": scene.namespace}
    if made_by:
        owner = {"apiVersion": "batch/v1", "kind": "CronJob", "controller": True}
        metadata["ownerReferences"] = [{**owner, **{key: made_by["metadata"][key] for key in ("name", "uid")}}]
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {"backoffLimit": 0, "template": _run_once()},
    }


def a_cron_job(scene: Scene) -> JsonObject:
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "nightly", "namespace": scene.namespace},
        "spec": {"schedule": "0 3 1 1 *", "jobTemplate": {"spec": {"template": _run_once()}}},
    }


def _run_once() -> JsonObject:
    return {"spec": {"restartPolicy": "Never", "serviceAccountName": "checkout", "containers": [APP]}}


async def fail(scene: Scene, job: JsonObject) -> None:
    """Its pod ends with exit code 1, having been answered 403."""
    root = f"/api/v1/namespaces/{scene.namespace}/pods"
    query = {"labelSelector": f"job-name={job['metadata']['name']}"}
    made = await eventually(lambda: scene.plane.api.get(root, query), lambda found: bool(found["items"]), "its pod")
    pod = {"apiVersion": "v1", "kind": "Pod", **made["items"][0]}
    await scene.plane.api.patch(path_of(pod), {"metadata": {"annotations": {ANNOTATION: "by-hand"}}})
    now = scene.now()
    stamp = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    ended = {"exitCode": 1, "reason": "Error", "startedAt": stamp, "finishedAt": stamp, "containerID": "containerd://1"}
    status = {"name": "app", "image": APP["image"], "imageID": "", "ready": False, "restartCount": 0}
    body = {"phase": "Failed", "containerStatuses": [{**status, "state": {"terminated": ended}}]}
    await scene.plane.api.patch(f"{path_of(pod)}/status", {"status": body})
    user, where = f"system:serviceaccount:{scene.namespace}:checkout", f'in the namespace "{scene.namespace}"'
    refused = f'configmaps is forbidden: User "{user}" cannot list resource "configmaps" in API group "" {where}'
    scene.log(pod, [(now, refused)])


async def log_each(scene: Scene, found: JsonObject, text: str = "") -> None:
    for pod in await scene.plane.workloads.pods_of(found):
        if text:
            scene.repeats(pod, text)
        else:
            scene.log(pod, scene.worked(scene.now()))


async def failed_to_create(scene: Scene, words: str) -> None:
    path = f"/api/v1/namespaces/{scene.namespace}/events"
    await eventually(
        lambda: scene.plane.api.get(path, {"fieldSelector": "reason=FailedCreate"}),
        lambda found: any(words in event["message"] for event in found["items"]),
        "the controller says that it failed to create a pod",
    )


def account_path(scene: Scene) -> str:
    return f"/api/v1/namespaces/{scene.namespace}/serviceaccounts/checkout"


async def role(
    scene: Scene, name: str, *, verbs: Sequence[str], resources: Sequence[str], names: Sequence[str] = ()
) -> None:
    rule: JsonObject = {"apiGroups": [""], "resources": list(resources), "verbs": list(verbs)}
    if names:
        rule["resourceNames"] = list(names)
    await scene.plane.workloads.create(
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "metadata": {"name": name, "namespace": scene.namespace},
            "rules": [rule],
        }
    )


async def bind(scene: Scene, name: str, subjects: Sequence[JsonObject], *, role: tuple[str, str]) -> None:
    group = "rbac.authorization.k8s.io"
    grouped = [{"apiGroup": group, **each} if each["kind"] != "ServiceAccount" else each for each in subjects]
    await scene.plane.workloads.create(
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": name, "namespace": scene.namespace},
            "roleRef": {"apiGroup": group, "kind": role[0], "name": role[1]},
            "subjects": grouped,
        }
    )
