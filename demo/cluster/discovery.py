"""What the server has, as clients discover it."""

from demo.cluster.issuing import ISSUER
from demo.cluster.keys import SigningKey
from demo.cluster.nodes import VERSION
from demo.cluster.objects import JsonObject
from demo.cluster.resources import ALL_VERBS, BY_PATH, REVIEWS, Resource

VERSION_INFO: JsonObject = {
    "major": "1",
    "minor": VERSION.split(".")[1],
    "gitVersion": VERSION,
    "gitCommit": "",
    "gitTreeState": "",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "go1.26",
    "compiler": "gc",
    "platform": "linux/amd64",
}
KEYS, KEY_SET = "/openid/v1/jwks", "application/jwk-set+json"
_EVERY = tuple(BY_PATH.values())


def answer(path: str, url: str, keys: list[SigningKey]) -> JsonObject | None:
    """None for a path that is not about discovery."""
    address = url.partition("://")[2]
    match [each for each in path.split("/") if each]:
        case ["version"]:
            return VERSION_INFO
        case [".well-known", "openid-configuration"]:
            return _configuration(url)
        case ["openid", "v1", "jwks"]:
            return {"keys": [key.jwk for key in keys]}
        case ["api"]:
            place = {"clientCIDR": "0.0.0.0/0", "serverAddress": address}
            return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [place]}
        case ["apis"]:
            groups = dict.fromkeys(each.group for each in _EVERY if each.group)
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(name) for name in groups]}
        case ["apis", group] if any(each.group == group for each in _EVERY):
            return {"kind": "APIGroup", "apiVersion": "v1", **_group(group)}
        case ["api", "v1"]:
            return _resources("", "v1")
        case ["apis", group, version]:
            return _resources(group, version)
    return None


def _configuration(url: str) -> JsonObject:
    return {
        "issuer": ISSUER,
        "jwks_uri": f"{url}/openid/v1/jwks",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }


def _group(name: str) -> JsonObject:
    version = next(each.version for each in _EVERY if each.group == name)
    told = {"groupVersion": f"{name}/{version}", "version": version}
    return {"name": name, "versions": [told], "preferredVersion": told}


def _resources(group: str, version: str) -> JsonObject | None:
    found = [each for each in _EVERY if (each.group, each.version) == (group, version)]
    if not found:
        return None
    listed = [line for each in found for line in _lines(each)]
    name = f"{group}/{version}" if group else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": listed}


def _lines(resource: Resource) -> list[JsonObject]:
    verbs = ["create"] if resource in REVIEWS else list(ALL_VERBS)
    first: JsonObject = {
        "name": resource.plural,
        "singularName": resource.kind.lower(),
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": verbs,
    }
    if resource.short:
        first["shortNames"] = list(resource.short)
    below = {"namespaced": resource.namespaced, "singularName": ""}
    lines = [first]
    if resource.has_status:
        status = {"name": f"{resource.plural}/status", **below, "kind": resource.kind}
        lines.append({**status, "verbs": ["get", "patch", "update"]})
    for name, kind in resource.subresources:
        verb = "get" if name in {"log", "exec"} else "create"
        lines.append({"name": f"{resource.plural}/{name}", **below, "kind": kind, "verbs": [verb]})
    return lines
