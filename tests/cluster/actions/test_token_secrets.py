"""create-token-secret and rotate-token-secret: filled, reviewed, never shown, and never the same token again."""

import asyncio
import base64

import pytest

from bot.actions.action import CannotActError, PlanChangedError
from bot.kube.client import Cluster, connect
from bot.model import ActionKind
from bot.objects import REQUEST
from tests.cluster.actions.acting import Acting, forbidden, ref_of, refused_by
from tests.cluster.api import ApiError, JsonObject
from tests.cluster.faults import Scene
from tests.cluster.plane import MakePlane, Plane
from tests.cluster.waiting import eventually
from tests.cluster.workloads import path_of

TYPE = "kubernetes.io/service-account-token"


async def account_of(plane: Plane, namespace: str, name: str = "checkout") -> JsonObject:
    found = await Scene(plane, namespace).account(name)
    return {"apiVersion": "v1", "kind": "ServiceAccount", **found}


def creating(cluster: Cluster, account: JsonObject, name: str = "") -> Acting:
    return Acting(cluster, ActionKind.CREATE_TOKEN_SECRET, ref_of(account), parameters={"secret": name} if name else {})


async def secrets_in(plane: Plane, namespace: str) -> list[JsonObject]:
    found: list[JsonObject] = (await plane.api.get(f"/api/v1/namespaces/{namespace}/secrets"))["items"]
    return found


def token_of(secret: JsonObject) -> str:
    return base64.b64decode(secret["data"]["token"]).decode()


def rotating(cluster: Cluster, secret: JsonObject) -> Acting:
    return Acting(cluster, ActionKind.ROTATE_TOKEN_SECRET, ref_of(secret))


# --- creating -----------------------------------------------------------------------------------------------


async def test_it_is_made_filled_reviewed_and_not_shown(plane: Plane, namespace: str, cluster: Cluster) -> None:
    account = await account_of(plane, namespace)
    acting = creating(cluster, account)
    plan = await acting.plan()
    assert await secrets_in(plane, namespace) == [], "a plan makes nothing"
    end = await acting.carry_out()
    (made,) = await secrets_in(plane, namespace)
    name = made["metadata"]["name"]
    assert made["type"] == TYPE
    assert made["metadata"]["annotations"] == {
        "kubernetes.io/service-account.name": "checkout",
        "kubernetes.io/service-account.uid": account["metadata"]["uid"],
        REQUEST: acting.request,
    }
    assert name == plan.parameters["secret"]
    assert name.startswith("checkout-token-20")
    assert end.failed == ""
    assert end.text == (
        f"Secret {namespace}/{name} is filled, and its token is accepted by the API server. Read it with: "
        f"kubectl -n {namespace} get secret {name} -o go-template='{{{{.data.token | base64decode}}}}'."
    )
    assert (await plane.tokens.review(token_of(made)))["authenticated"]
    for said in (repr(plan), repr(acting.said)):
        assert token_of(made) not in said
        assert made["data"]["token"] not in said


async def test_the_difference_is_the_manifest(plane: Plane, namespace: str, cluster: Cluster) -> None:
    account = await account_of(plane, namespace)
    plan = await creating(cluster, account, "for-ci").plan()
    assert plan.difference == (
        f"+ Secret {namespace}/for-ci",
        f"+   type: {TYPE}",
        "+   metadata.annotations:",
        "+     kubernetes.io/service-account.name: checkout",
        f"+     kubernetes.io/service-account.uid: {account['metadata']['uid']}",
        f"+     {REQUEST}: (this request's id)",
    )
    assert any("it holds the same token: old copies work again" in note for note in plan.notes)


async def test_made_by_several_there_is_one(plane: Plane, namespace: str, cluster: Cluster) -> None:
    acting = creating(cluster, await account_of(plane, namespace))
    plan = await acting.plan()
    await asyncio.gather(*(acting.apply(plan) for _ in range(4)))
    await acting.follow(plan)
    await acting.apply(plan)
    assert len(await secrets_in(plane, namespace)) == 1
    assert await acting.is_done(plan)


async def test_a_name_that_is_taken_is_refused(plane: Plane, namespace: str, cluster: Cluster) -> None:
    account = await account_of(plane, namespace)
    acting = creating(cluster, account, "taken")
    plan = await acting.plan()
    body = {"metadata": {"name": "taken"}}
    await plane.api.post(f"/api/v1/namespaces/{namespace}/secrets", body)
    with pytest.raises(CannotActError, match=f"There is a Secret {namespace}/taken already"):
        await acting.apply(plan)
    assert not await acting.is_done(plan)
    assert (await creating(cluster, account).plan()).parameters["secret"] != "taken"
    assert "another one by now" in (await acting.follow(plan)).failed


async def test_a_name_of_the_bots_own_steps_aside(plane: Plane, namespace: str, cluster: Cluster) -> None:
    account = await account_of(plane, namespace)
    first = await creating(cluster, account).plan()
    await creating(cluster, account, first.parameters["secret"]).carry_out()
    second = await creating(cluster, account).plan()
    assert second.parameters["secret"] != first.parameters["secret"]


@pytest.mark.parametrize("name", ["Checkout", "a_b", "-a", "a/b", "a" * 254, "a b"])
async def test_what_is_no_name_is_refused(name: str, plane: Plane, namespace: str, cluster: Cluster) -> None:
    with pytest.raises(CannotActError, match="no name for a Secret"):
        await creating(cluster, await account_of(plane, namespace), name).plan()


async def test_without_its_account_nothing_is_made(plane: Plane, namespace: str, cluster: Cluster) -> None:
    account = await account_of(plane, namespace)
    acting = creating(cluster, account)
    plan = await acting.plan()
    await plane.api.delete(path_of(account))
    with pytest.raises(PlanChangedError, match="does not exist any more"):
        await acting.apply(plan)
    nameless = Acting(cluster, ActionKind.CREATE_TOKEN_SECRET, ref_of(account, uid=False))
    with pytest.raises(CannotActError, match=f"ServiceAccount {namespace}/checkout does not exist"):
        await nameless.plan()
    await account_of(plane, namespace)
    with pytest.raises(PlanChangedError, match="deleted and created again"):
        await acting.apply(plan)
    assert await secrets_in(plane, namespace) == []


async def test_an_account_that_is_being_deleted_is_refused(plane: Plane, namespace: str, cluster: Cluster) -> None:
    body = {"metadata": {"name": "checkout", "finalizers": ["a.test/held"]}}
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    account = {"apiVersion": "v1", "kind": "ServiceAccount", **await plane.api.post(path, body)}
    await plane.api.delete(path_of(account))
    with pytest.raises(CannotActError, match="is being deleted since"):
        await creating(cluster, account).plan()
    await plane.api.patch(path_of(account), {"metadata": {"finalizers": None}})


async def test_what_admission_says_is_known_before(plane: Plane, namespace: str, cluster: Cluster) -> None:
    account, words = await account_of(plane, namespace), "no token Secrets in production"
    body = {"metadata": {"name": "any"}}
    async with forbidden(plane, namespace, resources=["secrets"], operations=["CREATE"], words=words):
        await refused_by(plane, "POST", f"/api/v1/namespaces/{namespace}/secrets", body, words)
        with pytest.raises(CannotActError, match=f"The API server refuses it: .*{words}"):
            await creating(cluster, account).plan()


async def test_without_the_right_to_review_nobody_is_asked(plane: Plane, namespace: str) -> None:
    account = await account_of(plane, namespace)
    rule = {"apiGroups": [""], "resources": ["secrets", "serviceaccounts"], "verbs": ["get", "create"]}
    kubeconfig = await plane.users.kubeconfig_for(f"maker-{namespace}", [rule], namespace=namespace)
    maker = await connect("test", kubeconfig=kubeconfig)
    try:
        with pytest.raises(CannotActError, match="may not create tokenreviews") as raised:
            await creating(maker, account).plan()
        assert "to a ClusterRole" in raised.value.next_step
    finally:
        await maker.close()


async def test_one_whose_account_was_replaced_at_the_last_moment_is_told(
    plane: Plane, namespace: str, cluster: Cluster
) -> None:
    """The uid in the annotation makes the token controller delete it."""
    account = await account_of(plane, namespace)
    acting = creating(cluster, account, "late")
    plan = await acting.plan()
    annotations = {
        "kubernetes.io/service-account.name": "checkout",
        "kubernetes.io/service-account.uid": "00000000-0000-0000-0000-000000000000",
        REQUEST: acting.request,
    }
    secret = {"metadata": {"name": "late", "annotations": annotations}, "type": TYPE}
    await plane.api.post(f"/api/v1/namespaces/{namespace}/secrets", secret)
    assert "the token controller deletes a Secret" in (await acting.follow(plan)).failed
    assert await secrets_in(plane, namespace) == []


async def test_one_that_nobody_fills_is_told(private_plane: MakePlane) -> None:
    plane = await private_plane()
    cluster = await connect("test", kubeconfig=plane.kubeconfig)
    try:
        namespace = await plane.create_namespace()
        acting = creating(cluster, await account_of(plane, namespace))
        plan = await acting.plan()
        await plane.stop("kube-controller-manager")
        await acting.apply(plan)
        end = await acting.follow(plan, seconds=2)
        assert end.text.endswith("is made, and not filled yet.")
        assert "does the kube-controller-manager run?" in end.failed
        await plane.start("kube-controller-manager")
        assert "is filled, and its token is accepted" in (await acting.follow(plan)).text
    finally:
        await cluster.close()


# --- rotating -----------------------------------------------------------------------------------------------


async def test_the_successor_has_another_token_and_the_old_one_works_on(
    plane: Plane, namespace: str, cluster: Cluster
) -> None:
    await account_of(plane, namespace)
    old = await Scene(plane, namespace).token_secret()
    acting = rotating(cluster, old)
    end = await acting.carry_out()
    assert end.failed == ""
    assert "Once nobody uses checkout-token any more, have it deleted (delete-legacy-secret)." in end.text
    first, second = sorted(await secrets_in(plane, namespace), key=lambda each: len(each["metadata"]["name"]))
    assert (first["metadata"]["name"], first["data"]) == ("checkout-token", old["data"])
    assert second["metadata"]["annotations"]["kubernetes.io/service-account.name"] == "checkout"
    assert token_of(first) != token_of(second)
    for token in (token_of(first), token_of(second)):
        assert (await plane.tokens.review(token))["authenticated"]
        assert token not in repr(acting.said)


async def test_the_plan_says_who_uses_the_old_one(plane: Plane, namespace: str, cluster: Cluster) -> None:
    await account_of(plane, namespace)
    old = await Scene(plane, namespace).token_secret()
    volume = {"name": "token", "secret": {"secretName": "checkout-token"}}
    await plane.workloads.deployment(namespace, "web", spec={"volumes": [volume]})
    await plane.api.patch(
        path_of(old), {"metadata": {"labels": {"kubernetes.io/legacy-token-last-used": "2026-01-02"}}}
    )
    plan = await rotating(cluster, old).plan()
    note = next(note for note in plan.notes if note.startswith("checkout-token: "))
    assert note.startswith("checkout-token: last used on 2026-01-02; it is used by pod web-")
    assert note.endswith(", deployment web.")


async def test_under_the_same_name_it_would_be_the_same_token(plane: Plane, namespace: str, cluster: Cluster) -> None:
    await account_of(plane, namespace)
    old = await Scene(plane, namespace).token_secret()
    same = Acting(cluster, ActionKind.ROTATE_TOKEN_SECRET, ref_of(old), parameters={"secret": "checkout-token"})
    with pytest.raises(CannotActError, match="the very same token"):
        await same.plan()


async def test_what_is_no_token_secret_is_refused(plane: Plane, namespace: str, cluster: Cluster) -> None:
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "plain", "namespace": namespace}}
    with pytest.raises(CannotActError, match="is of type Opaque"):
        await rotating(cluster, {**body, **await plane.workloads.create(body)}).plan()


async def test_an_old_one_that_was_made_again_is_not_rotated(plane: Plane, namespace: str, cluster: Cluster) -> None:
    await account_of(plane, namespace)
    scene = Scene(plane, namespace)
    old = await scene.token_secret()
    acting = rotating(cluster, old)
    plan = await acting.plan()
    await plane.api.delete(path_of(old))
    with pytest.raises(PlanChangedError, match="does not exist any more"):
        await acting.apply(plan)
    await scene.token_secret()
    with pytest.raises(PlanChangedError, match="created again"):
        await acting.apply(plan)
    assert len(await secrets_in(plane, namespace)) == 1


async def test_one_that_is_gone_while_it_is_followed_is_told(plane: Plane, namespace: str, cluster: Cluster) -> None:
    acting = creating(cluster, await account_of(plane, namespace))
    plan = await acting.plan()
    await acting.apply(plan)
    name = plan.parameters["secret"]

    async def delete() -> bool:
        try:
            await plane.api.delete(f"/api/v1/namespaces/{namespace}/secrets/{name}")
        except ApiError as error:
            return error.status == 404
        return False

    await eventually(delete, bool, "it is gone")
    assert "It is gone" in (await acting.follow(plan)).failed
