"""probe-token: a fresh token is minted only after the approval, reviewed, and dropped."""

import pytest

from bot.actions.action import CannotActError, PlanChangedError
from bot.kube.client import Cluster, connect
from bot.model import ActionKind
from tests.cluster.actions.acting import Acting, ref_of
from tests.cluster.api import JsonObject
from tests.cluster.faults import Scene
from tests.cluster.plane import MakePlane, Plane
from tests.cluster.waiting import eventually
from tests.cluster.workloads import path_of


def probing(cluster: Cluster, found: JsonObject) -> Acting:
    return Acting(cluster, ActionKind.PROBE_TOKEN, ref_of(found))


def minted(plane: Plane, account: str) -> list[JsonObject]:
    """The TokenRequests for that account that the API server has audited, but the kubelet's."""
    path = f"/serviceaccounts/{account}/token"
    events = [event for event in plane.audit_events() if path in event["requestURI"]]
    return [event for event in events if not event["user"].get("username", "").startswith("system:node:")]


async def pod_of(plane: Plane, namespace: str, account: str) -> JsonObject:
    await Scene(plane, namespace).account(account)
    return await plane.workloads.run_pod(namespace, spec={"serviceAccountName": account})


async def test_a_fresh_token_of_a_pods_account_is_accepted(plane: Plane, namespace: str, cluster: Cluster) -> None:
    account = f"probed-{namespace}"
    acting = probing(cluster, await pod_of(plane, namespace, account))
    plan = await acting.plan()
    await acting.apply(plan)
    assert minted(plane, account) == [], "nothing is minted before it is followed"
    end = await acting.follow(plan)
    assert end.failed == ""
    assert end.text == (
        f"A fresh token of service account {namespace}/{account} is accepted by the API server. "
        "What is refused is an older one, or another one."
    )
    assert len(minted(plane, account)) == 1
    assert not await acting.is_done(plan)


async def test_a_service_accounts_own_is_bound_to_nothing(plane: Plane, namespace: str, cluster: Cluster) -> None:
    account = {"apiVersion": "v1", "kind": "ServiceAccount", **await Scene(plane, namespace).account()}
    acting = probing(cluster, account)
    assert "bound to nothing" in (await acting.plan()).difference[0]
    assert "is accepted by the API server" in (await acting.carry_out()).text


async def test_without_its_account_there_is_nothing_to_try(plane: Plane, namespace: str, cluster: Cluster) -> None:
    pod = await pod_of(plane, namespace, "checkout")
    acting = probing(cluster, pod)
    plan = await acting.plan()
    account = f"/api/v1/namespaces/{namespace}/serviceaccounts/checkout"
    await plane.api.delete(account)
    with pytest.raises(CannotActError, match="does not exist: no token can be minted"):
        await acting.plan()
    end = await acting.follow(plan)
    assert "No token could be minted." in end.text
    assert 'serviceaccounts "checkout" not found' in end.failed
    await Scene(plane, namespace).account()
    with pytest.raises(PlanChangedError, match="deleted and created again"):
        await acting.apply(plan)


async def test_a_pod_of_the_same_name_is_another(plane: Plane, namespace: str, cluster: Cluster) -> None:
    pod = await pod_of(plane, namespace, "checkout")
    acting = probing(cluster, pod)
    plan = await acting.plan()
    await plane.api.delete(path_of(pod))
    await Scene(plane, namespace).gone(pod)
    with pytest.raises(PlanChangedError, match="does not exist any more"):
        await acting.apply(plan)
    await plane.workloads.run_pod(namespace, spec={"serviceAccountName": "checkout"})
    with pytest.raises(PlanChangedError, match="another pod of the same name"):
        await acting.apply(plan)
    assert "No token could be minted." in (await acting.follow(plan)).text


async def test_a_refusal_is_the_answer_and_no_failure(private_plane: MakePlane) -> None:
    """The API server signs with a key that it does not accept itself."""
    plane = await private_plane()
    namespace = await plane.create_namespace()
    account = {"apiVersion": "v1", "kind": "ServiceAccount", **await Scene(plane, namespace).account()}
    foreign = plane.layout.foreign_signing_key
    await plane.stop("kube-apiserver")
    await plane.start("kube-apiserver", {"service-account-key-file": str(foreign.public)})
    cluster = await connect("test", kubeconfig=plane.kubeconfig)
    try:
        acting = probing(cluster, account)
        await eventually(lambda: plane.api.get(path_of(account)), bool, "the API server answers")
        end = await acting.carry_out()
        assert end.failed == ""
        assert "is refused by 1 of 1 API server." in end.text
        assert "invalid signature, no keys found" in end.text
    finally:
        await cluster.close()


async def test_without_the_right_to_mint_nobody_is_asked(plane: Plane, namespace: str) -> None:
    account = {"apiVersion": "v1", "kind": "ServiceAccount", **await Scene(plane, namespace).account()}
    rule = {"apiGroups": [""], "resources": ["serviceaccounts"], "verbs": ["get"]}
    kubeconfig = await plane.users.kubeconfig_for(f"prober-{namespace}", [rule], namespace=namespace)
    prober = await connect("test", kubeconfig=kubeconfig)
    try:
        with pytest.raises(CannotActError, match="may not create serviceaccounts/token in namespace") as raised:
            await probing(prober, account).plan()
        assert 'resources: ["serviceaccounts/token"], verbs: ["create"]' in raised.value.next_step
    finally:
        await prober.close()
