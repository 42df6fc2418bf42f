"""The API server at wire level: who asks, whether they may, and the answer's form."""

import asyncio
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from aiohttp import web

from demo.cluster import discovery, executing, failures, logs, metrics, printing
from demo.cluster import resources as r
from demo.cluster.authentication import ANONYMOUS, RefusedError, User
from demo.cluster.authorization import Attributes
from demo.cluster.component_log import ComponentLog
from demo.cluster.failures import StatusError
from demo.cluster.faults import Faults
from demo.cluster.logs import Logs
from demo.cluster.mounts import Mounts
from demo.cluster.objects import JsonObject
from demo.cluster.requests import RequestInfo, parse
from demo.cluster.resource_api import Asked, ResourceApi
from demo.cluster.watching import Watch

_LONGEST_WATCH = 1800.0
_JSON = "application/json"
_NOTHING = "404 page not found\n"
_FORMS = (
    "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, "
    "application/vnd.kubernetes.protobuf, application/json;stream=watch, "
    "application/vnd.kubernetes.protobuf;stream=watch"
)


@dataclass
class HttpApi:
    """`url` is known once the server listens."""

    api: ResourceApi
    logs: Logs
    mounts: Mounts
    log: ComponentLog
    faults: Faults
    started: datetime
    url: str = ""

    def routes(self) -> list[web.RouteDef]:
        return [web.route("*", "/{path:.*}", self.handle)]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        info = parse(request.method, request.raw_path.partition("?")[0], request.query)
        try:
            await self._meet_faults(request, info)
            user = self._user(request)
            self.api.authorizer.check(user, info.attributes)
            response = await self._answer(request, info, user)
        except StatusError as error:
            response = self._refused(error)
        return response

    async def _meet_faults(self, request: web.Request, info: RequestInfo) -> None:
        for fault in self.faults.take(info):
            match fault.kind:
                case "latency":
                    await asyncio.sleep(fault.seconds)
                case "too-many":
                    raise failures.too_many_requests(max(1, int(fault.seconds)))
                case "expired":
                    raise failures.expired("The provided continue parameter is too old to display a consistent list.")
                case "internal":
                    raise failures.internal("etcdserver: request timed out")
                case "reset":
                    if request.transport is not None:
                        request.transport.abort()
                    raise asyncio.CancelledError

    def _user(self, request: web.Request) -> User:
        """Raises StatusError (401); the log says why."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return ANONYMOUS
        try:
            user = self.api.authenticator.judge(token.strip()).user
        except RefusedError as error:
            self.log.refused(str(error))
            raise failures.unauthorized() from None
        if "system:authenticated" in user.groups:
            return user
        return User(user.name, (*user.groups, "system:authenticated"), user.uid, user.extra)

    async def _answer(self, request: web.Request, info: RequestInfo, user: User) -> web.StreamResponse:
        if info.attributes.path:
            return self._plain(info.path, request.headers.get("Accept", "*/*"))
        if info.resource is None:
            if any(each.group == info.attributes.group for each in r.STORED):
                raise failures.no_such_path()
            return self._text(_NOTHING, 404)
        form = printing.form_of(request.headers.get("Accept", ""))
        if info.resource is r.PODS and info.subresource == "log":
            return self._log(info, request.query)
        if info.resource is r.PODS and info.subresource == "exec":
            return await self._exec(request, info, user)
        if form is None:
            raise StatusError(406, "NotAcceptable", _FORMS, {})
        asked = Asked(
            info=info,
            query=request.query,
            user=user,
            agent=request.headers.get("User-Agent", ""),
            form=form,
            content_type=request.content_type,
            body=await request.read(),
        )
        if info.verb == "watch":
            return await self._watch(request, asked)
        status, body = self.api.answer(asked)
        return self._json(status, body)

    def _plain(self, path: str, accept: str) -> web.Response:
        if path in {"/healthz", "/readyz", "/livez"}:
            return self._text("ok")
        if path == "/metrics":
            return self._text(metrics.text(self.api.authenticator.counts, self.started))
        if path == discovery.KEYS and not any(each in accept for each in ("*/*", "application/*", discovery.KEY_SET)):
            told = f"406: Not Acceptable\n\nAvailable representations: {discovery.KEY_SET}"
            raise StatusError(406, "NotAcceptable", told, {})
        found = discovery.answer(path, self.url, self.api.authenticator.keys)
        if found is None:
            return self._text(_NOTHING, 404)
        return self._json(200, found, content_type=discovery.KEY_SET if path == discovery.KEYS else _JSON)

    def _log(self, info: RequestInfo, query: Mapping[str, str]) -> web.Response:
        pod = self.api.registry.get(r.PODS, info.namespace, info.name)
        text = logs.answer(self.logs, pod, query, self.api.registry.clock.now())
        return web.Response(body=text, content_type="text/plain", headers=self._headers())

    async def _exec(self, request: web.Request, info: RequestInfo, user: User) -> web.StreamResponse:
        """From 1.35 on the right to `create` is asked for as well; its refusal gives no reason."""
        told = info.attributes
        create = Attributes(
            verb="create", resource="pods", subresource="exec", namespace=told.namespace, name=told.name
        )
        if request.method == "GET" and not self.api.authorizer.verdict(user, create).allowed:
            raise failures.forbidden("pods", "", info.name, "")
        pod = self.api.registry.get(r.PODS, info.namespace, info.name)
        return await executing.serve(request, self.mounts, pod, self.api.registry.clock.now())

    async def _watch(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        watch = Watch(self.api.registry.store, asked.resource, asked.info.namespace, self.api.wanted(asked))
        response = web.StreamResponse(headers={**self._headers(), "Content-Type": "application/json"})
        await response.prepare(request)
        seconds = float(asked.query.get("timeoutSeconds") or _LONGEST_WATCH)
        marked = asked.query.get("sendInitialEvents") == "true"
        events = watch.events(asked.query.get("resourceVersion", ""), marked=marked)
        try:
            async with asyncio.timeout(seconds):
                async for event in events:
                    shown = self._shown(asked, event)
                    await response.write(json.dumps(shown, separators=(",", ":")).encode() + b"\n")
                    if event["type"] == "ERROR":
                        break
        except TimeoutError:
            pass  # a watch ends after a while, and the client begins another one
        finally:
            await events.aclose()
        await response.write_eof()
        return response

    def _shown(self, asked: Asked, event: JsonObject) -> JsonObject:
        if event["type"] in {"ERROR", "BOOKMARK"} or asked.form == "object":
            return event
        style = printing.Style(self.api.registry.clock.now(), asked.query.get("includeObject", ""))
        return {**event, "object": printing.single(asked.form, asked.resource, event["object"], style)}

    def _refused(self, error: StatusError) -> web.Response:
        extra = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
        return self._json(error.code, error.body, extra)

    def _json(
        self, status: int, body: JsonObject, extra: Mapping[str, str] | None = None, *, content_type: str = _JSON
    ) -> web.Response:
        text = json.dumps(body, separators=(",", ":")).encode()
        headers = {**self._headers(), **(extra or {})}
        return web.Response(status=status, body=text, content_type=content_type, headers=headers)

    def _text(self, text: str, status: int = 200) -> web.Response:
        return web.Response(status=status, text=text, headers=self._headers())

    def _headers(self) -> dict[str, str]:
        """`Date` is by the cluster's clock, not by the machine's."""
        date = format_datetime(self.api.registry.clock.now().replace(microsecond=0), usegmt=True)
        return {"Audit-Id": str(uuid.uuid4()), "Cache-Control": "no-cache, private", "Date": date}
