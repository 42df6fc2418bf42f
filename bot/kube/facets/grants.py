"""RBAC about a service account: what it was granted, and who may mint its tokens or read its Secrets."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from bot.kube import read
from bot.kube.facets.graph import SERVICE_ACCOUNT, Asking, facet
from bot.kube.permissions import (
    LIST_CLUSTER_ROLE_BINDINGS,
    LIST_CLUSTER_ROLES,
    LIST_ROLE_BINDINGS,
    LIST_ROLES,
    Operation,
)
from bot.model import Grant, PolicyRule, Subject
from bot.objects import KubeStruct, Meta
from bot.redact import redact

T = TypeVar("T")

_MOST = 5_000


class _Reference(KubeStruct, frozen=True, kw_only=True):
    kind: str = ""
    name: str = ""


class _Subject(KubeStruct, frozen=True, kw_only=True):
    kind: str = ""
    name: str = ""
    namespace: str = ""


class _Binding(KubeStruct, frozen=True, kw_only=True):
    metadata: Meta
    role_ref: _Reference = _Reference()
    subjects: tuple[_Subject, ...] | None = None


class _Rule(KubeStruct, frozen=True, kw_only=True):
    verbs: tuple[str, ...] | None = None
    api_groups: tuple[str, ...] | None = None
    resources: tuple[str, ...] | None = None
    resource_names: tuple[str, ...] | None = None


class _Role(KubeStruct, frozen=True, kw_only=True):
    metadata: Meta
    rules: tuple[_Rule, ...] | None = None


@facet(of=SERVICE_ACCOUNT, shared=True)
async def role_bindings(asking: Asking) -> tuple[_Binding, ...]:
    """Those of the namespace."""
    return await _listed(asking, LIST_ROLE_BINDINGS, _Binding)


@facet(of=SERVICE_ACCOUNT, shared=True)
async def roles(asking: Asking) -> tuple[_Role, ...]:
    """Those of the namespace."""
    return await _listed(asking, LIST_ROLES, _Role)


@facet(of=SERVICE_ACCOUNT, shared=True)
async def cluster_role_bindings(asking: Asking) -> tuple[_Binding, ...]:
    """All of them: they stand in no namespace."""
    return await _listed(asking, LIST_CLUSTER_ROLE_BINDINGS, _Binding)


@facet(of=SERVICE_ACCOUNT, shared=True)
async def cluster_roles(asking: Asking) -> tuple[_Role, ...]:
    """All of them; RoleBindings refer to them too."""
    return await _listed(asking, LIST_CLUSTER_ROLES, _Role)


@facet(of=SERVICE_ACCOUNT, needs=(role_bindings, roles, cluster_role_bindings, cluster_roles))
async def grants(asking: Asking) -> tuple[Grant, ...]:
    """The bindings that concern the account: its own and its groups', and those that give out its tokens or Secrets."""
    name, namespace = asking.ref.name, asking.ref.namespace
    local = {("Role", role.metadata.name): role for role in asking.value(roles)}
    everywhere = {("ClusterRole", role.metadata.name): role for role in asking.value(cluster_roles)}
    inside, outside = asking.value(role_bindings), asking.value(cluster_role_bindings)
    found = [*_grants(inside, local | everywhere, namespace), *_grants(outside, everywhere, "")]
    return tuple(grant for grant in found if _concerns(grant, name, namespace))


def _grants(bindings: Iterable[_Binding], known: Mapping[tuple[str, str], _Role], namespace: str) -> Iterable[Grant]:
    for binding in bindings:
        ref = binding.role_ref
        role = known.get((ref.kind, ref.name))
        yield Grant(
            binding=binding.metadata.name,
            role=f"{ref.kind} {ref.name}",
            namespace=namespace,
            subjects=tuple(
                Subject(kind=each.kind, name=redact(each.name), namespace=each.namespace)
                for each in binding.subjects or ()
            ),
            rules=tuple(
                PolicyRule(
                    verbs=rule.verbs or (),
                    groups=rule.api_groups or (),
                    resources=rule.resources or (),
                    names=rule.resource_names or (),
                )
                for rule in (role.rules if role else None) or ()
            ),
        )


def _concerns(grant: Grant, name: str, namespace: str) -> bool:
    return (
        any(subject.reaches(name, namespace) for subject in grant.subjects)
        or any(rule.mints_tokens_of(name) for rule in grant.rules)
        or any(rule.reads_secrets for rule in grant.rules)
    )


async def _listed(asking: Asking, operation: Operation, item: type[T]) -> tuple[T, ...]:
    namespace = asking.ref.namespace if operation.namespaced else ""
    return await read.get_all(asking.api, operation, item, namespace=namespace, most=_MOST)
