"""What was really done to the cluster: every change of the namespace's objects, counted as it happens."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import aiohttp

from bot.objects import REQUEST, RESTARTED_AT
from tests.cluster.api import Api, JsonObject
from tests.cluster.waiting import eventually

_FOREVER = aiohttp.ClientTimeout(total=None)
_POD = "pods"


@dataclass
class Effects:
    """`restarts` and `secrets` by the request's id on the object, `deleted` pods by their uid."""

    api: Api
    namespace: str
    restarts: Counter[str] = field(default_factory=Counter)
    secrets: Counter[str] = field(default_factory=Counter)
    deleted: dict[str, str] = field(default_factory=dict)
    _templates: dict[str, tuple[str, str]] = field(default_factory=dict)
    _seen: dict[str, int] = field(default_factory=dict)

    async def caught_up(self) -> None:
        """Returns when everything that has happened so far is counted."""
        for path in (self._deployments, self._secrets, self._pods):
            for found in (await self.api.get(path))["items"]:
                await eventually(partial(self._has_seen, found["metadata"]), bool, f"the watch has seen {path}")

    async def _has_seen(self, metadata: JsonObject) -> bool:
        return self._seen.get(metadata["uid"], 0) >= int(metadata["resourceVersion"])

    @property
    def _deployments(self) -> str:
        return f"/apis/apps/v1/namespaces/{self.namespace}/deployments"

    @property
    def _secrets(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/secrets"

    @property
    def _pods(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/{_POD}"

    def _deployment(self, _: str, found: JsonObject) -> None:
        """Each time the template gets another pair of annotations is a restart."""
        annotations = found["spec"]["template"]["metadata"].get("annotations") or {}
        pair = (annotations.get(REQUEST, ""), annotations.get(RESTARTED_AT, ""))
        if pair != self._templates.get(found["metadata"]["uid"], ("", "")):
            self.restarts[pair[0]] += 1
        self._templates[found["metadata"]["uid"]] = pair

    def _secret(self, kind: str, found: JsonObject) -> None:
        request = (found["metadata"].get("annotations") or {}).get(REQUEST)
        if request and kind == "ADDED":
            self.secrets[request] += 1

    def _pod(self, kind: str, found: JsonObject) -> None:
        if kind == "DELETED":
            self.deleted[found["metadata"]["uid"]] = found["metadata"]["labels"]["app"]

    async def watch(self) -> None:
        """Begins with what is there now, and never ends."""
        counted = {self._deployments: self._deployment, self._secrets: self._secret, self._pods: self._pod}
        await asyncio.gather(*(self._follow(path, count) for path, count in counted.items()))

    async def _follow(self, path: str, count: Callable[[str, JsonObject], None]) -> None:
        version = "0"
        while True:
            url, query = f"{self.api.url}{path}", {"watch": "true", "resourceVersion": version}
            headers = {"Authorization": f"Bearer {self.api.token}"}
            request = self.api.session.get(url, params=query, headers=headers, timeout=_FOREVER, read_bufsize=2**20)
            async with request as answer:
                answer.raise_for_status()
                async for line in answer.content:
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        raise RuntimeError(f"The watch of {path} was lost: {event['object']}")
                    metadata = event["object"]["metadata"]
                    version = metadata["resourceVersion"]
                    self._seen[metadata["uid"]] = int(version)
                    count(event["type"], event["object"])


@asynccontextmanager
async def counted(api: Api, namespace: str) -> AsyncIterator[Effects]:
    """Counts from the first moment of a fresh namespace on."""
    effects = Effects(api, namespace)
    watching = asyncio.create_task(effects.watch())
    try:
        yield effects
    finally:
        watching.cancel()
        for outcome in await asyncio.gather(watching, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome
