"""What deploy/ grants is what the bot takes, no more and no less: it is run as that account on the real API server."""

import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml

from bot.actions.action import CannotActError
from bot.actions.catalog import ACTIONS
from bot.examine import examine
from bot.kube.client import Cluster, connect, utc_now
from bot.kube.gaps import denied_sentence
from bot.kube.permissions import EFFECT_NEEDS, GET_OWNER, LIST_ENDPOINT_SLICES, PATCH_WORKLOAD, Operation, rule_in
from bot.kube.roles import FEATURES
from bot.model import ActionKind, GapKind, Report, Routes, Target
from bot.objects import INVALID_SINCE, LAST_USED
from tests.cluster.actions.acting import Acting, ref_of
from tests.cluster.actions.made import manifest
from tests.cluster.api import JsonObject
from tests.cluster.faults import Scene
from tests.cluster.installed import DEPLOY, PROBES, everything, install, kubectl, with_features
from tests.cluster.plane import Plane
from tests.cluster.workloads import CONTAINER, path_of

ROUTES = {
    "probe": Routes(probe=True),
    "exec": Routes(exec=True),
    "secret-data": Routes(secret_data=True),
    "controller-probe": Routes(controller_probe=PROBES),
}
Subject = Callable[[Plane, str], Awaitable[JsonObject]]


@pytest.fixture(scope="module")
async def installed(plane: Plane, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kubeconfig of token-doctor's account, which has every feature."""
    return await install(plane, tmp_path_factory.mktemp("install"))


@asynccontextmanager
async def connected(kubeconfig: Path) -> AsyncIterator[Cluster]:
    found = await connect("test", kubeconfig=kubeconfig)
    try:
        yield found
    finally:
        await found.close()


# --- what the actions are tried on --------------------------------------------------------------------------


async def workload(plane: Plane, namespace: str, kind: str = "Deployment") -> JsonObject:
    return await plane.workloads.run(manifest(namespace, kind))


async def pod(plane: Plane, namespace: str, kind: str = "Deployment") -> JsonObject:
    return (await plane.workloads.pods_of(await workload(plane, namespace, kind)))[0]


async def pod_of(plane: Plane, namespace: str, kind: str, version: str, spec: JsonObject) -> JsonObject:
    """A pod whose controller makes none itself."""
    meta = {"name": "web", "namespace": namespace}
    owner = await plane.workloads.create({"apiVersion": version, "kind": kind, "metadata": meta, "spec": spec})
    reference = {"apiVersion": version, "kind": kind, "name": "web", "uid": owner["metadata"]["uid"]}
    made = {"name": "mine", "namespace": namespace, "ownerReferences": [{**reference, "controller": True}]}
    return await plane.workloads.create(
        {"apiVersion": "v1", "kind": "Pod", "metadata": made, "spec": {"containers": [CONTAINER]}}
    )


async def pod_of_job(plane: Plane, namespace: str) -> JsonObject:
    template = {"spec": {"containers": [CONTAINER], "restartPolicy": "Never"}}
    return await pod_of(plane, namespace, "Job", "batch/v1", {"suspend": True, "template": template})


async def pod_of_replication_controller(plane: Plane, namespace: str) -> JsonObject:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [CONTAINER]}}
    return await pod_of(
        plane, namespace, "ReplicationController", "v1", {"selector": labels, "replicas": 1, "template": template}
    )


async def account(plane: Plane, namespace: str) -> JsonObject:
    return {**await Scene(plane, namespace).account(), "apiVersion": "v1", "kind": "ServiceAccount"}


async def secret(plane: Plane, namespace: str, **labels: str) -> JsonObject:
    scene = Scene(plane, namespace)
    await scene.account()
    found = await scene.token_secret()
    return {**found, **await plane.api.patch(path_of(found), {"metadata": {"labels": labels}})}


async def unused_secret(plane: Plane, namespace: str) -> JsonObject:
    return await secret(plane, namespace, **{LAST_USED: "2026-01-01"})


async def marked_secret(plane: Plane, namespace: str) -> JsonObject:
    return await secret(plane, namespace, **{INVALID_SINCE: "2026-01-01"})


SUBJECTS: dict[ActionKind, Subject] = {
    ActionKind.RESTART_WORKLOAD: workload,
    ActionKind.DELETE_POD: pod,
    ActionKind.CREATE_TOKEN_SECRET: account,
    ActionKind.ROTATE_TOKEN_SECRET: secret,
    ActionKind.DELETE_LEGACY_SECRET: unused_secret,
    ActionKind.REACTIVATE_LEGACY_TOKEN: marked_secret,
    ActionKind.PROBE_TOKEN: pod,
}


PODS = {"Job": pod_of_job, "ReplicationController": pod_of_replication_controller, "ReplicaSet": pod}


async def subject(kind: ActionKind, operation: Operation, plane: Plane, namespace: str) -> JsonObject:
    """Of the kind of object that this operation is for."""
    kinds = {each: of for table in (GET_OWNER, PATCH_WORKLOAD) for of, each in table.items()}
    of = kinds.get(operation)
    if kind is ActionKind.RESTART_WORKLOAD and of:
        return await workload(plane, namespace, of)
    if kind is ActionKind.DELETE_POD and of:
        return await (PODS[of](plane, namespace) if of in PODS else pod(plane, namespace, of))
    return await SUBJECTS[kind](plane, namespace)


def test_every_action_is_tried_here() -> None:
    assert set(SUBJECTS) == set(ACTIONS) == set(EFFECT_NEEDS)
    assert {*ROUTES, *SUBJECTS} == set(FEATURES)


# --- the rights ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SUBJECTS)
async def test_an_action_s_file_is_all_that_it_takes(kind: ActionKind, plane: Plane, namespace: str) -> None:
    found = await SUBJECTS[kind](plane, namespace)
    async with connected(await with_features(plane, f"{kind}-{namespace}", [kind])) as cluster:
        assert (await Acting(cluster, kind, ref_of(found)).carry_out()).failed == ""


@pytest.mark.parametrize("kind", SUBJECTS)
async def test_the_installed_account_does_it(kind: ActionKind, plane: Plane, namespace: str, installed: Path) -> None:
    """With the admission policy, too."""
    found = await SUBJECTS[kind](plane, namespace)
    async with connected(installed) as cluster:
        assert (await Acting(cluster, kind, ref_of(found)).carry_out()).failed == ""


EACH = [(kind, operation) for kind, operations in EFFECT_NEEDS.items() for operation in operations]
BETTER = {LIST_ENDPOINT_SLICES}
"""Without it a token is reviewed by one API server, and not by each."""


@asynccontextmanager
async def without(kind: ActionKind, missing: Operation, plane: Plane, namespace: str) -> AsyncIterator[Cluster]:
    """Somebody with all rights that the table has for this action, but one."""
    user = f"{kind}-{namespace}"
    for each in EFFECT_NEEDS[kind]:
        if each != missing:
            rule = rule_in(each, namespace)
            await plane.users.grant(user, yaml.safe_load(rule.as_yaml()), namespace=rule.namespace or None)
    async with connected(await plane.users.kubeconfig_for(user, [])) as cluster:
        yield cluster


@pytest.mark.parametrize(
    ("kind", "operation"),
    EACH,
    ids=[f"{kind}-without-{operation.verb}-{operation.resource}" for kind, operation in EACH],
)
async def test_without_one_of_its_rights_it_is_refused_with_the_rule(
    kind: ActionKind, operation: Operation, plane: Plane, namespace: str
) -> None:
    found = await subject(kind, operation, plane, namespace)
    missing = rule_in(operation, namespace)
    async with without(kind, operation, plane, namespace) as cluster:
        acting = Acting(cluster, kind, ref_of(found))
        if operation in BETTER:
            assert (await acting.carry_out()).failed == ""
            return
        with pytest.raises(CannotActError) as raised:
            await acting.plan()
    assert str(raised.value) == f"{denied_sentence(missing)}."
    assert missing.as_yaml() in raised.value.next_step


async def checked(kubeconfig: Path, target: JsonObject, routes: Routes) -> Report:
    meta = target["metadata"]
    wanted = Target(namespace=meta["namespace"], kind=target["kind"].lower(), name=meta["name"])
    async with connected(kubeconfig) as cluster:
        return await examine(
            {"test": cluster}, wanted, routes=routes, now=utc_now, monotonic=time.monotonic, deadline_seconds=30
        )


def denied(report: Report) -> list[str]:
    return [f"{gap.facet}: {gap.reason}" for gap in report.gaps if gap.kind.spoils]


@pytest.mark.parametrize("target", [workload, pod, account, secret], ids=lambda each: each.__name__)
async def test_reading_takes_no_more_than_its_file(target: Subject, plane: Plane, namespace: str) -> None:
    reader = await with_features(plane, f"reader-{namespace}", [])
    assert denied(await checked(reader, await target(plane, namespace), Routes())) == []


@pytest.mark.parametrize("route", ROUTES)
async def test_a_route_s_file_is_all_that_it_takes(route: str, plane: Plane, namespace: str) -> None:
    found = await pod(plane, namespace)
    reader = await with_features(plane, f"{route}-{namespace}", [route])
    assert denied(await checked(reader, found, ROUTES[route])) == []


async def test_the_installed_account_goes_every_route(plane: Plane, namespace: str, installed: Path) -> None:
    """With the admission policy, too: exec is `cat`, a token lives ten minutes, the throw-away objects are its own."""
    every = Routes(probe=True, exec=True, secret_data=True, controller_probe=PROBES)
    report = await checked(installed, await pod(plane, namespace), every)
    assert denied(report) == []
    assert not [gap for gap in report.gaps if gap.kind is GapKind.SWITCHED_OFF]


# --- the manifests ------------------------------------------------------------------------------------------


async def test_the_api_server_takes_every_manifest(plane: Plane, tmp_path: Path, installed: Path) -> None:
    for folder in (DEPLOY / "base", everything(tmp_path)):
        built = await kubectl(plane, "kustomize", str(folder))
        await kubectl(plane, "apply", "--server-side", "--dry-run=server", "--force-conflicts", "-f", "-", stdin=built)


async def test_the_example_is_of_one_piece(plane: Plane, namespace: str) -> None:
    """Another account in every place where one is named; and the API server takes it."""
    built = await kubectl(plane, "kustomize", str(DEPLOY / "overlays" / "example"))
    assert "token-doctor:token-doctor" not in built
    documents = [each for each in yaml.safe_load_all(built) if each["kind"] != "Namespace"]
    policy = next(each for each in documents if each["kind"] == "ValidatingAdmissionPolicy")
    assert policy["spec"]["matchConditions"][0]["expression"].endswith('"system:serviceaccount:sre-bots:token-doctor"')
    assert '"sre-bots"' in policy["spec"]["variables"][0]["expression"]
    subjects = {(one["namespace"], one["name"]) for each in documents for one in each.get("subjects", [])}
    assert subjects == {("sre-bots", "token-doctor")}
    for document in documents:
        if document["metadata"].get("namespace") in {"sre-bots", "shop"}:
            document["metadata"]["namespace"] = namespace
    await kubectl(plane, "apply", "--dry-run=server", "-f", "-", stdin=yaml.safe_dump_all(documents))


async def test_the_document_s_command_shows_that_the_policy_is_in_force(plane: Plane, installed: Path) -> None:
    text = (DEPLOY.parent / "docs" / "setup" / "permissions.md").read_text()
    command = re.search(r"^ *kubectl (create configmap .+)$", text, flags=re.MULTILINE)
    assert command
    with pytest.raises(AssertionError, match="denied request: token-doctor never does this: CREATE configmaps"):
        await kubectl(plane, *command[1].split())
