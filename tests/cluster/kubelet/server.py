"""A small kubelet for all nodes of a test's control plane: containers' logs, commands in containers, node leases."""

import asyncio
import datetime as dt
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from aiohttp import web

from tests.cluster.api import Api, ApiError, JsonObject
from tests.cluster.kubelet import execs, leases, logs
from tests.cluster.kubelet.mounts import Mounts
from tests.cluster.kubelet.state import Container, Request, State
from tests.cluster.layout import Layout

log = logging.getLogger(__name__)

STOPPED = "token-doctor.test/stopped"


@dataclass(frozen=True)
class Kubelet:
    """The handlers; what tests want of them is in the state's folder."""

    api: Api
    state: State
    mounts: Mounts

    async def container_logs(self, request: web.Request) -> web.StreamResponse:
        address = _address(request)
        if (failed := await self._fault(address, "logs")) is not None:
            return failed
        try:
            options = logs.LogOptions.parsed(request.query, dt.datetime.now(dt.UTC))
        except ValueError as error:
            return web.Response(status=422, text=f"Invalid request: {error}")
        pod = await self._pod(address)
        if pod is None or _container(pod, address.name) is None:
            missing = f'container "{address.name}" not found in pod "{address.pod}"'
            return web.Response(status=404, text=missing)
        try:
            logs.check_readable(pod, address.name, previous=options.previous)
        except logs.NoLogsError as error:
            return web.Response(status=400, text=str(error))
        text = logs.read(self.state.log(address, previous=options.previous), options)
        return web.Response(body=text, content_type="text/plain")

    async def exec(self, request: web.Request) -> web.StreamResponse:
        address = _address(request)
        if (failed := await self._fault(address, "exec")) is not None:
            return failed
        argv = request.query.getall("command", [])
        pod = await self._pod(address)
        container = None if pod is None else _container(pod, address.name)
        if pod is None or container is None:
            return web.Response(status=404, text="pod does not exist")
        running = (logs.container_status(pod, address.name) or {}).get("state", {}).get("running")
        if not running:
            return web.Response(status=500, text=f'container not found ("{address.name}")')
        if not web.WebSocketResponse(protocols=execs.PROTOCOLS).can_prepare(request):
            return web.Response(status=400, text="this kubelet speaks websocket only")
        result = await execs.outcome(self.state, self.mounts, pod, container, argv)
        return await execs.serve(request, argv, result)

    async def mount(self, namespace: str, pod: str) -> None:
        """Mints a pod's tokens, as at its start."""
        await self.mounts.mount(await self.api.get(f"/api/v1/namespaces/{namespace}/pods/{pod}"))

    async def renew_leases(self) -> None:
        """Renews the Lease of every node that is not stopped, for ever."""
        while True:
            try:
                nodes = await self.api.get("/api/v1/nodes", {"resourceVersion": "0"})
                for node in nodes["items"]:
                    if STOPPED in node["metadata"].get("annotations", {}):
                        continue
                    await leases.renew(self.api, self.state, node)
            except (ApiError, aiohttp.ClientError, TimeoutError) as error:
                log.warning("node leases not renewed: %s", error)
            await asyncio.sleep(leases.RENEW_SECONDS)

    async def _fault(self, address: Container, request: Request) -> web.Response | None:
        fault = self.state.fault(address.namespace, address.pod, request)
        await asyncio.sleep(fault.delay_seconds)
        return None if fault.status is None else web.Response(status=fault.status, text=fault.text)

    async def _pod(self, address: Container) -> JsonObject | None:
        try:
            return await self.api.get(f"/api/v1/namespaces/{address.namespace}/pods/{address.pod}")
        except ApiError as error:
            if error.status == 404:
                return None
            raise


@asynccontextmanager
async def serving(kubelet: Kubelet, layout: Layout) -> AsyncIterator[int]:
    """The kubelet's port on 127.0.0.1; only clients with a certificate of the cluster's authority are let in."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=layout.authority.certificate)
    context.load_cert_chain(layout.kubelet_serving.certificate, layout.kubelet_serving.key)
    context.verify_mode = ssl.CERT_REQUIRED
    app = web.Application()
    app.router.add_get("/containerLogs/{namespace}/{pod}/{container}", kubelet.container_logs)
    app.router.add_get("/exec/{namespace}/{pod}/{container}", kubelet.exec)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def _address(request: web.Request) -> Container:
    path = request.match_info
    return Container(path["namespace"], path["pod"], path["container"])


def _container(pod: JsonObject, name: str) -> JsonObject | None:
    spec = pod["spec"]
    for kind in ("containers", "initContainers", "ephemeralContainers"):
        for each in spec.get(kind, []):
            found: JsonObject = each
            if found["name"] == name:
                return found
    return None
