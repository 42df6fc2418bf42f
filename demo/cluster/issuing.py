"""Tokens as the API server and the token controller make them, and TokenRequest."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from demo.cluster import failures
from demo.cluster import resources as r
from demo.cluster.clock import Clock
from demo.cluster.keys import SigningKey
from demo.cluster.objects import JsonObject, annotations_of, meta, name_of, namespace_of, stamp, uid_of
from demo.cluster.registry import Registry
from demo.cluster.resources import Resource
from demo.cluster.validation import ACCOUNT_NAME, ACCOUNT_UID

ISSUER = "https://kubernetes.default.svc"
LEGACY_ISSUER = "kubernetes/serviceaccount"
PREFIX = "kubernetes.io/serviceaccount"

_EXTENDED = 3607
_YEAR = 365 * 24 * 3600
_LEAST, _MOST = 600, 2**32
_GROUP = "authentication.k8s.io"
_BOUND: dict[str, Resource] = {"Pod": r.PODS, "Secret": r.SECRETS, "Node": r.NODES}


@dataclass(frozen=True)
class TokenSpec:
    """What is asked for; `at` is the time of making, now where it is None."""

    audiences: Sequence[str] = (ISSUER,)
    seconds: int = 3600
    at: datetime | None = None


@dataclass(frozen=True)
class Minter:
    """Signs with the cluster's key."""

    key: SigningKey
    clock: Clock

    def bound(
        self, account: JsonObject, spec: TokenSpec, bound_to: JsonObject | None = None, node: JsonObject | None = None
    ) -> str:
        """`node` is that of a pod. A pod's usual token lives a year, and warns after an hour."""
        audiences, seconds = list(spec.audiences), spec.seconds
        of_pod = bound_to is not None and bound_to["kind"] == "Pod"
        extended = of_pod and seconds == _EXTENDED and audiences == [ISSUER]
        now = self.clock.seconds() if spec.at is None else int(spec.at.timestamp())
        own: JsonObject = {"namespace": namespace_of(account), "serviceaccount": _named(account)}
        if bound_to is not None:
            own[bound_to["kind"].lower()] = _named(bound_to)
            if node:
                own["node"] = _named(node)
        if extended:
            own["warnafter"] = now + seconds
        return self.key.sign(
            {
                "aud": audiences,
                "exp": now + (_YEAR if extended else seconds),
                "iat": now,
                "iss": ISSUER,
                "jti": str(uuid.uuid4()),
                "kubernetes.io": own,
                "nbf": now,
                "sub": subject(account),
            }
        )

    def legacy(self, secret: JsonObject) -> str:
        """The token of a token Secret: the same for the same account and name, for ever."""
        said = annotations_of(secret)
        return self.key.sign(
            {
                "iss": LEGACY_ISSUER,
                f"{PREFIX}/namespace": namespace_of(secret),
                f"{PREFIX}/secret.name": name_of(secret),
                f"{PREFIX}/service-account.name": said[ACCOUNT_NAME],
                f"{PREFIX}/service-account.uid": said[ACCOUNT_UID],
                "sub": f"system:serviceaccount:{namespace_of(secret)}:{said[ACCOUNT_NAME]}",
            }
        )


def subject(account: JsonObject) -> str:
    return f"system:serviceaccount:{namespace_of(account)}:{name_of(account)}"


def token_request(registry: Registry, minter: Minter, namespace: str, name: str, body: JsonObject) -> JsonObject:
    """The answer to a TokenRequest. Raises StatusError."""
    said, spec = body.get("metadata") or {}, body.get("spec") or {}
    account = _account(registry, namespace, name, said)
    seconds = _seconds(spec)
    audiences = spec.get("audiences") or [ISSUER]
    bound_to, node = _bound_object(registry, namespace, name, spec.get("boundObjectRef"))
    now = registry.clock.now()
    return {
        "kind": "TokenRequest",
        "apiVersion": f"{_GROUP}/v1",
        "metadata": {"name": name, "namespace": namespace, "uid": uid_of(account), "creationTimestamp": stamp(now)},
        "spec": {"audiences": audiences, "expirationSeconds": seconds, "boundObjectRef": spec.get("boundObjectRef")},
        "status": {
            "token": minter.bound(account, TokenSpec(audiences, seconds), bound_to, node),
            "expirationTimestamp": stamp(now + timedelta(seconds=seconds)),
        },
    }


def _account(registry: Registry, namespace: str, name: str, said: JsonObject) -> JsonObject:
    if said.get("namespace", namespace) != namespace:
        raise failures.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    if said.get("name", name) != name:
        cause = failures.invalid_value(
            "metadata.name", said["name"], "must match the service account name if specified"
        )
        raise failures.invalid("TokenRequest", _GROUP, name, [cause])
    account = registry.get(r.SERVICE_ACCOUNTS, namespace, name)
    uid = said.get("uid") or uid_of(account)
    if uid != uid_of(account):
        why = f"the UID in the token request ({uid}) does not match the UID of the service account ({uid_of(account)})"
        raise failures.named_conflict("TokenRequest", _GROUP, name, why)
    return account


def _seconds(spec: JsonObject) -> int:
    seconds: int = spec.get("expirationSeconds") or 3600
    told = ""
    if seconds < _LEAST:
        told = "may not specify a duration less than 10 minutes"
    if seconds > _MOST:
        told = "may not specify a duration larger than 2^32 seconds"
    if told:
        cause = failures.invalid_value("spec.expirationSeconds", seconds, told)
        raise failures.invalid("TokenRequest", _GROUP, "", [cause])
    return seconds


def _bound_object(
    registry: Registry, namespace: str, account: str, reference: JsonObject | None
) -> tuple[JsonObject | None, JsonObject | None]:
    """What the token is to be bound to, and the node of a pod."""
    if reference is None:
        return None, None
    kind, version = reference.get("kind", ""), reference.get("apiVersion", "v1")
    resource = _BOUND.get(kind) if version == "v1" else None
    if resource is None:
        group, _, plain = version.rpartition("/")
        raise failures.bad_request(f"cannot bind token to object of type {group}/{plain}, Kind={kind}")
    found = registry.get(resource, namespace if resource.namespaced else "", reference["name"])
    if resource is r.PODS and found["spec"].get("serviceAccountName") != account:
        told = f'cannot bind token for serviceaccount "{account}" to pod running with different serviceaccount name.'
        raise failures.bad_request(told)
    if reference.get("uid") and reference["uid"] != uid_of(found):
        why = (
            f"the UID in the bound object reference ({reference['uid']}) does not match the UID in record. The object "
            "might have been deleted and then recreated"
        )
        raise failures.named_conflict(kind, "", reference["name"], why)
    place = found["spec"].get("nodeName", "") if resource is r.PODS else ""
    return found, registry.store.get(r.NODES, "", place) if place else None


def _named(found: JsonObject) -> JsonObject:
    return {"name": meta(found)["name"], "uid": meta(found)["uid"]}
