"""What a request is about, by its path and its method (`apiserver/pkg/endpoints/request/requestinfo.go`)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from demo.cluster.authorization import Attributes
from demo.cluster.resources import BY_PATH, Resource

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_NAME = re.compile(r"(?:^|,)metadata\.name==?(?P<name>[^,]+)")


@dataclass(frozen=True, kw_only=True)
class RequestInfo:
    """`resource` is None for a path that is no resource's, or one that this server does not have."""

    verb: str
    path: str
    resource: Resource | None = None
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    attributes: Attributes


def parse(method: str, raw_path: str, query: Mapping[str, str]) -> RequestInfo:
    path = unquote(raw_path)
    parts = [each for each in path.split("/") if each]
    if not _is_resource(parts):
        verb = "get" if method in {"GET", "HEAD"} else _VERBS.get(method, method).lower()
        return RequestInfo(verb=verb, path=path, attributes=Attributes(verb=verb, path=path))
    group, version, rest = ("", parts[1], parts[2:]) if parts[0] == "api" else (parts[1], parts[2], parts[3:])
    namespace = ""
    match rest:
        case ["namespaces", name] | ["namespaces", name, "status"]:
            namespace = name
        case ["namespaces", name, *below]:
            namespace, rest = name, below
    plural, name, subresource = (*rest, "", "", "")[:3]
    verb = _verb(method, name, query)
    said = name or (_named(query) if verb in {"list", "watch", "deletecollection"} else "")
    attributes = Attributes(
        verb=verb, group=group, resource=plural, subresource=subresource, namespace=namespace, name=said
    )
    resource = BY_PATH.get((group, version, plural))
    place = namespace if resource is not None and resource.namespaced else ""
    return RequestInfo(
        verb=verb,
        path=path,
        resource=resource,
        namespace=place,
        name=name,
        subresource=subresource,
        attributes=attributes,
    )


def _is_resource(parts: list[str]) -> bool:
    return bool(parts) and len(parts) > {"api": 2, "apis": 3}.get(parts[0], len(parts))


def _verb(method: str, name: str, query: Mapping[str, str]) -> str:
    if method in {"GET", "HEAD"}:
        if query.get("watch") in {"1", "true"} and not name:
            return "watch"
        return "get" if name else "list"
    if method == "DELETE" and not name:
        return "deletecollection"
    return _VERBS.get(method, method.lower())


def _named(query: Mapping[str, str]) -> str:
    """A list of the object of one name is about that object."""
    found = _NAME.search(query.get("fieldSelector", ""))
    return found["name"] if found else ""
