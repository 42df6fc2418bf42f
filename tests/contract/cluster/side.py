"""The two clusters that are held against each other, behind the same few moves."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import aiohttp

from tests.cluster.api import Api, ApiError, JsonObject
from tests.cluster.tokens import Tokens
from tests.cluster.waiting import eventually
from tests.cluster.workloads import path_of

CORE = "/api/v1"
APPS = "/apis/apps/v1"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
REVIEW = "/apis/authorization.k8s.io/v1"
V5, V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"
CONTAINER: JsonObject = {"name": "app", "image": "shop/checkout:1.4"}
TOKEN_SECRET = "kubernetes.io/service-account-token"
ACCOUNT_NAME = "kubernetes.io/service-account.name"

Lines = Sequence[tuple[datetime, str]]


@dataclass(frozen=True)
class Refusal:
    """What an API server has refused with: its Status."""

    code: int
    reason: str
    message: str
    details: JsonObject

    @classmethod
    def of(cls, error: ApiError) -> "Refusal":
        status = json.loads(error.text)
        assert status["kind"] == "Status"
        assert status["status"] == "Failure"
        assert status["code"] == error.status
        return cls(error.status, status.get("reason", ""), status["message"], status.get("details", {}))


async def refused(call: Awaitable[object]) -> Refusal:
    try:
        answer = await call
    except ApiError as error:
        return Refusal.of(error)
    raise AssertionError(f"it was done: {answer}")


@dataclass(frozen=True)
class Side:
    """An administrator of one of the clusters, in a namespace of the test's own."""

    api: Api
    tokens: Tokens
    namespace: str
    kubeconfig: Path
    """An administrator's."""
    write_log: Callable[[JsonObject, Lines], None]
    mount: Callable[[JsonObject], Awaitable[None]]

    @property
    def root(self) -> str:
        return f"{CORE}/namespaces/{self.namespace}"

    @property
    def apps(self) -> str:
        return f"{APPS}/namespaces/{self.namespace}"

    async def secret(self, name: str, data: Mapping[str, str] | None = None, **more: object) -> JsonObject:
        body = {"metadata": {"name": name}, "stringData": dict(data or {}), **more}
        return await self.api.post(f"{self.root}/secrets", body)

    async def account(self, name: str) -> JsonObject:
        return await self.api.post(f"{self.root}/serviceaccounts", {"metadata": {"name": name}})

    async def token_secret(self, name: str, account: str = "default") -> JsonObject:
        """Filled."""
        body = {"metadata": {"name": name, "annotations": {ACCOUNT_NAME: account}}, "type": TOKEN_SECRET}
        made = await self.api.post(f"{self.root}/secrets", body)
        path = f"{self.root}/secrets/{name}"
        filled = await eventually(
            lambda: self.api.get(path), lambda found: "token" in found.get("data", {}), "the Secret is filled"
        )
        return {**made, **filled}

    async def pod(self, name: str = "app", **spec: object) -> JsonObject:
        """It runs."""
        body = {"metadata": {"name": name}, "spec": {"containers": [CONTAINER], **spec}}
        await self.api.post(f"{self.root}/pods", body)
        path = f"{self.root}/pods/{name}"
        live = await eventually(lambda: self.api.get(path), is_ready, f"pod {name} runs")
        pod = {"apiVersion": "v1", "kind": "Pod", **live}
        await self.mount(pod)
        return pod

    async def gone(self, found: JsonObject) -> None:
        """Returns once a controller has deleted it."""

        async def there() -> bool:
            try:
                live = await self.api.get(path_of(found))
            except ApiError as error:
                assert error.status == 404  # noqa: PT017  # anything else is no answer to the question
                return False
            return bool(live["metadata"]["uid"] == found["metadata"]["uid"])

        await eventually(there, lambda is_there: not is_there, f"{path_of(found)} is gone")

    async def somebody(self, name: str, rules: Sequence[JsonObject]) -> Api:
        """A service account with these rights in the namespace."""
        await self.account(name)
        role = {"metadata": {"name": name}, "rules": list(rules)}
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}
        subject = {"kind": "ServiceAccount", "name": name, "namespace": self.namespace}
        binding = {"metadata": {"name": name}, "roleRef": reference, "subjects": [subject]}
        await self.api.post(f"{RBAC}/namespaces/{self.namespace}/roles", role)
        await self.api.post(f"{RBAC}/namespaces/{self.namespace}/rolebindings", binding)
        for rule in rules:
            await self._known(name, rule)
        return self.api.as_bearer(await self.tokens.mint(self.namespace, name))

    async def _known(self, name: str, rule: JsonObject) -> None:
        """The real authoriser hears of a new role a moment later."""
        resource, _, subresource = rule["resources"][0].partition("/")
        asked = {
            "verb": rule["verbs"][0],
            "group": rule["apiGroups"][0],
            "resource": resource,
            "subresource": subresource,
        }
        place = {"namespace": self.namespace, "name": rule.get("resourceNames", [""])[0]}
        user = f"system:serviceaccount:{self.namespace}:{name}"
        spec = {"user": user, "resourceAttributes": {**asked, **place}}
        await eventually(lambda: self.allowed(spec), bool, f"{name} has the right {rule}")

    async def allowed(self, spec: JsonObject) -> bool:
        return bool((await self.api.post(f"{REVIEW}/subjectaccessreviews", {"spec": spec}))["status"]["allowed"])

    async def exec(
        self, pod: str, *command: str, protocol: str = "v5.channel.k8s.io"
    ) -> tuple[bytes, bytes, JsonObject]:
        """Standard output, standard error, and the Status at the end."""
        query = [("container", "app"), ("stdout", "true"), ("stderr", "true"), *(("command", each) for each in command)]
        channels: dict[int, bytes] = {1: b"", 2: b"", 3: b""}
        headers = {"Authorization": f"Bearer {self.api.token}"}
        url = f"{self.api.url}{self.root}/pods/{pod}/exec"
        async with (
            asyncio.timeout(20),
            self.api.session.ws_connect(url, params=query, headers=headers, protocols=[protocol]) as socket,
        ):
            assert socket.protocol == protocol
            async for message in socket:
                assert message.type is aiohttp.WSMsgType.BINARY
                channels[message.data[0]] += message.data[1:]
        return channels[1], channels[2], json.loads(channels[3])


def is_ready(pod: JsonObject) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
