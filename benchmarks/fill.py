"""Fills a control plane: a few real objects, copied in etcd until there are as many as in a large cluster.

The API server needs minutes for 75 000 creations, etcd seconds for the same bytes. What is copied was made by the
real controllers (a Deployment with its pods, service accounts with their token Secrets), so that the copies are as
large as real ones, managed fields and all, and the controllers find nothing to mend about them.
"""

import asyncio
import base64
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from operator import eq

from benchmarks import shop
from benchmarks.stored_secrets import OF_A_HOLDER, OF_A_TEAM, OPAQUE, TOKEN_SECRET, held, is_held, others
from tests.cluster.api import Api, JsonObject
from tests.cluster.commands import Component
from tests.cluster.plane import Plane
from tests.cluster.waiting import eventually

OF_A_TRANSACTION = 100
BYTES_OF_A_TRANSACTION = 768 * 1024
"""etcd takes 128 operations and 1.5 MiB at once, of which base64 takes a quarter."""

BYTES_OF_A_SECRET = 70_000
"""In the memory of the API server and of etcd, with a fifth of a pod: 14 GB were measured for 200,000."""

AT_ONCE = 4
KINDS = ("pods", "secrets", "serviceaccounts", "deployments", "replicasets")
CONTROLLERS: tuple[Component, ...] = ("kube-controller-manager", "kube-scheduler", "kwok")
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
UID = re.compile(r'(?<=")[0-9a-f]{8}(?=-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")')


@dataclass(frozen=True)
class Size:
    """A team is a Deployment with 20 pods and 99 Secrets (OF_A_TEAM); every tenth has ten more, with credentials."""

    namespaces: int
    teams_each: int

    @property
    def teams(self) -> int:
        return self.namespaces * self.teams_each

    @property
    def pods(self) -> int:
        return self.teams * shop.REPLICAS

    @property
    def secrets_by_type(self) -> dict[str, int]:
        found = {each: many * self.teams for each, many in OF_A_TEAM.items()}
        found[OPAQUE] += self.held
        return found

    @property
    def held(self) -> int:
        """Secrets with a credential of another cluster."""
        return OF_A_HOLDER * sum(is_holder(number) for number in range(self.teams))

    @property
    def secrets(self) -> int:
        return sum(self.secrets_by_type.values())

    @property
    def token_secrets(self) -> int:
        return self.secrets_by_type[TOKEN_SECRET]

    @property
    def memory(self) -> int:
        """What the control plane takes, in bytes."""
        return self.secrets * BYTES_OF_A_SECRET

    @property
    def opaque_secrets(self) -> int:
        return self.secrets_by_type[OPAQUE]

    def __str__(self) -> str:
        return (
            f"{self.namespaces} namespaces, {self.pods:,} pods and {self.secrets:,} Secrets, "
            f"{self.token_secrets:,} of which hold a token"
        )


def is_holder(number: int) -> bool:
    """Whether that team keeps credentials of other clusters."""
    return number % 10 == 0


@dataclass(frozen=True)
class Team:
    """The same length for each, so that a copy is a replacement of text. A namespace has several teams."""

    number: int
    size: Size

    @property
    def namespace(self) -> str:
        return f"shop-{self.number // self.size.teams_each:03d}"

    @property
    def name(self) -> str:
        return f"checkout-{self.number:04d}"


@dataclass(frozen=True)
class Stored:
    """An object in etcd."""

    key: str
    value: str


async def fill(plane: Plane, size: Size) -> Team:
    """Returns the team that was not copied: its objects are live, made through the API."""
    await asyncio.gather(*(_namespace(plane.api, name) for name in _namespaces(size)))
    first = Team(0, size)
    await _create(plane, first)
    for component in CONTROLLERS:  # they would mend what is only half copied
        await plane.stop(component)
    await _copy(plane, first, range(1, size.teams))
    for component in CONTROLLERS:
        await plane.start(component)
    await served(plane.api, size)
    return first


async def grow(plane: Plane, size: Size, larger: Size) -> None:
    """To a larger size with as many teams in a namespace. The controllers do not run afterwards."""
    new = sorted(set(_namespaces(larger)) - set(_namespaces(size)))
    await asyncio.gather(*(_namespace(plane.api, name) for name in new))
    for component in CONTROLLERS:
        await plane.stop(component)
    await _copy(plane, Team(0, larger), range(size.teams, larger.teams))
    await served(plane.api, larger)


def _namespaces(size: Size) -> list[str]:
    return sorted({Team(number, size).namespace for number in range(size.teams)})


async def _copy(plane: Plane, first: Team, numbers: range) -> None:
    originals = await _stored(plane, first)
    plain = [each for each in originals if not is_held(each.key)]
    gate = asyncio.Semaphore(AT_ONCE)
    await asyncio.gather(
        *(
            _put(plane, some, first, Team(number, first.size), gate)
            for number in numbers
            for some in _batches(originals if is_holder(number) else plain)
        )
    )


def copied(original: Stored, source: Team, target: Team) -> Stored:
    """Another team's: its names, its namespace (also inside of a Secret's data), and uids of its own."""
    value = original.value.replace(source.name, target.name).replace(source.namespace, target.namespace)
    value = value.replace(_base64(source.namespace), _base64(target.namespace))
    key = original.key.replace(source.name, target.name).replace(source.namespace, target.namespace)
    return Stored(key, UID.sub(f"{target.number:08x}", value))


async def _namespace(api: Api, name: str) -> None:
    await api.post("/api/v1/namespaces", {"metadata": {"name": name}})
    path = f"/api/v1/namespaces/{name}"
    await eventually(
        lambda: _names(api, f"{path}/serviceaccounts"), lambda names: "default" in names, f"{path} is set up"
    )
    await eventually(lambda: _names(api, f"{path}/configmaps"), bool, f"{path} has its authority")


async def _create(plane: Plane, team: Team) -> None:
    root = f"/api/v1/namespaces/{team.namespace}"
    for number in range(OF_A_TEAM[TOKEN_SECRET]):
        name = team.name if number == 0 else f"{team.name}-job-{number:02d}"
        await plane.api.post(f"{root}/serviceaccounts", shop.account(name))
        await plane.api.post(f"{root}/secrets", shop.token_secret(f"{name}-token", name))
    claims = await plane.tokens.bound_claims(team.namespace, team.name)
    for manifest in (*others(team.name), *held(team.name, plane.tokens, claims)):
        await plane.api.post(f"{root}/secrets", manifest)
    manifest = shop.deployment(team.name, team.name, f"{team.name}-settings-00")
    await plane.workloads.run({"apiVersion": "apps/v1", "kind": "Deployment", **_in(manifest, team.namespace)})
    tokens = {"fieldSelector": f"type={TOKEN_SECRET}"}
    await eventually(
        lambda: plane.api.get(f"{root}/secrets", tokens),
        lambda found: all("token" in (each.get("data") or {}) for each in found["items"]),
        "the token controller has filled the Secrets",
    )


async def _stored(plane: Plane, team: Team) -> list[Stored]:
    found: list[Stored] = []
    for kind in KINDS:
        start = f"/registry/{kind}/{team.namespace}/"
        body = {"key": _base64(start), "range_end": _base64(start + "~")}
        answer = await _etcd(plane, "range", body)
        each_of = (Stored(_text(each["key"]), _text(each["value"])) for each in answer["kvs"])
        found += [each for each in each_of if team.name in each.key]
    return found


async def _put(plane: Plane, some: Sequence[Stored], first: Team, team: Team, gate: asyncio.Semaphore) -> None:
    async with gate:
        copies = [copied(each, first, team) for each in some]
        puts = [{"requestPut": {"key": _base64(each.key), "value": _base64(each.value)}} for each in copies]
        await _etcd(plane, "txn", {"success": puts})


async def _etcd(plane: Plane, name: str, body: JsonObject) -> JsonObject:
    async with plane.api.session.post(f"{plane.ready.etcd_url}/v3/kv/{name}", json=body) as response:
        response.raise_for_status()
        answer: JsonObject = await response.json()
        return answer


async def served(api: Api, size: Size) -> None:
    """Returns when lists through the API server have just what was filled in. AssertionError if they do not."""
    for resource, expected in (("pods", size.pods), ("secrets", size.secrets)):
        await eventually(partial(_count, api, resource), partial(eq, expected), f"{expected} {resource}")
    for secret_type, expected in size.secrets_by_type.items():
        query = {"fieldSelector": f"type={secret_type}"}
        text = await api.request("GET", "/api/v1/secrets", params=query, headers={"Accept": METADATA_LIST})
        found = len(json.loads(text)["items"])
        if found != expected:
            raise AssertionError(f"{found} Secrets of type {secret_type} are served, not {expected}")


async def _count(api: Api, resource: str) -> int:
    """Of all namespaces but kube-system. The API server tells how many there are beyond the page."""
    total = 0
    for path, sign in ((f"/api/v1/{resource}", 1), (f"/api/v1/namespaces/kube-system/{resource}", -1)):
        page = json.loads(await api.request("GET", path, params={"limit": "1"}, headers={"Accept": METADATA_LIST}))
        total += sign * (len(page["items"] or ()) + page["metadata"].get("remainingItemCount", 0))
    return total


async def _names(api: Api, path: str) -> set[str]:
    return {each["metadata"]["name"] for each in (await api.get(path))["items"]}


def _in(manifest: JsonObject, namespace: str) -> JsonObject:
    return {**manifest, "metadata": {**manifest["metadata"], "namespace": namespace}}


def _batches(found: Sequence[Stored]) -> Iterator[Sequence[Stored]]:
    start = size = 0
    for end, each in enumerate(found):
        if end - start == OF_A_TRANSACTION or size + len(each.value) > BYTES_OF_A_TRANSACTION:
            yield found[start:end]
            start, size = end, 0
        size += len(each.value)
    yield found[start:]


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _text(encoded: str) -> str:
    return base64.b64decode(encoded).decode()
