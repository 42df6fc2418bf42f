"""Who may do what: RBAC by the roles and bindings that are stored (`plugin/pkg/auth/authorizer/rbac`)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from demo.cluster import resources as r
from demo.cluster.authentication import User
from demo.cluster.failures import StatusError, forbidden
from demo.cluster.objects import JsonObject, name_of, namespace_of
from demo.cluster.store import Store

ADMINISTRATORS = "system:masters"
_ALWAYS = {"/healthz", "/readyz", "/livez"}
_NO_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


@dataclass(frozen=True, kw_only=True)
class Attributes:
    """What somebody wants to do; with a `path` it is about no resource."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def full_resource(self) -> str:
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


@dataclass(frozen=True)
class Verdict:
    allowed: bool
    reason: str = ""


@dataclass(frozen=True)
class Authorizer:
    store: Store

    def verdict(self, user: User, wanted: Attributes) -> Verdict:
        if ADMINISTRATORS in user.groups or wanted.path in _ALWAYS:
            return Verdict(allowed=True)
        missing: list[str] = []
        for binding, kind in self._bindings(wanted.namespace):
            subject = next((each for each in binding.get("subjects") or [] if _is(each, user, binding)), None)
            if subject is None:
                continue
            rules = self._rules(binding)
            if rules is None:
                reference = binding["roleRef"]
                missing.append(f'{reference["kind"].lower()}.{r.RBAC} "{reference["name"]}" not found')
            elif any(_allows(rule, wanted) for rule in rules):
                return Verdict(allowed=True, reason=f"RBAC: allowed by {_told(kind, binding, subject)}")
        if not missing:
            return Verdict(allowed=False)
        told = missing[0] if len(missing) == 1 else f"[{', '.join(missing)}]"
        return Verdict(allowed=False, reason=f"RBAC: {told}")

    def check(self, user: User, wanted: Attributes) -> None:
        """Raises StatusError (403)."""
        verdict = self.verdict(user, wanted)
        if not verdict.allowed:
            raise refusal(user, wanted, verdict)

    def _bindings(self, namespace: str) -> Iterator[tuple[JsonObject, str]]:
        yield from ((each, "ClusterRoleBinding") for each in self.store.items(r.CLUSTER_ROLE_BINDINGS))
        if namespace:
            yield from ((each, "RoleBinding") for each in self.store.items(r.ROLE_BINDINGS, namespace))

    def _rules(self, binding: JsonObject) -> Sequence[Mapping[str, Any]] | None:
        reference = binding["roleRef"]
        if reference["kind"] == "ClusterRole":
            role = self.store.get(r.CLUSTER_ROLES, "", reference["name"])
        else:
            role = self.store.get(r.ROLES, namespace_of(binding), reference["name"])
        return None if role is None else role.get("rules") or []


def refusal(user: User, wanted: Attributes, verdict: Verdict) -> StatusError:
    """The 403 that such a user gets."""
    told = f'User "{user.name}" cannot {wanted.verb} '
    if wanted.path:
        told += f'path "{wanted.path}"'
    else:
        told += f'resource "{wanted.full_resource}" in API group "{wanted.group}" '
        told += f'in the namespace "{wanted.namespace}"' if wanted.namespace else "at the cluster scope"
    why = told.translate(_NO_HTML) + (f": {verdict.reason}" if verdict.reason else "")
    return forbidden(wanted.resource, wanted.group, wanted.name, why)


def _is(subject: Mapping[str, Any], user: User, binding: JsonObject) -> bool:
    match subject["kind"]:
        case "User":
            return bool(user.name == subject["name"])
        case "Group":
            return subject["name"] in user.groups
        case _:
            namespace = subject.get("namespace") or namespace_of(binding)
            return user.name == f"system:serviceaccount:{namespace}:{subject['name']}"


def _allows(rule: Mapping[str, Any], wanted: Attributes) -> bool:
    if not {"*", wanted.verb} & set(rule.get("verbs") or ()):
        return False
    if wanted.path:
        return any(
            each in {"*", wanted.path} or (each.endswith("*") and wanted.path.startswith(each[:-1]))
            for each in rule.get("nonResourceURLs") or ()
        )
    names = rule.get("resourceNames") or ()
    matching = {"*", wanted.full_resource, *([f"*/{wanted.subresource}"] if wanted.subresource else [])}
    return (
        bool({"*", wanted.group} & set(rule.get("apiGroups") or ()))
        and bool(matching & set(rule.get("resources") or ()))
        and (not names or wanted.name in names)
    )


def _told(kind: str, binding: JsonObject, subject: Mapping[str, Any]) -> str:
    name = name_of(binding) if kind == "ClusterRoleBinding" else f"{name_of(binding)}/{namespace_of(binding)}"
    who = subject["name"]
    if subject["kind"] == "ServiceAccount":
        who += f"/{subject.get('namespace') or namespace_of(binding)}"
    reference = binding["roleRef"]
    return f'{kind} "{name}" of {reference["kind"]} "{reference["name"]}" to {subject["kind"]} "{who}"'
