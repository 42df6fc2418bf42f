"""A check never lists a whole cluster, whatever is switched on: the API server's audit log says so."""

import time
from collections.abc import Set as AbstractSet

import pytest

from benchmarks.audit import lists_whole_cluster
from bot.examine import examine
from bot.kube.client import connect, utc_now
from bot.kube.permissions import rules
from bot.model import Routes, Target
from tests.cluster.api import JsonObject
from tests.cluster.faults import by_name
from tests.cluster.faults.scene import Scene
from tests.cluster.plane import Plane
from tests.cluster.waiting import eventually

EVERYTHING = Routes(exec=True, probe=True, secret_data=True)
ASKED = {"pods", "pods/log", "pods/exec", "secrets", "events", "tokenreviews", "serviceaccounts/token"}
"""Of what every route asks for: without it the test would prove nothing."""


async def examined(plane: Plane, namespace: str) -> list[JsonObject]:
    """The audit events of a check with every route, by a user who may list everything."""
    scene = Scene(plane, namespace)
    await scene.account()
    await scene.token_secret()
    pod = await scene.pod(
        {
            "containers": [
                {
                    "name": "app",
                    "image": "shop/checkout:1.4",
                    "volumeMounts": [{"name": "legacy", "mountPath": "/legacy"}],
                }
            ],
            "volumes": [{"name": "legacy", "secret": {"secretName": "checkout-token"}}],
        }
    )
    scene.says_401(pod)
    return await audited(plane, Target(namespace=namespace, name="app"), ASKED)


async def audited(plane: Plane, target: Target, asked: AbstractSet[str]) -> list[JsonObject]:
    """The audit events of a check of the target, once these resources are among them."""
    user = f"system:serviceaccount:{target.namespace}:token-doctor"
    everywhere = [
        {"nonResourceURLs": [rule.resource], "verbs": [rule.verb]}
        if rule.resource.startswith("/")
        else {"apiGroups": [rule.group], "resources": [rule.resource], "verbs": [rule.verb]}
        for rule in rules(EVERYTHING, "")
    ]
    cluster = await connect("here", kubeconfig=await plane.users.kubeconfig_for(user, everywhere))
    try:
        report = await examine({"here": cluster}, target, routes=EVERYTHING, now=utc_now, monotonic=time.monotonic)
    finally:
        await cluster.close()
    assert [gap for gap in report.gaps if gap.kind.spoils] == []

    async def read() -> list[JsonObject]:
        return [event for event in plane.audit_events() if event["user"].get("username") == user]

    return await eventually(read, lambda events: set(map(resource, events)) >= asked, "the check is in the audit log")


def resource(event: JsonObject) -> str:
    about = event.get("objectRef", {})
    return "/".join(filter(None, (about.get("resource", ""), about.get("subresource", ""))))


async def test_a_check_with_every_route_lists_no_whole_cluster(plane: Plane, namespace: str) -> None:
    events = await examined(plane, namespace)
    assert [event["requestURI"] for event in events if lists_whole_cluster(event)] == []
    # Besides its own namespace only where the API servers are published and where they run.
    lists = {event["objectRef"]["namespace"] for event in events if event["verb"] == "list"}
    assert lists == {namespace, "default", "kube-system"}


async def test_secrets_are_listed_by_type_and_read_by_name(plane: Plane, namespace: str) -> None:
    secrets = [event for event in await examined(plane, namespace) if resource(event) == "secrets"]
    assert {(event["verb"], event["objectRef"].get("name", "")) for event in secrets} == {
        ("list", ""),
        ("get", "checkout-token"),
    }
    assert {event["objectRef"].get("namespace") for event in secrets} == {namespace}
    lists = [event["requestURI"] for event in secrets if event["verb"] == "list"]
    assert all("fieldSelector=type%3Dkubernetes.io/service-account-token" in uri for uri in lists), lists


@pytest.mark.parametrize(
    ("inject", "asked", "without_namespace"),
    [
        ("deployment_of_three", {"pods", "pods/log", "pods/exec", "replicasets"}, set()),
        ("cron_job_that_has_run", {"pods", "jobs"}, set()),
        ("namespace_with_one_of_each", {"pods", "deployments", "jobs", "pods/exec"}, set()),
        # RBAC's own objects stand in no namespace.
        ("account_of_three_pods", {"pods", "rolebindings", "roles"}, {"clusterroles", "clusterrolebindings"}),
    ],
)
async def test_no_other_target_lists_a_whole_cluster_either(
    inject: str, asked: set[str], without_namespace: set[str], plane: Plane, namespace: str
) -> None:
    found = await by_name(inject)(Scene(plane, namespace))
    target = Target(namespace=namespace, kind=found["kind"].lower(), name=found["metadata"]["name"])
    events = await audited(plane, target, asked | without_namespace)
    assert {resource(event) for event in events if lists_whole_cluster(event)} == without_namespace
    changing = {resource(event) for event in events if event["verb"] not in {"get", "list"}}
    assert changing <= {"pods/exec", "serviceaccounts/token", "tokenreviews", "subjectaccessreviews"}
