"""From a target to an object that exists, or to names that do."""

import pytest

from bot.errors import ClusterForbiddenError, ClusterUnreachableError, TargetNotFoundError
from bot.kube.client import Cluster
from bot.kube.resolve import resolve
from bot.model import Target
from tests.unit.kube.fake_api import ACCOUNT_PATH, NAMESPACE, POD_PATH, FakeApi, forbids, hangs, listed, named, says

CORE, APPS, BATCH = (f"{root}/namespaces/{NAMESPACE}" for root in ("/api/v1", "/apis/apps/v1", "/apis/batch/v1"))
PODS = f"{CORE}/pods"
OWNED = {"ownerReferences": [{"kind": "CronJob", "name": "nightly", "controller": True}]}
ONLY_PODS = ("deployments", "statefulsets", "daemonsets")


def target(name: str, *, namespace: str = NAMESPACE, kind: str = "") -> Target:
    return Target(namespace=namespace, name=name, kind=kind)


async def not_found(cluster: Cluster, wanted: Target) -> TargetNotFoundError:
    with pytest.raises(TargetNotFoundError) as raised:
        await resolve(cluster, wanted)
    return raised.value


async def test_a_pod_that_exists(api: FakeApi, cluster: Cluster) -> None:
    ref = await resolve(cluster, target("checkout-1", kind="pod"))
    assert (ref.cluster, ref.kind, ref.name, ref.uid) == (
        "here",
        "Pod",
        "checkout-1",
        "11111111-1111-1111-1111-111111111111",
    )


@pytest.mark.parametrize(
    ("path", "kind", "api_version"),
    [
        (f"{APPS}/deployments/web", "Deployment", "apps/v1"),
        (f"{APPS}/statefulsets/web", "StatefulSet", "apps/v1"),
        (f"{APPS}/daemonsets/web", "DaemonSet", "apps/v1"),
        (f"{BATCH}/jobs/web", "Job", "batch/v1"),
        (f"{BATCH}/cronjobs/web", "CronJob", "batch/v1"),
        (f"{CORE}/serviceaccounts/web", "ServiceAccount", "v1"),
        (f"{APPS}/replicasets/web", "ReplicaSet", "apps/v1"),
        (f"{CORE}/secrets/web", "Secret", "v1"),
    ],
)
async def test_each_kind_is_found_by_name(
    path: str, kind: str, api_version: str, api: FakeApi, cluster: Cluster
) -> None:
    api.on(path, says(named("web")))
    ref = await resolve(cluster, target("web", kind=kind.lower()))
    assert (ref.kind, ref.api_version, ref.name, ref.uid) == (kind, api_version, "web", "uid-of-web")
    if kind not in {"ReplicaSet", "Secret"}:
        assert await resolve(cluster, target("web")) == ref


async def test_a_namespace_is_a_target_too(api: FakeApi, cluster: Cluster) -> None:
    ref = await resolve(cluster, target(NAMESPACE, kind="namespace"))
    assert (str(ref), ref.namespace, ref.name, ref.uid) == ("namespace shop", "shop", "shop", "n")
    api.on("/api/v1/namespaces", says(listed({"metadata": {"name": "shop"}}, {"metadata": {"name": "bank"}})))
    error = await not_found(cluster, target("shpo", namespace="shpo", kind="namespace"))
    assert (str(error), error.nearest) == ("There is no namespace shpo in cluster here.", ("namespace/shop",))


async def test_a_bare_name_is_looked_up_in_one_round(api: FakeApi, cluster: Cluster) -> None:
    api.on(f"{APPS}/deployments/checkout", says(named("checkout")))
    ref = await resolve(cluster, target("checkout"))
    # The service account of the same name is the usual case, and is not meant.
    assert ref.kind == "Deployment"
    assert len(api.requests) == 7


async def test_the_generated_name_of_a_pod_costs_one_request(api: FakeApi, cluster: Cluster) -> None:
    api.on(f"{PODS}/web-5d9c7b-x7k2p", says(named("web-5d9c7b-x7k2p")))
    api.on(f"{BATCH}/jobs/import-x7k2p", says(named("import-x7k2p")))

    assert (await resolve(cluster, target("web-5d9c7b-x7k2p"))).kind == "Pod"
    assert not api.asked(f"{APPS}/deployments/web-5d9c7b-x7k2p")
    assert (await resolve(cluster, target("import-x7k2p"))).kind == "Job"


async def test_two_that_share_the_name_are_offered(api: FakeApi, cluster: Cluster) -> None:
    api.on(f"{APPS}/deployments/checkout", says(named("checkout")))
    api.on(f"{BATCH}/jobs/checkout", says(named("checkout")))
    error = await not_found(cluster, target("checkout"))
    assert str(error) == "More than one thing is called shop/checkout: a deployment and a job."
    assert error.next_step == "Which: shop/deployment/checkout or shop/job/checkout?"
    assert (await resolve(cluster, target("checkout", kind="job"))).kind == "Job"


async def test_workloads_are_offered_before_the_pods_they_made(api: FakeApi, cluster: Cluster) -> None:
    api.on(f"{APPS}/deployments", says(listed(named("checkout"), named("unrelated"))))
    api.on(PODS, says(listed(named("checkout-5d9c-x7k2p"), named("chekout-1"))))
    api.on(f"{BATCH}/jobs", says(listed(named("chekout-28", **OWNED))))
    api.on(f"{CORE}/serviceaccounts", says(listed(named("checkout"), named("checkouts"), named("zzz"))))

    error = await not_found(cluster, target("chekout"))

    assert error.nearest == ("shop/checkout", "shop/checkouts", "shop/chekout-1", "shop/chekout-28")
    assert "Did you mean shop/checkout or" in error.next_step


async def test_the_same_name_of_another_kind_comes_first(api: FakeApi, cluster: Cluster) -> None:
    api.on(f"{APPS}/statefulsets", says(listed(named("db"), named("web"))))
    api.on(f"{APPS}/deployments", says(listed(named("db-proxy"), named("web"))))
    error = await not_found(cluster, target("db", kind="deployment"))
    assert str(error) == "There is no deployment shop/db in cluster here."
    assert error.nearest == ("shop/db", "shop/db-proxy")
    # A bare name that two have would only be asked back.
    assert (await not_found(cluster, target("web", kind="daemonset"))).nearest == (
        "shop/deployment/web",
        "shop/statefulset/web",
    )


async def test_one_pod_of_that_name_is_offered_and_not_guessed(api: FakeApi, cluster: Cluster) -> None:
    api.answers.pop(ACCOUNT_PATH)
    api.on(PODS, says(listed(named("checkout-5d9c-x7k2p"))))
    assert (await not_found(cluster, target("checkout"))).nearest == ("shop/checkout-5d9c-x7k2p",)


async def test_a_kind_where_the_namespace_belongs_is_pointed_out(api: FakeApi, cluster: Cluster) -> None:
    error = await not_found(cluster, target("checkout", namespace="deploy"))
    assert error.next_step == "If deploy is meant as a kind, write it as NAMESPACE/deployment/checkout."


async def test_a_namespace_that_does_not_exist_gets_the_nearest(api: FakeApi, cluster: Cluster) -> None:
    api.on("/api/v1/namespaces", says(listed({"metadata": {"name": "shop"}}, {"metadata": {"name": "bank"}})))
    error = await not_found(cluster, target("checkout-1", namespace="shpo"))
    assert str(error) == "There is no namespace shpo in cluster here."
    assert error.nearest == ("shop/checkout-1",)


async def test_names_that_may_not_be_listed_are_not_offered(api: FakeApi, cluster: Cluster) -> None:
    api.on("/api/v1/namespaces", forbids("list", "namespaces", namespace=""))
    assert (await not_found(cluster, target("checkout-1", namespace="shpo"))).nearest == ()

    api.answers.pop(ACCOUNT_PATH)
    api.on(PODS, forbids("list", "pods"))
    assert (await not_found(cluster, target("checkout"))).nearest == ()


async def test_a_refused_pod_names_the_rule(api: FakeApi, cluster: Cluster) -> None:
    api.on(POD_PATH, forbids("get", "pods"))
    with pytest.raises(ClusterForbiddenError, match=r"^token-doctor may not get pods in namespace shop, so") as raised:
        await resolve(cluster, target("checkout-1"))
    assert '- {apiGroups: [""], resources: ["pods"], verbs: ["get"]}' in raised.value.next_step


async def test_what_may_not_be_looked_for_is_not_taken_for_absent(api: FakeApi, cluster: Cluster) -> None:
    api.answers.pop(ACCOUNT_PATH)
    for kind in ONLY_PODS:
        api.on(f"{APPS}/{kind}/checkout", forbids("get", kind, "apps"))
    with pytest.raises(ClusterForbiddenError) as raised:
        await resolve(cluster, target("checkout"))
    assert str(raised.value) == (
        "token-doctor may not get deployments.apps, statefulsets.apps, daemonsets.apps in namespace shop, "
        "so it was not looked whether shop/checkout is a deployment, statefulset or daemonset. It is nothing else."
    )
    assert 'resources: ["statefulsets"], verbs: ["get"]}` and `- {' in raised.value.next_step

    api.on(f"{BATCH}/jobs/checkout", says(named("checkout")))
    assert (await resolve(cluster, target("checkout"))).kind == "Job"


async def test_a_service_account_is_not_taken_where_a_workload_may_be_meant(api: FakeApi, cluster: Cluster) -> None:
    api.on(f"{APPS}/deployments/checkout", forbids("get", "deployments", "apps"))
    with pytest.raises(ClusterForbiddenError, match="There is a service account of that name") as raised:
        await resolve(cluster, target("checkout"))
    assert raised.value.next_step.endswith("or ask for shop/serviceaccount/checkout")
    assert (await resolve(cluster, target("checkout", kind="serviceaccount"))).kind == "ServiceAccount"


async def test_a_server_that_does_not_answer(api: FakeApi, cluster: Cluster) -> None:
    api.on(POD_PATH, hangs)
    with pytest.raises(ClusterUnreachableError, match="did not answer within"):
        await resolve(cluster, target("checkout-1"), deadline_seconds=0.2)


async def test_a_server_that_is_not_there(api: FakeApi, cluster: Cluster) -> None:
    cluster.main.server = type(cluster.main.server)(url="http://127.0.0.1:1")
    with pytest.raises(ClusterUnreachableError, match=r"cannot be asked: no answer from .*: Connection refused"):
        await resolve(cluster, target("checkout-1"))
