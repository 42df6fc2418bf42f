"""The same HTTP requests as a check sends, bare: nothing is decoded, nothing is thought about.

It is the floor that a check is measured against. What waits for what is as in the check: a request begins when the
answer that names its object is there. The names themselves are known beforehand, so that no body need be looked at.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

import aiohttp

from benchmarks.target import Target
from tests.cluster.api import JsonObject
from tests.cluster.plane import Plane
from tests.cluster.workloads import path_of

JSON = "application/json"
METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
ANY = "*/*"
LEASES = "/apis/coordination.k8s.io/v1/namespaces"
IDENTITY = "apiserver.kubernetes.io/identity=kube-apiserver"
A_PAGE = {"limit": "500"}
IN_A_TABLE = {"includeObject": "Metadata"}
LOG = {"timestamps": "true", "tailLines": "2000", "limitBytes": str(32 * 1024 * 1024)}


@dataclass(frozen=True)
class Known:
    """The paths and names that the check finds out on its way."""

    pod: str
    uid: str
    account: str
    node: str
    containers: tuple[str, ...]
    owners: tuple[str, ...]
    secrets: tuple[str, ...]
    api_servers: tuple[str, ...]
    controller_managers: tuple[str, ...]

    @property
    def namespace(self) -> str:
        return self.pod.partition("/pods/")[0]


@dataclass(frozen=True)
class Bare:
    """One identity at one API server, over connections that stay open."""

    session: aiohttp.ClientSession
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)

    async def check(self, known: Known) -> None:
        """Everything that a check of this pod asks."""
        await self._get(known.pod, accept=METADATA)
        kube_system, core = "/api/v1/namespaces/kube-system", "/apis/discovery.k8s.io/v1/namespaces/default"
        token_secrets = {"fieldSelector": "type=kubernetes.io/service-account-token", **IN_A_TABLE, **A_PAGE}
        servers = {"labelSelector": "kubernetes.io/service-name=kubernetes", **A_PAGE}
        await asyncio.gather(
            self._get(f"{known.namespace}/secrets", token_secrets, TABLE),
            self._of_pod(known),
            self._get(known.namespace, accept=METADATA),
            self._control_plane_logs(known, kube_system),
            self._get(f"{LEASES}/kube-system/leases/kube-controller-manager", missing=True),
            self._get(f"{known.namespace}/serviceaccounts/default", accept=METADATA),
            self._get(f"{known.namespace}/configmaps/kube-root-ca.crt", accept=METADATA),
            self._get("/version"),
            self._get(f"{LEASES}/kube-system/leases", {"labelSelector": IDENTITY, "limit": "50"}),
            self._get("/.well-known/openid-configuration"),
            self._get("/openid/v1/jwks", accept=ANY),
            self._get(f"{core}/endpointslices", servers),
        )

    async def _of_pod(self, known: Known) -> None:
        await self._get(known.pod)
        about_pod = f"involvedObject.uid={known.uid}"
        about_account = f"involvedObject.kind=ServiceAccount,involvedObject.name={known.account}"
        peers = {"fieldSelector": f"spec.serviceAccountName={known.account}", **A_PAGE}
        await asyncio.gather(
            self._owners(known),
            *(self._get(f"{known.namespace}/secrets/{name}", IN_A_TABLE, TABLE) for name in known.secrets),
            self._get(f"/api/v1/nodes/{known.node}"),
            self._get(f"{LEASES}/kube-node-lease/leases/{known.node}"),
            self._get(f"{known.namespace}/events", {"fieldSelector": about_pod, **A_PAGE}),
            self._get(f"{known.namespace}/events", {"fieldSelector": about_account, **A_PAGE}),
            self._get(f"{known.namespace}/serviceaccounts/{known.account}"),
            self._get(f"{known.namespace}/pods", peers, METADATA_LIST),
            *(self._get(f"{known.pod}/log", {**LOG, "container": name}, ANY) for name in known.containers),
        )

    async def _owners(self, known: Known) -> None:
        for path in known.owners:
            await self._get(path, accept=METADATA)

    async def _control_plane_logs(self, known: Known, kube_system: str) -> None:
        programs = {"labelSelector": "component in (kube-apiserver,kube-controller-manager)", "limit": "40"}
        await self._get(f"{kube_system}/pods", programs)
        logs = [(name, LOG) for name in known.api_servers]
        logs += [(name, {**LOG, "tailLines": "500"}) for name in known.controller_managers]
        await asyncio.gather(*(self._get(f"{kube_system}/pods/{name}/log", query, ANY) for name, query in logs))

    async def _get(
        self, path: str, query: Mapping[str, str] | None = None, accept: str = JSON, *, missing: bool = False
    ) -> None:
        headers = {**self.headers, "Accept": accept}
        async with self.session.get(self.url + path, params=query or {}, headers=headers) as response:
            if not (missing and response.status == HTTPStatus.NOT_FOUND):
                response.raise_for_status()
            async for _ in response.content.iter_any():
                pass


async def find_out(plane: Plane, target: Target) -> Known:
    """Asked once, before anything is timed."""
    root = f"/api/v1/namespaces/{target.namespace}"
    pod = await plane.api.get(f"{root}/pods/{target.pod}")
    programs = await plane.api.get("/api/v1/namespaces/kube-system/pods", {"labelSelector": "component"})

    def running(component: str) -> tuple[str, ...]:
        found = [each["metadata"] for each in programs["items"]]
        return tuple(each["name"] for each in found if each["labels"]["component"] == component)

    return Known(
        pod=f"{root}/pods/{target.pod}",
        uid=pod["metadata"]["uid"],
        account=target.account,
        node=pod["spec"]["nodeName"],
        containers=tuple(each["name"] for each in pod["spec"]["containers"]),
        owners=await _owners(plane, pod),
        secrets=tuple(each["secret"]["secretName"] for each in pod["spec"]["volumes"] if "secret" in each),
        api_servers=running("kube-apiserver"),
        controller_managers=running("kube-controller-manager"),
    )


async def _owners(plane: Plane, found: JsonObject) -> tuple[str, ...]:
    for each in found["metadata"].get("ownerReferences", []):
        place = {"name": each["name"], "namespace": found["metadata"]["namespace"]}
        path = path_of({"apiVersion": each["apiVersion"], "kind": each["kind"], "metadata": place})
        return (path, *await _owners(plane, await plane.api.get(path)))
    return ()
