"""The API server holds token-doctor's account to the admission policy, whatever its rights are."""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from tests.cluster.api import Api, ApiError, JsonObject
from tests.cluster.attempts import (
    ALLOWED,
    INVALID_SINCE,
    PROBE,
    REFUSED,
    REQUEST,
    RESTART,
    TOKEN_TYPE,
    UNMARK,
    Attempt,
    merged,
)
from tests.cluster.installed import DRY_RUN, PROBES, install, unbounded
from tests.cluster.plane import Plane
from tests.cluster.waiting import eventually
from tests.cluster.workloads import collection

MUCH, MOST = 800_000, 2**20
DENIED = "ValidatingAdmissionPolicy 'token-doctor' with binding 'token-doctor' denied request: "


@dataclass(frozen=True)
class Stage:
    """`places` are what stands for the names in braces."""

    plane: Plane
    bot: Api
    places: dict[str, str]

    def filled(self, value: object) -> object:
        if isinstance(value, str):
            for name, place in self.places.items():
                value = value.replace(f"{{{name}}}", place)
        if isinstance(value, dict):
            return {key: self.filled(each) for key, each in value.items()}
        return [self.filled(each) for each in value] if isinstance(value, list) else value

    async def answer(self, attempt: Attempt, somebody: Api | None = None) -> str:
        """What the API server says against it, "" where it does it."""
        who = somebody or self.bot
        if attempt.path.endswith("/left"):  # a probe of another test may have swept it away by now
            await other(self.plane, "left", **{PROBE: "controller"})
        body = self.filled(attempt.body)
        assert body is None or isinstance(body, dict)
        params = DRY_RUN if attempt.dry_run and attempt.method != "DELETE" and "/exec" not in attempt.path else None
        headers = {"Content-Type": "application/merge-patch+json"} if attempt.method == "PATCH" else None
        try:
            await who.request(attempt.method, str(self.filled(attempt.path)), body=body, params=params, headers=headers)
        except ApiError as error:
            return error.text
        return ""


def workload(kind: str, name: str, containers: int, *, variables: int = 30) -> JsonObject:
    """Of realistic size: each container with its variables, mounts, limits and probes."""
    settings = [{"name": f"SETTING_{number}", "value": f"value-{number}" * 4} for number in range(variables)]
    many = [
        {
            "name": f"c{number}",
            "image": "shop/checkout:1.4",
            "env": settings,
            "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "10m", "memory": "64Mi"}},
            "volumeMounts": [{"name": f"v{each}", "mountPath": f"/mnt/{each}"} for each in range(10)],
            "livenessProbe": {"httpGet": {"path": "/healthz", "port": 8080 + number}},
        }
        for number in range(containers)
    ]
    labels = {"app": name}
    meta = {"labels": labels, "annotations": {"team": "shop", REQUEST: "r-1"}}
    volumes = [{"name": f"v{each}", "emptyDir": {}} for each in range(10)]
    spec: JsonObject = {
        "selector": {"matchLabels": labels},
        "template": {"metadata": meta, "spec": {"containers": many, "volumes": volumes}},
        **({"serviceName": name} if kind == "StatefulSet" else {}),
        **({} if kind == "DaemonSet" else {"replicas": 1 if kind == "Deployment" else 0}),
    }
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name, "labels": labels}, "spec": spec}


def secret(name: str, kind: str, **labels: str) -> JsonObject:
    meta = {"name": name, "labels": labels, "annotations": {"kubernetes.io/service-account.name": "checkout"}}
    return {"apiVersion": "v1", "kind": "Secret", "type": kind, "metadata": meta}


async def put(plane: Plane, namespace: str, manifest: JsonObject) -> JsonObject:
    """Made by the administrator; it may be there already."""
    placed = merged({"apiVersion": "v1", "kind": "ServiceAccount"}, manifest)
    placed["metadata"]["namespace"] = namespace
    try:
        return await plane.workloads.create(placed)
    except ApiError as error:
        if error.status != 409:
            raise
    return await plane.api.get(f"{collection(placed)}/{placed['metadata']['name']}")


async def other(plane: Plane, name: str, **labels: str) -> JsonObject:
    """An account in the namespace for probes, and its token Secret."""
    await put(plane, PROBES, {"metadata": {"name": name, "labels": labels}})
    of_it: JsonObject = {"metadata": {"annotations": {"kubernetes.io/service-account.name": name}}}
    return await put(plane, PROBES, merged(secret(name, TOKEN_TYPE, **labels), of_it))


async def staged(plane: Plane) -> Stage:
    shop = await plane.create_namespace()
    made = partial(put, plane, shop)
    await made({"metadata": {"name": "checkout"}})
    deployment = await made(workload("Deployment", "web", 20))
    await made(workload("StatefulSet", "db", 1))
    await made(workload("DaemonSet", "agent", 1))
    marked = await made(secret("marked", TOKEN_TYPE, **{INVALID_SINCE: "2026-10-01"}))
    opaque = await made(secret("opaque", "Opaque"))
    await made(secret("marked-opaque", "Opaque", **{INVALID_SINCE: "2026-10-01"}))
    stays = await other(plane, "stays")
    (pod,) = await eventually(lambda: plane.workloads.pods_of(deployment), lambda found: len(found) == 1, "a pod")
    root, apps = f"/api/v1/namespaces/{shop}", f"/apis/apps/v1/namespaces/{shop}"
    places = {
        "shop": shop,
        "deployment": f"{apps}/deployments/web",
        "statefulset": f"{apps}/statefulsets/db",
        "daemonset": f"{apps}/daemonsets/agent",
        "marked": f"{root}/secrets/marked",
        "marked_opaque": f"{root}/secrets/marked-opaque",
        "opaque": f"{root}/secrets/opaque",
        "marked_uid": marked["metadata"]["uid"],
        "opaque_uid": opaque["metadata"]["uid"],
        "stays_uid": stays["metadata"]["uid"],
        "pod": f"{root}/pods/{pod['metadata']['name']}",
        "pod_name": pod["metadata"]["name"],
        "pod_uid": pod["metadata"]["uid"],
    }
    return Stage(plane, unbounded(plane), places)


@pytest.fixture(scope="module")
async def stage(plane: Plane, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    await install(plane, tmp_path_factory.mktemp("install"))
    found = await staged(plane)
    yield found
    await plane.api.delete(f"/api/v1/namespaces/{found.places['shop']}")


@pytest.mark.parametrize("attempt", ALLOWED, ids=str)
async def test_what_the_actions_do_is_let_through(attempt: Attempt, stage: Stage) -> None:
    assert not await stage.answer(attempt)


@pytest.mark.parametrize("attempt", REFUSED, ids=str)
async def test_anything_else_is_refused(attempt: Attempt, stage: Stage) -> None:
    answer = await stage.answer(attempt)
    assert DENIED in answer
    assert attempt.says in answer


async def test_nobody_else_is_held_to_it(stage: Stage) -> None:
    """The administrator, and an account of the same name in another namespace."""
    account = f"system:serviceaccount:{stage.places['shop']}:token-doctor"
    namesake = replace(stage.bot, extra_headers={**stage.bot.extra_headers, "Impersonate-User": account})
    for attempt in REFUSED:
        for somebody in (stage.plane.api, namesake):
            assert "token-doctor'" not in await stage.answer(replace(attempt, dry_run=True), somebody), attempt


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
async def test_the_largest_workload_is_not_too_dear_to_judge(kind: str, stage: Stage) -> None:
    """Nearly what etcd holds: the API server gives a policy a budget of steps, and refuses where it is spent."""
    nowhere: JsonObject = {"spec": {"template": {"spec": {"nodeSelector": {"nowhere": "true"}}}}}
    huge = merged(workload(kind, f"huge-{kind.lower()}", 20, variables=580), nowhere)
    assert MUCH < len(json.dumps(huge)) < MOST
    await put(stage.plane, stage.places["shop"], huge)
    path = f"/apis/apps/v1/namespaces/{stage.places['shop']}/{kind.lower()}s/{huge['metadata']['name']}"
    assert not await stage.answer(Attempt("restart it", "PATCH", path, RESTART))


async def test_the_largest_secret_is_not_too_dear_to_judge(stage: Stage) -> None:
    huge = secret("huge", TOKEN_TYPE, **{INVALID_SINCE: "2026-10-01"})
    data = {f"key-{number}": base64.b64encode(b"x" * 900).decode() for number in range(700)}
    assert MUCH < len(json.dumps(data)) < MOST
    await put(stage.plane, stage.places["shop"], {**huge, "data": data})
    path = f"/api/v1/namespaces/{stage.places['shop']}/secrets/huge"
    assert not await stage.answer(Attempt("reactivate it", "PATCH", path, UNMARK))


async def test_kubernetes_1_30_holds_it_to_the_same(old_plane: Plane, tmp_path: Path) -> None:
    await install(old_plane, tmp_path)
    old = await staged(old_plane)
    for attempt in ALLOWED:
        assert not await old.answer(attempt), attempt
    for attempt in REFUSED:
        answer = await old.answer(attempt)
        assert DENIED in answer, attempt
        assert attempt.says in answer, attempt
