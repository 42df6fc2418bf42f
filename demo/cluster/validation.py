"""The mistakes that an API server finds in an object (`pkg/apis/*/validation`): those that people make."""

import json
import re
from collections.abc import Iterator

from demo.cluster import resources as r
from demo.cluster.failures import Cause, StatusError, invalid, invalid_value, required
from demo.cluster.objects import JsonObject, annotations_of, at_path, meta, name_of
from demo.cluster.resources import Resource
from demo.cluster.selectors import by_labels

TOKEN_SECRET = "kubernetes.io/service-account-token"  # noqa: S105  # a Secret's type
ACCOUNT_NAME = "kubernetes.io/service-account.name"
ACCOUNT_UID = "kubernetes.io/service-account.uid"

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_SUBDOMAIN_TOLD = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    f"end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{_SUBDOMAIN}')"
)
_WORKLOADS = (r.DEPLOYMENTS, r.REPLICA_SETS, r.STATEFUL_SETS, r.DAEMON_SETS)
_FREE_NAMES = (r.ROLES, r.ROLE_BINDINGS, r.CLUSTER_ROLES, r.CLUSTER_ROLE_BINDINGS)


def check_new(resource: Resource, found: JsonObject) -> None:
    """Raises StatusError (422)."""
    _raise(resource, found, [*_of_name(resource, found), *_mistakes(resource, found)])


def check_change(resource: Resource, before: JsonObject, found: JsonObject) -> None:
    """Raises StatusError (422)."""
    _raise(resource, found, [*_mistakes(resource, found), *_immutable(resource, before, found)])


def _raise(resource: Resource, found: JsonObject, causes: list[Cause]) -> None:
    if causes:
        raise invalid(resource.kind, resource.group, str(meta(found).get("name", "")), causes)


def other_uid(resource: Resource, name: str, uid: str) -> StatusError:
    """Of a patch that names another object's uid: told twice, as the API server does."""
    cause = invalid_value("metadata.uid", uid, "field is immutable")
    error = invalid(resource.kind, resource.group, name, [cause])
    return StatusError(error.code, error.reason, error.message, {**(error.details or {}), "causes": [cause.body] * 2})


def _of_name(resource: Resource, found: JsonObject) -> Iterator[Cause]:
    name = name_of(found)
    if resource not in _FREE_NAMES and not re.fullmatch(_SUBDOMAIN, name):
        yield invalid_value("metadata.name", name, _SUBDOMAIN_TOLD)


def _mistakes(resource: Resource, found: JsonObject) -> Iterator[Cause]:
    if resource is r.SECRETS and found.get("type") == TOKEN_SECRET and not annotations_of(found).get(ACCOUNT_NAME):
        yield required(f"metadata.annotations[{ACCOUNT_NAME}]")
    if resource is r.PODS and not found["spec"].get("containers"):
        yield required("spec.containers")
    if resource in _WORKLOADS:
        yield from _of_template(found)


def _of_template(found: JsonObject) -> Iterator[Cause]:
    spec = found["spec"]
    selector, labels = spec.get("selector"), at_path(spec, "template", "metadata", "labels")
    if not selector:
        yield required("spec.selector")
    if not selector or not by_labels(selector)({"metadata": {"labels": labels or {}}}):
        shown = _Shown(labels)
        yield invalid_value("spec.template.metadata.labels", shown, "`selector` does not match template `labels`")
    if not at_path(spec, "template", "spec", "containers"):
        yield required("spec.template.spec.containers")


class _Shown:
    """A value as Go's messages write it: as JSON."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __str__(self) -> str:
        return json.dumps(self._value, separators=(",", ":"), sort_keys=True)


_FIXED: dict[Resource, tuple[tuple[str, ...], ...]] = {
    r.SECRETS: (("type",),),
    **dict.fromkeys(_WORKLOADS, (("spec", "selector"),)),
    r.ROLE_BINDINGS: (("roleRef",),),
    r.CLUSTER_ROLE_BINDINGS: (("roleRef",),),
}


def _immutable(resource: Resource, before: JsonObject, found: JsonObject) -> Iterator[Cause]:
    for path in _FIXED.get(resource, ()):
        value = at_path(found, *path)
        if value != at_path(before, *path):
            shown = value if isinstance(value, str) else _Shown(value)
            detail = "cannot change roleRef" if path == ("roleRef",) else "field is immutable"
            yield invalid_value(".".join(path), shown, detail)
