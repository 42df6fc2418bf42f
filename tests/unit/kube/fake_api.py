"""An API server at HTTP level, for what a healthy one does not do: answers by path, in the order they were set."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer

Json = Mapping[str, object]
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]

NAMESPACE = "shop"
POD = "checkout-1"
RENEWED = datetime(2026, 11, 22, 13, 4, 57, 120_000, tzinfo=UTC)
UID = "11111111-1111-1111-1111-111111111111"
POD_PATH = f"/api/v1/namespaces/{NAMESPACE}/pods/{POD}"
LOG_PATH = f"{POD_PATH}/log"
NODE_LEASE_PATH = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/node-1"
IDENTITY_LEASES_PATH = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"
LEADER_PATH = f"{IDENTITY_LEASES_PATH}/kube-controller-manager"
ROOT_CA_PATH = f"/api/v1/namespaces/{NAMESPACE}/configmaps/kube-root-ca.crt"
DEFAULT_ACCOUNT_PATH = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/default"
CONTROL_PLANE_PATH = "/api/v1/namespaces/kube-system/pods"
ACCOUNT_PATH = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/checkout"


def says(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    async def answer(_: web.Request) -> web.Response:
        if isinstance(body, bytes):
            return web.Response(body=body, status=status, headers=headers)
        return web.Response(text=json.dumps(body), status=status, headers=headers, content_type="application/json")

    return answer


def refuses(code: int, message: str = "", reason: str = "", headers: Mapping[str, str] | None = None) -> Answer:
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "reason": reason}
    return says({**status, "code": code}, code, headers)


def forbids(verb: str, resource: str, group: str = "", namespace: str = NAMESPACE) -> Answer:
    where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    return refuses(
        403,
        f'{resource} is forbidden: User "bot" cannot {verb} resource "{resource}" in API group "{group}" {where}',
        "Forbidden",
    )


async def hangs(_: web.Request) -> web.Response:
    """Never answers; ends when the client goes away, or the server closes."""
    await asyncio.Event().wait()
    raise AssertionError


async def breaks_off(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


@dataclass
class FakeApi:
    """`answers` holds each path's answers; the last one is given again and again."""

    answers: dict[str, list[Answer]] = field(default_factory=dict)
    requests: list[web.Request] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    url: str = ""
    accepted: set[str] | None = None

    def on(self, path: str, *answers: Answer) -> None:
        self.answers[path] = list(answers)

    def asked(self, path: str) -> list[web.Request]:
        return [request for request in self.requests if request.path == path]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        self.bodies.append(await request.text())
        if self.accepted is not None and request.headers.get("Authorization") not in self.accepted:
            return await refuses(401, "Unauthorized", "Unauthorized")(request)
        waiting = self.answers.get(request.path)
        if not waiting:
            return await refuses(404, f"{request.path} not found", "NotFound")(request)
        answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return await answer(request)

    def kubeconfig(self, folder: Path, user: Json | None = None) -> Path:
        """A kubeconfig for it, written into the folder."""
        path = folder / "kubeconfig"
        config = {
            "current-context": "here",
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": "bot", "namespace": NAMESPACE}}],
            "clusters": [{"name": "here", "cluster": {"server": self.url}}],
            "users": [{"name": "bot", "user": user if user is not None else {"token": "a-token"}}],
        }
        path.write_text(json.dumps(config))
        return path


async def served(api: FakeApi) -> TestServer:
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", api.handle)
    server = TestServer(application)
    await server.start_server()
    api.url = str(server.make_url("")).rstrip("/")
    return server


def named(name: str, **metadata: object) -> dict[str, object]:
    return {"metadata": {"name": name, "namespace": NAMESPACE, "uid": f"uid-of-{name}", **metadata}}


def listed(*items: Json, following: str = "") -> dict[str, object]:
    return {"metadata": {"continue": following}, "items": list(items)}


def in_table(name: str, secret_type: str = "Opaque", keys: int = 0, **metadata: object) -> dict[str, object]:
    """A Secret's row, as the API server prints it with `includeObject=Metadata`."""
    return {
        "cells": [name, secret_type, keys, "3d"],
        "object": {"kind": "PartialObjectMetadata", **named(name, **metadata)},
    }


def table(*rows: Json, following: str = "") -> dict[str, object]:
    columns = [{"name": name, "type": "string"} for name in ("Name", "Type", "Data", "Age")]
    return {"kind": "Table", "metadata": {"continue": following}, "columnDefinitions": columns, "rows": list(rows)}


def secret(name: str, data: Mapping[str, str], secret_type: str = "Opaque", **metadata: object) -> Answer:
    """A Secret under its own path: its data only to whom asks for all of it; `data` is base64."""
    row = says(table(in_table(name, secret_type, len(data), **metadata)))
    whole = says({**named(name, **metadata), "type": secret_type, "data": data})

    async def answer(request: web.Request) -> web.StreamResponse:
        return await (row if "as=Table" in request.headers["Accept"] else whole)(request)

    return answer


def pod(*, status: Json | None = None, **spec: object) -> dict[str, object]:
    """A running pod with one container, `app`."""
    containers = [{"name": "app", "env": [{"name": "MODE", "value": "production"}]}]
    running = {"containerStatuses": [{"name": "app", "state": {"running": {"startedAt": "2026-11-22T13:00:00Z"}}}]}
    return {
        "metadata": {"name": POD, "namespace": NAMESPACE, "uid": UID},
        "spec": {"serviceAccountName": "checkout", "nodeName": "node-1", "containers": containers, **spec},
        "status": status or running,
    }


def component(name: str, *flags: str, suffix: str = "a", state: Json | None = None) -> dict[str, object]:
    """A static pod of the control plane, as kubeadm writes it."""
    status = {"name": name, "ready": True, "state": state or {"running": {"startedAt": "2026-11-20T13:00:00Z"}}}
    return {
        "metadata": {"name": f"{name}-{suffix}", "namespace": "kube-system", "labels": {"component": name}},
        "spec": {
            "nodeName": f"node-{suffix}",
            "containers": [{"name": name, "command": [name, "--service-account-private-key-file=/sa.key", *flags]}],
        },
        "status": {"phase": "Running", "containerStatuses": [status]},
    }


def lease(name: str, manager: str, at: datetime = RENEWED, **changes: object) -> dict[str, object]:
    """A Lease as its holder renews it, a few milliseconds before the API server writes it."""
    entry = {
        "manager": manager,
        "time": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "fieldsV1": {"f:spec": {"f:renewTime": {}, "f:holderIdentity": {}}},
    }
    spec = {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": f"{at:%Y-%m-%dT%H:%M:%S.%fZ}"}
    metadata = {"name": name, "resourceVersion": "1204", "managedFields": [entry]}
    return {"metadata": {**metadata, **changes}, "spec": spec}


def healthy(api: FakeApi, renewed: datetime = RENEWED) -> None:
    """Every answer that a check of POD takes, none of them worth a finding; its Leases were renewed at that time."""
    shop, kube_system = f"/api/v1/namespaces/{NAMESPACE}", "/api/v1/namespaces/kube-system"
    api.on("/version", says({"gitVersion": "v1.36.3"}))
    api.on("/.well-known/openid-configuration", says({"issuer": "https://issuer.test"}))
    api.on("/openid/v1/jwks", says({"keys": [{"kid": "key-1", "alg": "RS256"}]}))
    api.on(POD_PATH, says(pod()))
    api.on(LOG_PATH, says(b"2026-11-22T13:00:01.123456789Z started\n"))
    api.on(ACCOUNT_PATH, says(named("checkout")))
    api.on(shop, says({"metadata": {"name": NAMESPACE, "uid": "n"}}))
    api.on("/api/v1/nodes/node-1", says({"metadata": {"name": "node-1", "uid": "n1"}}))
    api.on(NODE_LEASE_PATH, says(lease("node-1", "kubelet", renewed)))
    api.on(IDENTITY_LEASES_PATH, says(listed(lease("apiserver-a", "kube-apiserver", renewed))))
    api.on(f"{shop}/events", says(listed()))
    api.on(f"{shop}/secrets", says(table()))
    api.on(f"{shop}/pods", says(listed(named(POD), named("checkout-2"))))
    api.on(f"{kube_system}/pods", says(listed(component("kube-apiserver"), component("kube-controller-manager"))))
    api.on(f"{kube_system}/pods/kube-apiserver-a/log", says(b""))
    api.on(f"{kube_system}/pods/kube-controller-manager-a/log", says(b""))
    api.on(LEADER_PATH, says(lease("kube-controller-manager", "kube-controller-manager", renewed)))
    api.on(ROOT_CA_PATH, says(named("kube-root-ca.crt")))
    api.on(DEFAULT_ACCOUNT_PATH, says(named("default")))
    api.on("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", says(listed()))
