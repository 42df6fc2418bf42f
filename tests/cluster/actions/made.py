"""Workloads to act on, and pods whose status a test writes by hand."""

from collections.abc import Sequence

from tests.cluster.api import JsonObject
from tests.cluster.plane import Plane
from tests.cluster.waiting import eventually
from tests.cluster.workloads import CONTAINER, path_of

BY_HAND = {"token-doctor.test/status": "by-hand"}
MARK = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtYXJrIn0.c2lnbmF0dXJlLW1hcms"
"""A token that is planted where it must not come out."""


def manifest(
    namespace: str,
    kind: str = "Deployment",
    *,
    pod: JsonObject | None = None,
    annotations: JsonObject | None = None,
    spec: JsonObject | None = None,
) -> JsonObject:
    """A workload `web` of two pods; `pod` are fields of the pods' spec, `annotations` the template's."""
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels, "annotations": annotations or {}}}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {
            **({} if kind == "DaemonSet" else {"replicas": 2}),
            **({"serviceName": "web"} if kind == "StatefulSet" else {}),
            "selector": {"matchLabels": labels},
            "template": {**template, "spec": {"containers": [CONTAINER], **(pod or {})}},
            **(spec or {}),
        },
    }


async def by_hand(
    plane: Plane, namespace: str, kind: str = "Deployment", *, spec: JsonObject | None = None
) -> JsonObject:
    """A workload whose pods are ready only because the test has said so."""
    found = await plane.workloads.create(manifest(namespace, kind, annotations=BY_HAND, spec=spec))

    async def helped() -> JsonObject:
        for pod in await unready(plane, found):
            await make_ready(plane, pod)
        return await plane.api.get(path_of(found))

    await eventually(helped, lambda live: live["status"].get("availableReplicas") == 2, "both are available")
    return found


async def unready(plane: Plane, found: JsonObject) -> Sequence[JsonObject]:
    return [pod for pod in await plane.workloads.pods_of(found) if not _is_ready(pod)]


async def new_one(plane: Plane, found: JsonObject, *, beside: JsonObject | None = None) -> JsonObject:
    """The one pod that is not ready, another than that."""
    known = beside["metadata"]["uid"] if beside else ""
    (pod,) = await eventually(
        lambda: unready(plane, found), lambda pods: len(pods) == 1 and pods[0]["metadata"]["uid"] != known, "one is new"
    )
    return pod


async def make_ready(plane: Plane, pod: JsonObject) -> None:
    ready = [{"type": kind, "status": "True"} for kind in ("Ready", "ContainersReady", "Initialized")]
    await plane.api.patch(f"{path_of(pod)}/status", {"status": {"phase": "Running", "conditions": ready}})


async def cannot_pull(plane: Plane, pod: JsonObject, words: str) -> None:
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": words}}
    status = {"name": "app", "image": "x", "imageID": "", "ready": False, "restartCount": 0, "state": waiting}
    await plane.api.patch(f"{path_of(pod)}/status", {"status": {"containerStatuses": [status]}})


def rolled_out(live: JsonObject, replicas: int) -> bool:
    status = live["status"]
    counts = [status.get(name) for name in ("replicas", "updatedReplicas", "availableReplicas")]
    return counts == [replicas] * 3 and bool(status["observedGeneration"] == live["metadata"]["generation"])


def _is_ready(pod: JsonObject) -> bool:
    return any((each["type"], each["status"]) == ("Ready", "True") for each in pod["status"].get("conditions", []))
