"""A plain client of the API server: paths in, JSON out. It shares nothing with the bot's own client."""

import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeAlias

import aiohttp

JsonObject: TypeAlias = dict[str, Any]

MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"
SERVER_SIDE_APPLY = "application/apply-patch+yaml"


class ApiError(Exception):
    """An answer with an HTTP status of 400 or more."""

    def __init__(self, method: str, path: str, status: int, text: str) -> None:
        super().__init__(f"{method} {path}: {status} {text}")
        self.status = status
        self.text = text


@dataclass(frozen=True)
class Api:
    """One identity at one API server. Every call raises ApiError for a status of 400 or more."""

    session: aiohttp.ClientSession
    url: str
    token: str | None
    extra_headers: Mapping[str, str] = field(default_factory=dict)

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> JsonObject:
        return _object(await self.request("GET", path, params=params))

    async def post(self, path: str, body: JsonObject, params: Mapping[str, str] | None = None) -> JsonObject:
        return _object(await self.request("POST", path, body=body, params=params))

    async def put(self, path: str, body: JsonObject, params: Mapping[str, str] | None = None) -> JsonObject:
        return _object(await self.request("PUT", path, body=body, params=params))

    async def patch(
        self, path: str, body: JsonObject, params: Mapping[str, str] | None = None, content_type: str = MERGE_PATCH
    ) -> JsonObject:
        headers = {"Content-Type": content_type}
        return _object(await self.request("PATCH", path, body=body, params=params, headers=headers))

    async def delete(self, path: str, body: JsonObject | None = None) -> JsonObject:
        """The body may hold DeleteOptions."""
        return _object(await self.request("DELETE", path, body=body))

    async def text(self, path: str, params: Mapping[str, str] | None = None) -> str:
        """An answer that is not JSON, such as a container's log."""
        return await self.request("GET", path, params=params)

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: JsonObject | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> str:
        all_headers = {"Accept": "application/json", **self.extra_headers}
        if body is not None:
            all_headers["Content-Type"] = "application/json"
        if self.token is not None:
            all_headers["Authorization"] = f"Bearer {self.token}"
        all_headers |= headers or {}
        data = None if body is None else json.dumps(body).encode()
        request = self.session.request(method, self.url + path, data=data, params=params or {}, headers=all_headers)
        async with request as response:
            text = await response.text()
            if response.status >= HTTPStatus.BAD_REQUEST:
                raise ApiError(method, path, response.status, text)
            return text

    def as_bearer(self, token: str | None) -> "Api":
        """The same API server, asked with another token; None asks without one."""
        return replace(self, token=token)

    def as_node(self, node: str) -> "Api":
        """As the node's kubelet would ask; this identity must be allowed to impersonate it."""
        headers = {"Impersonate-User": f"system:node:{node}", "Impersonate-Group": "system:nodes"}
        return replace(self, extra_headers=headers)

    def at(self, url: str) -> "Api":
        """The same identity at another API server."""
        return replace(self, url=url)


@asynccontextmanager
async def connected(url: str, token: str, ca_file: Path) -> AsyncIterator[Api]:
    """A client that lives as long as the context."""
    connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=ca_file))
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        yield Api(session, url, token)


def _object(text: str) -> JsonObject:
    parsed = json.loads(text)
    if not isinstance(parsed, dict):
        raise TypeError(f"not a JSON object: {text[:200]}")
    return parsed
