"""The table of what each action takes: with just those rights all of it works, and without any of them it is told."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
import yaml

from bot.actions.action import CannotActError, Progress
from bot.actions.catalog import ACTIONS
from bot.kube.client import Cluster, connect
from bot.kube.permissions import EFFECT_NEEDS, LIST_ENDPOINT_SLICES, effect_rules
from bot.model import ActionKind, Rule
from bot.objects import INVALID_SINCE, LAST_USED
from tests.cluster.actions.acting import Acting, ref_of
from tests.cluster.actions.made import manifest
from tests.cluster.api import JsonObject
from tests.cluster.faults import Scene
from tests.cluster.plane import Plane
from tests.cluster.workloads import path_of

Make = Callable[[Plane, str], Awaitable[JsonObject]]


async def deployment(plane: Plane, namespace: str) -> JsonObject:
    return await plane.workloads.run(manifest(namespace, "Deployment"))


async def stateful_set(plane: Plane, namespace: str) -> JsonObject:
    return await plane.workloads.run(manifest(namespace, "StatefulSet"))


async def daemon_set(plane: Plane, namespace: str) -> JsonObject:
    return await plane.workloads.run(manifest(namespace, "DaemonSet"))


async def pod(plane: Plane, namespace: str) -> JsonObject:
    return (await plane.workloads.pods_of(await deployment(plane, namespace)))[0]


async def account(plane: Plane, namespace: str) -> JsonObject:
    return {"apiVersion": "v1", "kind": "ServiceAccount", **await Scene(plane, namespace).account()}


async def secret(plane: Plane, namespace: str) -> JsonObject:
    await Scene(plane, namespace).account()
    return await Scene(plane, namespace).token_secret()


async def old_secret(plane: Plane, namespace: str) -> JsonObject:
    found = await secret(plane, namespace)
    await plane.api.patch(path_of(found), {"metadata": {"labels": {LAST_USED: "2026-01-01"}}})
    return found


async def marked_secret(plane: Plane, namespace: str) -> JsonObject:
    found = await secret(plane, namespace)
    await plane.api.patch(path_of(found), {"metadata": {"labels": {INVALID_SINCE: "2026-01-01"}}})
    return found


EACH: list[tuple[ActionKind, Make, set[str]]] = [
    (ActionKind.RESTART_WORKLOAD, deployment, {"deployments", "serviceaccounts", "pods", "events"}),
    (ActionKind.RESTART_WORKLOAD, stateful_set, {"statefulsets", "serviceaccounts", "pods", "events"}),
    (ActionKind.RESTART_WORKLOAD, daemon_set, {"daemonsets", "serviceaccounts", "pods", "events"}),
    (ActionKind.DELETE_POD, pod, {"pods", "pods/eviction", "replicasets"}),
    (ActionKind.CREATE_TOKEN_SECRET, account, {"secrets", "serviceaccounts", "tokenreviews"}),
    (
        ActionKind.ROTATE_TOKEN_SECRET,
        secret,
        {"secrets", "serviceaccounts", "tokenreviews", "pods", "deployments", "statefulsets", "daemonsets", "jobs",
         "cronjobs"},
    ),
    (
        ActionKind.DELETE_LEGACY_SECRET,
        old_secret,
        {"secrets", "serviceaccounts", "pods", "deployments", "statefulsets", "daemonsets", "jobs", "cronjobs",
         "configmaps"},
    ),
    (ActionKind.REACTIVATE_LEGACY_TOKEN, marked_secret, {"secrets", "serviceaccounts", "tokenreviews"}),
    (ActionKind.PROBE_TOKEN, pod, {"pods", "serviceaccounts", "serviceaccounts/token", "tokenreviews"}),
]  # fmt: skip


@asynccontextmanager
async def somebody_with(plane: Plane, rules: Iterable[Rule]) -> AsyncIterator[Cluster]:
    user = f"actor-{uuid4()}"
    kubeconfig = await plane.users.kubeconfig_for(user, [])
    by_namespace: dict[str, list[JsonObject]] = {}
    for rule in rules:
        by_namespace.setdefault(rule.namespace, []).extend(yaml.safe_load(rule.as_yaml()))
    for namespace, some in by_namespace.items():
        await plane.users.grant(user, some, namespace=namespace or None)
    cluster = await connect("test", kubeconfig=kubeconfig)
    try:
        yield cluster
    finally:
        await cluster.close()


async def carried_out(cluster: Cluster, kind: ActionKind, found: JsonObject) -> Progress:
    return await Acting(cluster, kind, ref_of(found)).carry_out()


def wanted(kind: ActionKind, namespace: str, resources: set[str]) -> tuple[Rule, ...]:
    """Of the table's rules those about these resources: of a kind of three only one is acted on."""
    return tuple(rule for rule in effect_rules([kind], namespace) if rule.resource in resources)


def test_every_action_stands_in_the_table() -> None:
    assert EFFECT_NEEDS.keys() == ACTIONS.keys() == set(ActionKind) == {kind for kind, _, _ in EACH}
    for kind in ActionKind:
        named = {resource for one, _, some in EACH if one is kind for resource in some}
        left = {need.resource for need in EFFECT_NEEDS[kind]} - named
        assert left <= {LIST_ENDPOINT_SLICES.resource, "replicationcontrollers", "statefulsets", "daemonsets", "jobs"}


@pytest.mark.parametrize(("kind", "make", "resources"), EACH)
async def test_it_works_with_just_these_rights(
    kind: ActionKind, make: Make, resources: set[str], plane: Plane, namespace: str
) -> None:
    found = await make(plane, namespace)
    async with somebody_with(plane, wanted(kind, namespace, resources)) as cluster:
        assert (await carried_out(cluster, kind, found)).failed == ""


@pytest.mark.parametrize(("kind", "make", "resources"), EACH)
async def test_without_any_of_them_it_is_told_before_anybody_approves(
    kind: ActionKind, make: Make, resources: set[str], plane: Plane, namespace: str
) -> None:
    found = await make(plane, namespace)
    rules = wanted(kind, namespace, resources)
    for missing in rules:
        async with somebody_with(plane, [rule for rule in rules if rule != missing]) as cluster:
            with pytest.raises(CannotActError, match=f"token-doctor may not {missing.verb} ") as raised:
                await Acting(cluster, kind, ref_of(found)).plan()
            assert missing.resource in str(raised.value)
            assert missing.as_yaml() in raised.value.next_step


@pytest.mark.parametrize(("kind", "make", "resources"), EACH)
async def test_a_person_needs_no_more_than_the_effect(
    kind: ActionKind, make: Make, resources: set[str], plane: Plane, namespace: str
) -> None:
    cluster = await connect("test", kubeconfig=plane.kubeconfig)
    try:
        plan = await Acting(cluster, kind, ref_of(await make(plane, namespace))).plan()
    finally:
        await cluster.close()
    (rule,) = ACTIONS[kind].needs(plan)
    assert rule in wanted(kind, namespace, resources)
    assert rule.verb in {"create", "patch", "delete"}
