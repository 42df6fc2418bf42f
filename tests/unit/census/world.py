"""A cluster of hand-made objects, as the API server would send them, and what a pass over it counts."""

import base64
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from bot.census.aspects import READS, Aspect
from bot.census.facts import Facts
from bot.census.reading import Pass
from bot.census.scope import Scope, place_of
from bot.census.sources import Batch, batches
from bot.kube.gaps import UnreadableError
from bot.model import Item, ItemKind, TokenTracking
from bot.versions import Minor

NOW = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)
YEAR = timedelta(days=365)
NAMESPACE = "shop"
FACTS = Facts(
    cluster="prod",
    now=NOW,
    window=timedelta(days=14),
    version=Minor(1, 36),
    tracking=TokenTracking(since=(NOW - 3 * YEAR).date()),
    extension=YEAR,
)
Json = dict[str, Any]


def stamp(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def day(ago: int) -> str:
    return (NOW - timedelta(days=ago)).date().isoformat()


def account(  # each is a way to differ
    name: str = "checkout",
    *,
    secrets: Iterable[str] = (),
    namespace: str = NAMESPACE,
    metadata: Json | None = None,
    **more: object,
) -> Json:
    meta = {"name": name, "namespace": namespace, "uid": f"uid-of-{name}", **(metadata or {})}
    return {"metadata": meta, "secrets": [{"name": each} for each in secrets], **more}


def token_secret(  # each is a way to differ
    name: str = "checkout-token",
    *,
    of: str = "checkout",
    namespace: str = NAMESPACE,
    age: timedelta = 2 * YEAR,
    by: str = "kubectl-create",
    filled: bool = True,
    last_used: str = "",
    invalid_since: str = "",
    labels: Json | None = None,
    annotations: Json | None = None,
    **more: object,
) -> Json:
    """Filled by the token controller, as its managedFields say."""
    days = {
        "kubernetes.io/legacy-token-last-used": last_used,
        "kubernetes.io/legacy-token-invalid-since": invalid_since,
    }
    managed: list[Json] = [{"manager": by, "operation": "Update", "fieldsV1": {"f:type": {}}}]
    if filled:
        fields: Json = {"f:data": {".": {}, "f:ca.crt": {}, "f:token": {}}}
        managed.append({"manager": "kube-controller-manager", "operation": "Update", "fieldsV1": fields})
    whose = {"kubernetes.io/service-account.name": of, "kubernetes.io/service-account.uid": f"uid-of-{of}"}
    return {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": f"uid-of-{name}",
            "creationTimestamp": stamp(NOW - age),
            "labels": {**{key: value for key, value in days.items() if value}, **(labels or {})},
            "annotations": {**whose, **(annotations or {})},
            "managedFields": managed,
            **more,
        }
    }


def pod(  # the same
    name: str = "checkout-5d9c7b8f6d-x7k2p",
    *,
    namespace: str = NAMESPACE,
    owner: tuple[str, str] | None = ("ReplicaSet", "checkout-5d9c7b8f6d"),
    labels: Mapping[str, str] | None = None,
    started: datetime | None = NOW - timedelta(hours=3),
    phase: str = "Running",
    born: datetime = NOW - timedelta(hours=4),
    **spec: object,
) -> Json:
    """A replica of a Deployment with one running container, `app`, unless told otherwise."""
    meta: Json = {"name": name, "namespace": namespace, "uid": f"uid-of-{name}", "creationTimestamp": stamp(born)}
    if labels is None:
        labels = {"pod-template-hash": owner[1].rpartition("-")[2]} if owner and owner[0] == "ReplicaSet" else {}
    if owner:
        meta["ownerReferences"] = [{"kind": owner[0], "name": owner[1], "uid": "o", "controller": True}]
    state = {"running": {"startedAt": stamp(started)}} if started else {"waiting": {"reason": "ImagePullBackOff"}}
    return {
        "metadata": {**meta, "labels": dict(labels)},
        "spec": {"serviceAccountName": "checkout", "containers": [container()], **spec},
        "status": {"phase": phase, "containerStatuses": [{"name": "app", "state": state}]},
    }


def container(name: str = "app", *mounts: Json, **more: object) -> Json:
    return {"name": name, "image": "registry.example/app", "volumeMounts": list(mounts), **more}


def projected(seconds: int = 3607, *, sub_path: str = "", audience: str = "", name: str = "api") -> Json:
    """A pod's spec with a projected token in container `app`."""
    source: Json = {"path": "token", "expirationSeconds": seconds}
    mount: Json = {"name": name, "mountPath": "/var/run/secrets/api" + ("/token" if sub_path else "")}
    return {
        "containers": [container("app", {**mount, "subPath": sub_path} if sub_path else mount)],
        "volumes": [
            {
                "name": name,
                "projected": {
                    "sources": [{"serviceAccountToken": {**source, "audience": audience} if audience else source}]
                },
            }
        ],
    }


def secret(
    name: str, data: Mapping[str, str | bytes], *, namespace: str = NAMESPACE, kind: str = "Opaque", **meta: object
) -> Json:
    encoded = {
        key: base64.b64encode(value.encode() if isinstance(value, str) else value).decode()
        for key, value in data.items()
    }
    return {"metadata": {"name": name, "namespace": namespace, **meta}, "type": kind, "data": encoded}


@dataclass
class World:
    """Objects by aspect, in any order, and what cannot be read: `broken` in whole, or of namespaces."""

    accounts: list[Json] = field(default_factory=list)
    pods: list[Json] = field(default_factory=list)
    token_secrets: list[Json] = field(default_factory=list)
    data: list[Json] | None = None
    broken: dict[Aspect, UnreadableError] = field(default_factory=dict)
    unread: dict[tuple[Aspect, str], UnreadableError] = field(default_factory=dict)

    def of(self, aspect: Aspect) -> list[Any]:
        """As decoded from the wire, in the order of a list."""
        found = {
            Aspect.ACCOUNTS: self.accounts,
            Aspect.PODS: self.pods,
            Aspect.TOKEN_SECRETS: self.token_secrets,
            Aspect.DATA: self.data or [],
        }[aspect]
        decoder = msgspec.json.Decoder(READS[aspect].item)
        ordered = sorted(found, key=lambda each: (place_of(each["metadata"]["namespace"]), each["metadata"]["name"]))
        return [decoder.decode(msgspec.json.encode(each)) for each in ordered]

    async def batches(self, aspect: Aspect, page: int, scope: Scope) -> AsyncGenerator[Batch[Any], None]:
        items = self.of(aspect)

        async def listing(namespace: str) -> AsyncGenerator[tuple[Any, ...], None]:
            if error := self.unread.get((aspect, namespace)):
                raise error
            wanted = [each for each in items if namespace in {"", each.metadata.namespace}]
            for start in range(0, len(wanted), page):
                if start and aspect in self.broken:
                    raise self.broken[aspect]
                yield tuple(wanted[start : start + page])
            if aspect in self.broken:
                raise self.broken[aspect]

        async for batch in batches(listing, scope):
            yield batch


EVERYWHERE = Scope(patterns=("*",), names=None, is_wide=True)


async def counted(  # what is there, and how it comes
    world: World,
    *,
    facts: Facts = FACTS,
    page: int = 500,
    scope: Scope = EVERYWHERE,
    most: int = 500,
    hold: bool = False,
    aspects: Sequence[Aspect] | None = None,
) -> Pass:
    wanted = aspects or [each for each in Aspect if each is not Aspect.DATA or world.data is not None]
    this = Pass(facts, scope, most=most, hold=hold, monotonic=lambda: 0.0, progress=None)
    await this.read({aspect: world.batches(aspect, page, scope) for aspect in wanted})
    return this


async def items(world: World, facts: Facts = FACTS) -> tuple[Item, ...]:
    return (await counted(world, facts=facts)).tally.items()


async def only(world: World, facts: Facts = FACTS) -> Item:
    """The one item there is."""
    found = await items(world, facts)
    assert len(found) == 1, [(item.kind, item.name) for item in found]
    return found[0]


async def kinds(world: World) -> dict[str, ItemKind]:
    return {item.name: item.kind for item in await items(world)}
