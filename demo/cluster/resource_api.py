"""Requests about objects: listed, read, created, changed, deleted, and their subresources but for logs and exec."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from demo.cluster import evictions, failures, issuing, patching, printing, reviews
from demo.cluster import resources as r
from demo.cluster.authentication import Authenticator, User
from demo.cluster.authorization import Authorizer
from demo.cluster.failures import StatusError
from demo.cluster.issuing import Minter
from demo.cluster.managed_fields import Writer
from demo.cluster.objects import Json, JsonObject, key_of, name_of, uid_of
from demo.cluster.paging import page
from demo.cluster.printing import Form
from demo.cluster.registry import Deletion, How, Registry
from demo.cluster.requests import RequestInfo
from demo.cluster.resources import Resource
from demo.cluster.selectors import Wanted, fields, labels

_READABLE = ("application/json", "application/yaml", patching.MERGE, patching.STRATEGIC, patching.JSON_PATCH)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request that is allowed. `body` is as it was sent; `form` is the answer's."""

    info: RequestInfo
    query: Mapping[str, str]
    user: User
    agent: str
    form: Form = "object"
    content_type: str = ""
    body: bytes = b""

    @property
    def resource(self) -> Resource:
        if self.info.resource is None:
            raise failures.no_such_path()
        return self.info.resource


@dataclass(frozen=True)
class ResourceApi:
    registry: Registry
    minter: Minter
    authenticator: Authenticator
    authorizer: Authorizer

    def answer(self, asked: Asked) -> tuple[int, JsonObject]:
        """The HTTP status and the body. Raises StatusError."""
        if asked.resource in r.REVIEWS:
            return 201, self._review(asked)
        if asked.info.subresource not in {"", "status"}:
            return 201, self._subresource(asked)
        work: Mapping[str, Callable[[Asked], tuple[int, JsonObject]]] = {
            "list": self._list,
            "get": self._get,
            "create": self._create,
            "update": self._update,
            "patch": self._patch,
            "delete": self._delete,
            "deletecollection": self._delete_all,
        }
        of_one = {"get", "update", "patch", "delete"}
        if asked.info.verb not in work or (asked.info.verb in of_one) is not bool(asked.info.name):
            raise failures.method_not_allowed()
        return work[asked.info.verb](asked)

    def wanted(self, asked: Asked) -> Wanted | None:
        """Both selectors; None where there is none. Raises StatusError."""
        found: list[Wanted] = []
        if text := asked.query.get("labelSelector"):
            found.append(labels(text))
        if text := asked.query.get("fieldSelector"):
            found.append(fields(asked.resource, text))
        return (lambda each: all(one(each) for one in found)) if found else None

    def _list(self, asked: Asked) -> tuple[int, JsonObject]:
        resource, namespace = asked.resource, asked.info.namespace
        limit, place = _number(asked.query.get("limit", "0")), asked.query.get("continue", "")
        found = page(self.registry.store, resource, namespace, self.wanted(asked), limit=limit, place=place)
        metadata: JsonObject = {"resourceVersion": str(found.revision)}
        if found.continue_token:
            metadata["continue"] = found.continue_token
        if found.remaining is not None:
            metadata["remainingItemCount"] = found.remaining
        return 200, printing.listed(asked.form, resource, found.items, metadata, self._style(asked))

    def _shown(self, asked: Asked, found: JsonObject) -> JsonObject:
        return printing.single(asked.form, asked.resource, found, self._style(asked))

    def _style(self, asked: Asked) -> printing.Style:
        return printing.Style(self.registry.clock.now(), asked.query.get("includeObject", ""))

    def _get(self, asked: Asked) -> tuple[int, JsonObject]:
        return 200, self._shown(asked, self.registry.get(asked.resource, asked.info.namespace, asked.info.name))

    def _create(self, asked: Asked) -> tuple[int, JsonObject]:
        body = _manifest(asked)
        found = self.registry.create(asked.resource, asked.info.namespace, body, _how(asked, "CreateOptions"))
        return 201, self._shown(asked, found)

    def _update(self, asked: Asked) -> tuple[int, JsonObject]:
        body, how = _manifest(asked), _how(asked, "UpdateOptions")
        info = asked.info
        found = self.registry.change(
            asked.resource, info.namespace, info.name, lambda _before: _with_metadata(body), how, patch=False
        )
        return 200, self._shown(asked, found)

    def _patch(self, asked: Asked) -> tuple[int, JsonObject]:
        kind = asked.content_type.partition(";")[0].strip()
        patches: dict[str, Callable[[JsonObject, Any], JsonObject]] = {
            patching.MERGE: patching.merged,
            patching.STRATEGIC: patching.strategically_merged,
            patching.JSON_PATCH: patching.json_patched,
        }
        if kind not in patches:
            raise StatusError(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})
        change, how = _decoded(asked), _how(asked, "PatchOptions")
        info = asked.info
        found = self.registry.change(
            asked.resource, info.namespace, info.name, lambda before: patches[kind](before, change), how
        )
        return 200, self._shown(asked, found)

    def _delete(self, asked: Asked) -> tuple[int, JsonObject]:
        deletion, how = _deletion(asked)
        resource, info = asked.resource, asked.info
        found = self.registry.delete(resource, info.namespace, info.name, deletion, how)
        if self.registry.gives_back(resource, found):
            return 200, self._shown(asked, found)
        details: JsonObject = {"name": name_of(found), "kind": resource.plural, "uid": uid_of(found)}
        if resource.group:
            details["group"] = resource.group
        return 200, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}

    def _delete_all(self, asked: Asked) -> tuple[int, JsonObject]:
        deletion, how = _deletion(asked)
        code, listed = self._list(asked)
        chosen = self.wanted(asked)
        for found in self.registry.store.items(asked.resource, asked.info.namespace):
            if chosen is None or chosen(found):
                self.registry.delete(asked.resource, *key_of(found), deletion, how)
        return code, listed

    def _review(self, asked: Asked) -> JsonObject:
        if asked.info.verb != "create":
            raise failures.method_not_allowed()
        body = _manifest(asked)
        if asked.resource is r.TOKEN_REVIEWS:
            return reviews.token_review(self.authenticator, body)
        if asked.resource is r.OWN_REVIEWS:
            return reviews.own_review(asked.user)
        return reviews.access_review(self.authorizer, asked.resource.kind, body, asked.user)

    def _subresource(self, asked: Asked) -> JsonObject:
        info = asked.info
        match (asked.resource, info.subresource, info.verb):
            case (r.SERVICE_ACCOUNTS, "token", "create"):
                return issuing.token_request(self.registry, self.minter, info.namespace, info.name, _decoded(asked))
            case (r.PODS, "eviction", "create"):
                how = _how(asked, "CreateOptions")
                return evictions.evict(self.registry, info.namespace, info.name, _decoded(asked), how)
        raise failures.no_such_path()


def _how(asked: Asked, options: str) -> How:
    """Raises StatusError (422) for a rehearsal that there is not."""
    said = asked.query.get("dryRun", "")
    if said not in {"", "All"}:
        shown = f'["{said}"]'
        told = f'Unsupported value: {shown}: supported values: "All"'
        raise failures.invalid(options, "meta.k8s.io", "", [failures.Cause("FieldValueNotSupported", "dryRun", told)])
    writer = asked.query.get("fieldManager") or asked.agent.partition("/")[0] or "unknown"
    return How(Writer(writer, asked.info.subresource), dry_run=said == "All")


def _deletion(asked: Asked) -> tuple[Deletion, How]:
    options: JsonObject = _decoded(asked) if asked.body else {}
    if "gracePeriodSeconds" in asked.query:
        options["gracePeriodSeconds"] = _number(asked.query["gracePeriodSeconds"])
    if "propagationPolicy" in asked.query:
        options["propagationPolicy"] = asked.query["propagationPolicy"]
    how = _how(asked, "DeleteOptions")
    return evictions.deletion_of(options), How(how.writer, dry_run=how.dry_run or bool(options.get("dryRun")))


def _manifest(asked: Asked) -> JsonObject:
    """The object that was sent. Raises StatusError (400) where it is of another kind."""
    body, resource = _decoded(asked), asked.resource
    if not isinstance(body, dict):
        raise failures.bad_request(f"the object provided is unrecognized (must be of type {resource.kind})")
    said, version = body.get("kind", resource.kind), body.get("apiVersion", resource.api_version)
    if said != resource.kind:
        plain = version.rpartition("/")[2]
        package, own = (each.rpartition("/")[0].partition(".")[0] or "core" for each in (version, resource.api_version))
        raise failures.bad_request(
            f'{said} in version "{version}" cannot be handled as a {resource.kind}: converting '
            f"({plain if package == 'core' else package + plain}.{said}) to ({own}.{resource.kind}): unknown conversion"
        )
    if version != resource.api_version:
        raise failures.bad_request(
            f"the API version in the data ({version}) does not match the expected API version ({resource.api_version})"
        )
    return body


def _decoded(asked: Asked) -> Json:
    if asked.content_type not in {"", "application/octet-stream", *_READABLE}:
        raise failures.unsupported_media_type(("application/json", "application/yaml"))
    try:
        if asked.content_type.startswith("application/yaml"):
            return yaml.safe_load(asked.body)
        return json.loads(asked.body or b"{}")
    except (ValueError, yaml.YAMLError):
        kind = asked.info.resource.kind if asked.info.resource else "object"
        text = asked.body[:40].decode("utf-8", "replace")
        raise failures.bad_request(
            f"the object provided is unrecognized (must be of type {kind}): couldn't get version/kind; json parse "
            f"error: unexpected end of JSON input ({text})"
        ) from None


def _with_metadata(body: JsonObject) -> JsonObject:
    return {**body, "metadata": dict(body.get("metadata") or {})}


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise failures.bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None
