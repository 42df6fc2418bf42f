"""Pods and their controllers, run to where a cluster would have brought them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from tests.cluster.api import Api, ApiError, JsonObject
from tests.cluster.control import ControlClient
from tests.cluster.kubelet.state import Container
from tests.cluster.waiting import eventually

ANNOTATION = "token-doctor.test/status"
PLURALS = {"endpoints": "endpoints", "ingress": "ingresses", "networkpolicy": "networkpolicies"}
CONTAINER: JsonObject = {"name": "app", "image": "shop/checkout:1.4"}


@dataclass(frozen=True)
class Workloads:
    """Creates through the API; returns live objects."""

    api: Api
    control: ControlClient

    async def create(self, manifest: JsonObject) -> JsonObject:
        """The object as the API server stored it."""
        return await self.api.post(collection(manifest), manifest)

    async def run(self, manifest: JsonObject) -> JsonObject:
        """Creates a Pod, Deployment, StatefulSet, DaemonSet or Job; returns it once it runs (a Job: completed)."""
        created = await self.create(manifest)
        name = f"{created['kind']} {created['metadata']['name']} runs"
        live = await eventually(lambda: self.api.get(path_of(created)), RUNS[created["kind"]], name)
        for pod in [live] if live["kind"] == "Pod" else await self.pods_of(live):
            if pod["status"]["phase"] == "Running":
                metadata = pod["metadata"]
                await self.control.post(f"/mounts/{metadata['namespace']}/{metadata['name']}", {})
        return live

    async def run_pod(
        self,
        namespace: str,
        name: str = "app",
        *,
        spec: JsonObject | None = None,
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
    ) -> JsonObject:
        """A ready pod; `spec` replaces fields of a default with one container, `app`."""
        metadata = {"name": name, "namespace": namespace, "labels": labels, "annotations": annotations}
        return await self.run({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": _spec(spec)})

    async def deployment(
        self, namespace: str, name: str = "app", *, replicas: int = 1, spec: JsonObject | None = None
    ) -> JsonObject:
        """Rolled out, with ready pods; `spec` is the pod's, as for run_pod."""
        labels = {"app": name}
        return await self.run(
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": name, "namespace": namespace, "labels": labels},
                "spec": {
                    "replicas": replicas,
                    "selector": {"matchLabels": labels},
                    "template": {"metadata": {"labels": labels}, "spec": _spec(spec)},
                },
            }
        )

    async def pods_of(self, workload: JsonObject) -> list[JsonObject]:
        """Its live pods, by name."""
        selector = ",".join(f"{key}={value}" for key, value in workload["spec"]["selector"]["matchLabels"].items())
        path = f"/api/v1/namespaces/{workload['metadata']['namespace']}/pods"
        found = (await self.api.get(path, {"labelSelector": selector}))["items"]
        alive = [{"apiVersion": "v1", "kind": "Pod", **each} for each in found]
        return sorted(
            (each for each in alive if "deletionTimestamp" not in each["metadata"]),
            key=lambda each: str(each["metadata"]["name"]),
        )

    async def set_container(self, pod: JsonObject, changes: JsonObject, container: str = "app") -> JsonObject:
        """Changes fields of a container's status, such as restartCount, state or lastState; returns the pod."""
        while True:
            live = await self.api.get(path_of(pod))
            statuses = live["status"]["containerStatuses"]
            changed = [{**each, **changes} if each["name"] == container else each for each in statuses]
            version = {"resourceVersion": live["metadata"]["resourceVersion"]}
            body = {"metadata": version, "status": {"containerStatuses": changed}}
            try:
                return await self.api.patch(f"{path_of(pod)}/status", body)
            except ApiError as error:
                if error.status != 409:
                    raise


def path_of(found: JsonObject) -> str:
    """The API path of a live object."""
    return f"{collection(found)}/{found['metadata']['name']}"


def collection(manifest: JsonObject) -> str:
    version, kind = manifest["apiVersion"], manifest["kind"].lower()
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    namespace = manifest["metadata"].get("namespace")
    plural = PLURALS.get(kind) or f"{kind}s"
    return f"{root}/namespaces/{namespace}/{plural}" if namespace else f"{root}/{plural}"


def container_of(pod: JsonObject, name: str | None = None) -> Container:
    """The address of a pod's container, the first one unless named."""
    metadata = pod["metadata"]
    return Container(metadata["namespace"], metadata["name"], name or pod["spec"]["containers"][0]["name"])


def crash_looping(pod: JsonObject, *, restarts: int, exit_code: int, ended_at: str) -> JsonObject:
    """A container's status between two tries, for set_container; its last instance can have logs."""
    status = pod["status"]["containerStatuses"][0]
    terminated = {
        "containerID": status["containerID"],
        "exitCode": exit_code,
        "finishedAt": ended_at,
        "reason": "Error" if exit_code else "Completed",
        "startedAt": ended_at,
    }
    message = f"back-off 5m0s restarting failed container={status['name']} pod={pod['metadata']['name']}"
    return {
        "ready": False,
        "started": False,
        "restartCount": restarts,
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": message}},
        "lastState": {"terminated": terminated},
    }


def running_since(started: datetime) -> JsonObject:
    """A container's status, for set_container."""
    return {"state": {"running": {"startedAt": started.strftime("%Y-%m-%dT%H:%M:%SZ")}}}


def _spec(spec: JsonObject | None) -> JsonObject:
    return {"containers": [CONTAINER], **(spec or {})}


def _observed(found: JsonObject) -> bool:
    return bool(found.get("status", {}).get("observedGeneration", 0) >= found["metadata"]["generation"])


def _pod_runs(found: JsonObject) -> bool:
    conditions = found["status"].get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _replicas_run(found: JsonObject) -> bool:
    wanted, status = found["spec"]["replicas"], found.get("status", {})
    counts = (status.get(each, 0) for each in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"))
    return _observed(found) and all(count == wanted for count in counts)


def _daemons_run(found: JsonObject) -> bool:
    status = found.get("status", {})
    wanted = status.get("desiredNumberScheduled", 0)
    return _observed(found) and wanted > 0 and status.get("numberReady", 0) == wanted


def _job_done(found: JsonObject) -> bool:
    conditions = found.get("status", {}).get("conditions", [])
    return any(each["type"] == "Complete" and each["status"] == "True" for each in conditions)


RUNS: Mapping[str, Callable[[JsonObject], bool]] = {
    "Pod": _pod_runs,
    "Deployment": _replicas_run,
    "StatefulSet": _replicas_run,
    "DaemonSet": _daemons_run,
    "Job": _job_done,
}
