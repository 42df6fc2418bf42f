"""A target of several pods: which they are, that what they share is read once, and what becomes of failures."""

from datetime import UTC, datetime

import pytest

from bot.errors import ClusterUnreachableError
from bot.kube.client import Cluster
from bot.kube.survey import MOST_PODS, MOST_WORKLOADS, survey
from bot.model import GapKind, ObjectRef, Routes, Survey
from tests.unit import jwts
from tests.unit.kube import fake_api
from tests.unit.kube.fake_api import (
    ACCOUNT_PATH,
    NAMESPACE,
    FakeApi,
    Json,
    forbids,
    hangs,
    listed,
    named,
    refuses,
    says,
)

NOW = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
CORE, APPS, BATCH = (f"{root}/namespaces/{NAMESPACE}" for root in ("/api/v1", "/apis/apps/v1", "/apis/batch/v1"))
RBAC = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}"
ALL_OFF = Routes()


async def read(cluster: Cluster, kind: str, name: str, *, seconds: float = 10, routes: Routes = ALL_OFF) -> Survey:
    ref = ObjectRef(cluster="here", api_version="v1", kind=kind, namespace=NAMESPACE, name=name, uid=f"uid-of-{name}")
    return await survey(
        cluster, ref, routes=routes, deadline_seconds=seconds, log_lines=100, others=[], now=lambda: NOW
    )


def owned(kind: str, name: str, **more: object) -> dict[str, object]:
    return {"ownerReferences": [{"kind": kind, "name": name, "uid": f"uid-of-{name}", "controller": True}], **more}


def pod(name: str, kind: str = "", owner: str = "", *, status: Json | None = None, **spec: object) -> Json:
    """A running pod of that name, and of that controller."""
    made = fake_api.pod(status=status, **spec)
    return {**made, **named(name, **(owned(kind, owner) if kind else {}))}


def manifest(name: str, *, replicas: int | None = 2, **spec: object) -> Json:
    template = {"spec": fake_api.pod()["spec"]}
    selector = {"matchLabels": {"app": name}}
    return {**named(name), "spec": {"replicas": replicas, "selector": selector, "template": template, **spec}}


def a_deployment(api: FakeApi, pods: int = 2) -> None:
    """`checkout`, with one ReplicaSet; another one's pod carries its labels."""
    api.on(f"{APPS}/deployments/checkout", says(manifest("checkout", replicas=pods)))
    api.on(
        f"{APPS}/replicasets",
        says(listed(named("checkout-1", **owned("Deployment", "checkout")), named("alien-1", **owned("Rollout", "x")))),
    )
    own = [pod(f"checkout-1-{number:02}", "ReplicaSet", "checkout-1") for number in range(pods)]
    api.on(f"{CORE}/pods", says(listed(*own, pod("alien-1-x", "ReplicaSet", "alien-1"), pod("bare"))))


def names(found: Survey) -> list[str]:
    return [snapshot.target.name for snapshot in found.pods]


async def test_a_deployment_is_its_replica_sets_pods_by_uid(api: FakeApi, cluster: Cluster) -> None:
    a_deployment(api)
    found = await read(cluster, "Deployment", "checkout")
    assert names(found) == ["checkout-1-00", "checkout-1-01"]
    assert (found.total, found.more, found.own, found.gaps) == (2, False, None, ())
    assert {snapshot.target.kind for snapshot in found.pods} == {"Pod"}
    lists = [
        request.query["labelSelector"] for request in api.asked(f"{CORE}/pods") if "labelSelector" in request.query
    ]
    assert lists == ["app=checkout"]


async def test_what_does_not_depend_on_a_pod_is_read_once(api: FakeApi, cluster: Cluster) -> None:
    a_deployment(api, pods=5)
    found = await read(cluster, "Deployment", "checkout")
    shared = (
        "/version",
        "/openid/v1/jwks",
        f"{CORE}/secrets",
        "/api/v1/namespaces/kube-system/pods/kube-apiserver-a/log",
    )
    assert {path: len(api.asked(path)) for path in shared} == dict.fromkeys(shared, 1)
    assert {snapshot.version.read().git_version for snapshot in found.pods} == {"v1.36.3"}
    assert {snapshot.discovery.read().issuer for snapshot in found.pods} == {"https://issuer.test"}
    # The listed pods are not got again.
    assert not api.asked(f"{CORE}/pods/checkout-1-00")


async def test_of_many_pods_a_stated_number_is_examined(api: FakeApi, cluster: Cluster) -> None:
    a_deployment(api, pods=MOST_PODS + 7)
    found = await read(cluster, "Deployment", "checkout")
    assert (len(found.pods), found.total) == (MOST_PODS, MOST_PODS + 7)


async def test_a_selector_of_expressions_is_written_as_the_api_takes_it(api: FakeApi, cluster: Cluster) -> None:
    expressions = [
        {"key": "app", "operator": "In", "values": ["a", "b"]},
        {"key": "tier", "operator": "NotIn", "values": ["x"]},
        {"key": "ready", "operator": "Exists"},
        {"key": "old", "operator": "DoesNotExist"},
    ]
    selector = {"matchLabels": {"app": "web"}, "matchExpressions": expressions}
    api.on(f"{APPS}/statefulsets/web", says(manifest("web", selector=selector)))
    api.on(f"{CORE}/pods", says(listed(pod("web-0", "StatefulSet", "web"), pod("web-1", "StatefulSet", "web"))))
    assert names(await read(cluster, "StatefulSet", "web")) == ["web-0", "web-1"]
    assert api.asked(f"{CORE}/pods")[0].query["labelSelector"] == "app=web,app in (a,b),tier notin (x),ready,!old"


async def test_without_a_pod_the_template_is_read_and_why_there_is_none(api: FakeApi, cluster: Cluster) -> None:
    a_deployment(api, pods=0)
    api.on(f"{APPS}/deployments/checkout", says(manifest("checkout", replicas=2)))
    api.on(f"{CORE}/events", says(listed({**named("e"), "reason": "FailedCreate", "message": "no"})))
    found = await read(cluster, "Deployment", "checkout")
    assert (found.pods, found.total) == ((), 0)
    assert found.own is not None
    assert found.own.target.kind == "Deployment"
    assert found.own.pod.read().spec.service_account_name == "checkout"
    assert found.own.workload.read().wanted == 2
    asked = {request.query["fieldSelector"] for request in api.asked(f"{CORE}/events")}
    assert {"involvedObject.uid=uid-of-checkout", "involvedObject.uid=uid-of-checkout-1"} <= asked


@pytest.mark.parametrize(
    ("wanted", "newest", "template_of"), [(2, "checkout-1", ""), (3, "checkout-1", "checkout"), (2, "new", "checkout")]
)
async def test_the_template_is_read_beside_pods_only_where_some_are_missing(
    wanted: int, newest: str, template_of: str, api: FakeApi, cluster: Cluster
) -> None:
    a_deployment(api)
    api.on(f"{APPS}/deployments/checkout", says(manifest("checkout", replicas=wanted)))
    sets = [
        named(name, **owned("Deployment", "checkout", annotations={"deployment.kubernetes.io/revision": revision}))
        for name, revision in (("checkout-1", "9"), (newest, "10"))
    ]
    api.on(f"{APPS}/replicasets", says(listed(*sets)))
    found = await read(cluster, "Deployment", "checkout")
    assert len(found.pods) == 2
    assert (found.own.target.name if found.own else "") == template_of


async def test_a_token_in_a_template_or_a_listed_pod_does_not_get_through(api: FakeApi, cluster: Cluster) -> None:
    token = jwts.token(jwts.BOUND)
    containers = [{"name": "app", "env": [{"name": "TOKEN", "value": token}]}]
    a_deployment(api)
    spec = {"serviceAccountName": "checkout", "containers": containers}
    api.on(f"{APPS}/deployments/checkout", says(manifest("checkout", replicas=3, template={"spec": spec})))
    api.on(f"{CORE}/pods", says(listed(pod("checkout-1-00", "ReplicaSet", "checkout-1", containers=containers))))
    found = await read(cluster, "Deployment", "checkout")
    assert found.own is not None
    for snapshot in (found.own, *found.pods):
        assert token not in repr(snapshot)
        (seen,) = snapshot.spec_tokens.read()
        assert seen.claims is not None


async def test_pods_that_may_not_be_listed_are_a_gap_and_the_template_is_read(api: FakeApi, cluster: Cluster) -> None:
    a_deployment(api)
    api.on(f"{CORE}/pods", forbids("list", "pods"))
    found = await read(cluster, "Deployment", "checkout")
    (gap,) = found.gaps
    assert (gap.facet, gap.kind) == ("pods", GapKind.DENIED)
    assert 'resources: ["pods"], verbs: ["list"]' in gap.mend
    assert found.own is not None


async def test_without_the_replica_sets_nobody_knows_whose_the_pods_are(api: FakeApi, cluster: Cluster) -> None:
    a_deployment(api)
    api.on(f"{APPS}/replicasets", forbids("list", "replicasets", "apps"))
    found = await read(cluster, "Deployment", "checkout")
    assert (found.pods, [gap.facet for gap in found.gaps]) == ((), ["pods"])
    assert found.gaps[0].rule
    assert found.gaps[0].rule.resource == "replicasets"


async def test_a_workload_that_was_deleted_meanwhile(api: FakeApi, cluster: Cluster) -> None:
    found = await read(cluster, "Deployment", "gone")
    assert found.own is not None
    assert found.own.pod.gap is not None
    assert "deleted since it was looked up" in found.own.pod.gap.reason


async def test_the_deadline_holds_for_all_of_it(api: FakeApi, cluster: Cluster) -> None:
    a_deployment(api)
    api.on(ACCOUNT_PATH, hangs)
    api.on("/version", hangs)
    found = await read(cluster, "Deployment", "checkout", seconds=0.5)
    for snapshot in found.pods:
        assert snapshot.service_account.gap
        assert snapshot.version.gap
        assert {snapshot.service_account.gap.kind, snapshot.version.gap.kind} == {GapKind.TIMED_OUT}
        assert snapshot.discovery.gap is None


async def test_refused_credentials_end_it_with_one_sentence(api: FakeApi, cluster: Cluster) -> None:
    a_deployment(api)
    api.on(ACCOUNT_PATH, refuses(401, "Unauthorized", "Unauthorized"))
    with pytest.raises(ClusterUnreachableError):
        await read(cluster, "Deployment", "checkout")


async def test_a_cron_job_is_its_last_run_that_left_pods(api: FakeApi, cluster: Cluster) -> None:
    template = {"spec": {"template": {"spec": fake_api.pod()["spec"]}}}
    api.on(f"{BATCH}/cronjobs/nightly", says({**named("nightly"), "spec": {"jobTemplate": template}}))
    jobs = [
        named(f"nightly-{day}", **owned("CronJob", "nightly", creationTimestamp=f"2026-11-{day}T03:00:00Z"))
        for day in (20, 21, 22)
    ]
    api.on(f"{BATCH}/jobs", says(listed(*jobs, named("another"))))
    api.on(f"{CORE}/pods", says(listed(pod("old", "Job", "nightly-20"), pod("last", "Job", "nightly-21"))))
    found = await read(cluster, "CronJob", "nightly")
    assert names(found) == ["last"]
    selectors = {request.query.get("labelSelector") for request in api.asked(f"{CORE}/pods")}
    assert "job-name in (nightly-22,nightly-21,nightly-20)" in selectors

    api.on(f"{CORE}/pods", says(listed()))
    between = await read(cluster, "CronJob", "nightly")
    assert between.own is not None
    assert between.own.pod.read().spec.service_account_name == "checkout"


async def test_a_service_account_is_itself_its_pods_and_its_grants(api: FakeApi, cluster: Cluster) -> None:
    api.on(f"{CORE}/pods", says(listed(pod("a"), pod("b"))))
    role = {"kind": "Role", "name": "minter"}
    subjects = [{"kind": "User", "name": "anna"}]
    api.on(
        f"{RBAC}/rolebindings", says(listed({**named("minter"), "roleRef": role, "subjects": subjects}, named("bare")))
    )
    rule = {"verbs": ["create"], "apiGroups": [""], "resources": ["serviceaccounts/token"]}
    api.on(f"{RBAC}/roles", says(listed({**named("minter"), "rules": [rule]}, {**named("empty"), "rules": None})))
    for kind in ("clusterrolebindings", "clusterroles"):
        api.on(f"/apis/rbac.authorization.k8s.io/v1/{kind}", says(listed()))
    found = await read(cluster, "ServiceAccount", "checkout")
    assert (names(found), found.total) == (["a", "b"], 2)
    assert found.own is not None
    assert found.own.service_account.read() is not None
    (grant,) = found.own.grants.read()
    assert (str(grant), [str(subject) for subject in grant.subjects]) == (
        "RoleBinding shop/minter, Role minter",
        ["user anna"],
    )
    assert api.asked(f"{CORE}/pods")[0].query["fieldSelector"] == "spec.serviceAccountName=checkout"
    # None of the pods' own reports asks for RBAC.
    assert len(api.asked(f"{RBAC}/roles")) == 1


async def test_bindings_that_may_not_be_listed_are_a_gap(api: FakeApi, cluster: Cluster) -> None:
    api.on(f"{RBAC}/rolebindings", says(listed()))
    api.on(f"{RBAC}/roles", says(listed()))
    for kind in ("clusterrolebindings", "clusterroles"):
        api.on(f"/apis/rbac.authorization.k8s.io/v1/{kind}", forbids("list", kind, "rbac.authorization.k8s.io", ""))
    found = await read(cluster, "ServiceAccount", "checkout")
    assert found.own is not None
    assert found.own.grants.gap
    assert (found.own.grants.gap.kind, found.own.grants.gap.facet) == (GapKind.DENIED, "grants")


def a_namespace(api: FakeApi) -> None:
    api.on(f"{APPS}/deployments", says(listed(manifest("web"), manifest("off", replicas=0))))
    api.on(f"{APPS}/replicasets", says(listed(named("web-1", **owned("Deployment", "web")), named("rollout-1"))))
    api.on(f"{APPS}/statefulsets", says(listed(manifest("db", replicas=1))))
    api.on(f"{APPS}/daemonsets", says(listed()))
    ended = {"conditions": [{"type": "Complete", "status": "True"}]}
    job = {**manifest("nightly-1", replicas=None), **named("nightly-1", **owned("CronJob", "nightly"))}
    done = {**manifest("done", replicas=None), "status": ended}
    api.on(f"{BATCH}/jobs", says(listed(job, done)))
    template = {"spec": {"template": {"spec": fake_api.pod()["spec"]}}}
    api.on(f"{BATCH}/cronjobs", says(listed({**named("nightly"), "spec": {"jobTemplate": template}})))
    waiting = {"containerStatuses": [{"name": "app", "ready": False, "state": {"waiting": {"reason": "Error"}}}]}
    pods = [
        pod("web-1-a", "ReplicaSet", "web-1"),
        pod("web-1-b", "ReplicaSet", "web-1", status=waiting),
        pod("db-0", "StatefulSet", "db"),
        pod("nightly-1-x", "Job", "nightly-1"),
        pod("rollout-1-x", "ReplicaSet", "rollout-1"),
        pod("operated", "Cluster", "operator"),
        pod("bare"),
    ]
    api.on(f"{CORE}/pods", says(listed(*pods)))


async def test_a_namespace_is_its_workloads_each_with_a_pod_or_two(api: FakeApi, cluster: Cluster) -> None:
    a_namespace(api)
    found = await read(cluster, "Namespace", NAMESPACE)
    told = {f"{each.target.kind} {each.target.name}": names(each) for each in found.workloads}
    assert told == {
        "Deployment web": ["web-1-a", "web-1-b"],
        "Deployment off": [],
        "StatefulSet db": ["db-0"],
        "CronJob nightly": ["nightly-1-x"],
        "ReplicaSet rollout-1": ["rollout-1-x"],
        "Cluster operator": ["operated"],
        "Pod bare": ["bare"],
    }
    assert found.total == 7
    off = next(each for each in found.workloads if each.target.name == "off")
    assert off.own is not None
    assert len(api.asked("/version")) == 1
    assert len(api.asked(f"{CORE}/pods/bare")) == 0


async def test_of_many_workloads_those_in_trouble_are_examined_first(api: FakeApi, cluster: Cluster) -> None:
    a_namespace(api)
    many = [manifest(f"a-{number:02}", replicas=0) for number in range(MOST_WORKLOADS + 5)]
    api.on(f"{APPS}/statefulsets", says(listed(*many, manifest("z-lacks-pods", replicas=3))))
    found = await read(cluster, "Namespace", NAMESPACE)
    assert (len(found.workloads), found.total) == (MOST_WORKLOADS, MOST_WORKLOADS + 5 + 8)
    assert "z-lacks-pods" in {each.target.name for each in found.workloads}
    assert "a-24" not in {each.target.name for each in found.workloads}


async def test_a_kind_that_may_not_be_listed_is_a_gap_of_the_namespace(api: FakeApi, cluster: Cluster) -> None:
    a_namespace(api)
    api.on(f"{APPS}/statefulsets", forbids("list", "statefulsets", "apps"))
    found = await read(cluster, "Namespace", NAMESPACE)
    assert [(gap.facet, gap.kind) for gap in found.gaps] == [("statefulsets", GapKind.DENIED)]
    # It is known by its pods all the same.
    assert "db" in {each.target.name for each in found.workloads}
