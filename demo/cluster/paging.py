"""Lists in pages: the continue token is the API server's (`apiserver/pkg/storage/continue.go`)."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass

from demo.cluster import failures
from demo.cluster.objects import JsonObject, key_of
from demo.cluster.resources import Resource
from demo.cluster.selectors import Wanted
from demo.cluster.store import CompactedError, Store

_VERSION = "meta.k8s.io/v1"
_TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)


@dataclass(frozen=True)
class Page:
    """`remaining` is None where it is not told: with a selector nobody counts."""

    items: Sequence[JsonObject]
    revision: int
    continue_token: str = ""
    remaining: int | None = None


def page(
    store: Store, resource: Resource, namespace: str, wanted: Wanted | None, *, limit: int = 0, place: str = ""
) -> Page:
    """At most `limit` objects (0: all of them) from `place` on. Raises StatusError: 400, 410."""
    revision, after = _read(place) if place else (store.revision, "")
    try:
        found = store.at(resource, namespace, revision) if place else store.items(resource, namespace)
    except CompactedError:
        raise _expired(store, after) from None
    left = [each for each in found if _name(each, resource, namespace) > after] if after else found
    chosen: list[JsonObject] = []
    for at, each in enumerate(left):
        if limit and len(chosen) == limit:
            # Whether one of those behind it is wanted is not looked at: the next page may be empty.
            place = _written(revision, _name(chosen[-1], resource, namespace))
            return Page(chosen, revision, place, len(left) - at if wanted is None else None)
        if wanted is None or wanted(each):
            chosen.append(each)
    return Page(chosen, revision)


def _name(found: JsonObject, resource: Resource, namespace: str) -> str:
    """Below the prefix that is listed."""
    place, name = key_of(found)
    return f"{place}/{name}" if resource.namespaced and not namespace else name


def _written(revision: int, last: str) -> str:
    text = json.dumps({"v": _VERSION, "rv": revision, "start": f"{last}\0"}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def _read(token: str) -> tuple[int, str]:
    try:
        told = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        return int(told["rv"]), str(told["start"]).rstrip("\0")
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise failures.bad_request("invalid continue token: continue key is not valid") from None


def _expired(store: Store, after: str) -> failures.StatusError:
    """With a token that goes on from there in the list as it is now."""
    error = failures.expired(_TOO_OLD)
    error.continue_token = _written(store.revision, after)
    return error
