"""From a target to a pod that exists, or to names that do."""

import pytest

from bot.errors import ClusterForbiddenError, ClusterUnreachableError, TargetNotFoundError
from bot.kube.client import Cluster
from bot.kube.resolve import resolve
from bot.model import Target
from tests.unit.kube.fake_api import NAMESPACE, POD_PATH, FakeApi, forbids, hangs, listed, named, says

PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"


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


async def test_a_workload_s_name_offers_its_pods_first(api: FakeApi, cluster: Cluster) -> None:
    names = ["chekout", "checkout-5d9c-x7k2p", "checkout-5d9c-aaaaa", "unrelated"]
    api.on(PODS, says(listed(*(named(name) for name in names))))

    error = await not_found(cluster, target("checkout"))

    assert error.nearest == ("shop/checkout-5d9c-aaaaa", "shop/checkout-5d9c-x7k2p", "shop/chekout")
    assert "Did you mean shop/checkout-5d9c-aaaaa" in error.next_step


async def test_one_pod_of_that_name_is_offered_and_not_guessed(api: FakeApi, cluster: Cluster) -> None:
    api.on(PODS, says(listed(named("checkout-5d9c-x7k2p"))))
    assert (await not_found(cluster, target("checkout"))).nearest == ("shop/checkout-5d9c-x7k2p",)


async def test_another_kind_offers_pods_too(api: FakeApi, cluster: Cluster) -> None:
    error = await not_found(cluster, target("checkout", kind="deployment"))
    assert str(error) == "A deployment cannot be checked, only a pod can."
    assert error.nearest == ("shop/checkout-1", "shop/checkout-2")


async def test_a_namespace_that_does_not_exist_gets_the_nearest(api: FakeApi, cluster: Cluster) -> None:
    api.on("/api/v1/namespaces", says(listed({"metadata": {"name": "shop"}}, {"metadata": {"name": "bank"}})))
    error = await not_found(cluster, target("checkout-1", namespace="shpo"))
    assert str(error) == "There is no namespace shpo in cluster here."
    assert error.nearest == ("shop/checkout-1",)


async def test_names_that_may_not_be_listed_are_not_offered(api: FakeApi, cluster: Cluster) -> None:
    api.on("/api/v1/namespaces", forbids("list", "namespaces", namespace=""))
    assert (await not_found(cluster, target("checkout-1", namespace="shpo"))).nearest == ()

    api.on(PODS, forbids("list", "pods"))
    assert (await not_found(cluster, target("checkout"))).nearest == ()


async def test_a_refused_pod_names_the_rule(api: FakeApi, cluster: Cluster) -> None:
    api.on(POD_PATH, forbids("get", "pods"))
    with pytest.raises(ClusterForbiddenError, match=r"^token-doctor may not get pods in namespace shop, so") as raised:
        await resolve(cluster, target("checkout-1"))
    assert '- {apiGroups: [""], resources: ["pods"], verbs: ["get"]}' in raised.value.next_step


async def test_a_server_that_does_not_answer(api: FakeApi, cluster: Cluster) -> None:
    api.on(POD_PATH, hangs)
    with pytest.raises(ClusterUnreachableError, match="did not answer within"):
        await resolve(cluster, target("checkout-1"), deadline_seconds=0.2)


async def test_a_server_that_is_not_there(api: FakeApi, cluster: Cluster) -> None:
    cluster.main.server = type(cluster.main.server)(url="http://127.0.0.1:1")
    with pytest.raises(ClusterUnreachableError, match=r"cannot be asked: no answer from .*: Connection refused"):
        await resolve(cluster, target("checkout-1"))
