"""Objects made to look as if they had stood there for hours, by moving their time stamps in etcd.

The API server lets nobody write a creationTimestamp; etcd does. The API server must store JSON.
"""

import base64
import datetime as dt
import json
import re
from dataclasses import dataclass
from typing import TypeAlias

from tests.cluster.api import Api, JsonObject
from tests.cluster.waiting import eventually

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
NOT_MOVED = {"spec", "data", "annotations", "labels"}
FOLDERS = {"nodes": "minions", "services": "services/specs", "endpoints": "services/endpoints"}


@dataclass(frozen=True)
class Etcd:
    """etcd's HTTP gateway at `url`, beside the API server that it serves."""

    url: str
    api: Api

    async def age(self, path: str, by: dt.timedelta) -> JsonObject:
        """Moves the object at an API path into the past: creation, managed fields, status; not the spec or data.

        Returns it as the API server then serves it, to lists from its cache too.
        """
        created = (await self.api.get(path))["metadata"]["creationTimestamp"]
        wanted = moved(created, by)
        while not await self._try(key(path), by):
            continue
        return await eventually(
            lambda: self.api.get(path, {"resourceVersion": "0"}),
            lambda found: found["metadata"]["creationTimestamp"] == wanted,
            f"{path} is served with its new age",
        )

    async def _try(self, name: str, by: dt.timedelta) -> bool:
        """Whether nobody else wrote the object meanwhile."""
        encoded = base64.b64encode(name.encode()).decode()
        found = await self._call("range", {"key": encoded})
        if "kvs" not in found:
            raise LookupError(f"etcd holds nothing at {name}")
        stored = found["kvs"][0]
        value = json.dumps(moved(json.loads(base64.b64decode(stored["value"])), by)).encode()
        unchanged = {"key": encoded, "target": "MOD", "result": "EQUAL", "modRevision": stored["mod_revision"]}
        put = {"requestPut": {"key": encoded, "value": base64.b64encode(value).decode()}}
        answer = await self._call("txn", {"compare": [unchanged], "success": [put]})
        return answer.get("succeeded", False) is True

    async def _call(self, name: str, body: JsonObject) -> JsonObject:
        async with self.api.session.post(f"{self.url}/v3/kv/{name}", json=body) as response:
            response.raise_for_status()
            answer: JsonObject = await response.json()
            return answer


def key(path: str) -> str:
    """The etcd key of an object of Kubernetes' own at its API path."""
    parts = path.strip("/").split("/")
    rest = parts[2:] if parts[0] == "api" else parts[3:]
    if rest[0] == "namespaces" and len(rest) == 4:
        _, namespace, resource, name = rest
        return f"/registry/{FOLDERS.get(resource, resource)}/{namespace}/{name}"
    resource, name = rest
    return f"/registry/{FOLDERS.get(resource, resource)}/{name}"


def moved(value: Json, by: dt.timedelta) -> Json:
    """Every time stamp earlier by that much, in the same notation."""
    if isinstance(value, dict):
        return {name: each if name in NOT_MOVED else moved(each, by) for name, each in value.items()}
    if isinstance(value, list):
        return [moved(each, by) for each in value]
    if isinstance(value, str) and (found := TIME.fullmatch(value)):
        earlier = dt.datetime.fromisoformat(value) - by
        return earlier.strftime("%Y-%m-%dT%H:%M:%S.%fZ" if found[1] else "%Y-%m-%dT%H:%M:%SZ")
    return value
