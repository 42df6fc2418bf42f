"""What is said of Secrets, held to what the control plane does: tables, the cleaner's days, another cluster's word."""

import datetime as dt
from collections.abc import AsyncIterator

import pytest

from bot.diagnosis import cleaner, diagnose
from bot.kube import secret_tables
from bot.kube.client import Cluster, connect, utc_now
from bot.kube.facets.gather import gather
from bot.kube.gaps import AbsentError
from bot.model import Certainty, ObjectRef, Routes, SecretSummary, Severity, Snapshot, TokenTracking, Verdict
from tests.cluster.api import JsonObject
from tests.cluster.faults import Scene
from tests.cluster.faults.secret import TOKEN_SECRET, TRACKING, YEAR
from tests.cluster.plane import MakePlane, Plane
from tests.cluster.second import second_api_server
from tests.cluster.test_matrix import _kubeconfig_for
from tests.cluster.waiting import eventually
from tests.cluster.workloads import path_of

LAST_USED, INVALID_SINCE = "kubernetes.io/legacy-token-last-used", "kubernetes.io/legacy-token-invalid-since"


@pytest.fixture
async def cluster(plane: Plane) -> AsyncIterator[Cluster]:
    found = await connect("test", kubeconfig=plane.kubeconfig)
    yield found
    await found.close()


async def examined(cluster: Cluster, secret: JsonObject, others: tuple[Cluster, ...] = ()) -> Snapshot:
    meta = secret["metadata"]
    ref = ObjectRef(
        cluster="test", api_version="v1", kind="Secret", namespace=meta["namespace"], name=meta["name"], uid=meta["uid"]
    )
    return await gather(
        cluster, ref, routes=Routes(secret_data=True), deadline_seconds=20, log_lines=10, others=others, now=utc_now
    )


async def test_a_table_tells_the_type_and_every_key_and_no_data(plane: Plane, namespace: str, cluster: Cluster) -> None:
    await Scene(plane, namespace).account()
    secret = await Scene(plane, namespace).token_secret()
    (listed,) = await secret_tables.all_of_type(cluster.main, namespace=namespace, secret_type=TOKEN_SECRET)
    alone = await secret_tables.one(cluster.main, namespace=namespace, name="checkout-token")

    assert listed == alone
    assert (alone.type, alone.keys, alone.key_names) == (TOKEN_SECRET, 3, ("ca.crt", "namespace", "token"))
    assert alone.metadata.uid == secret["metadata"]["uid"]
    with pytest.raises(AbsentError):
        await secret_tables.one(cluster.main, namespace=namespace, name="nothing")


async def test_the_cleaner_does_what_was_foretold(private_plane: MakePlane) -> None:
    plane = await private_plane()
    scene = Scene(plane, await plane.create_namespace())
    today = scene.now().date()
    ages = {"never": 3, "used": 3, "long-ago": 3, "young": 0, "mounted": 3, "unlisted": 3, "marked": 3, "overdue": 3}
    labels = {
        "used": {LAST_USED: _day(today, 300)},
        "long-ago": {LAST_USED: _day(today, 366)},
        "marked": {INVALID_SINCE: _day(today, 200)},
        "overdue": {INVALID_SINCE: _day(today, 366)},
    }
    await scene.account()
    secrets = {name: await scene.token_secret(name) for name in ages}
    await plane.stop("kube-controller-manager")
    await plane.api.patch(TRACKING, {"data": {"since": _day(today, 700)}})
    account = f"/api/v1/namespaces/{scene.namespace}/serviceaccounts/checkout"
    await plane.api.patch(account, {"secrets": [{"name": name} for name in ages if name != "unlisted"]})
    for name, years in ages.items():
        await plane.api.patch(path_of(secrets[name]), {"metadata": {"labels": labels.get(name)}})
        await plane.etcd.age(path_of(secrets[name]), by=years * YEAR)
    volume = {"name": "legacy", "secret": {"secretName": "mounted"}}
    await plane.workloads.create(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "app", "namespace": scene.namespace},
            "spec": {"nodeName": "worker-1", "containers": [{"name": "app", "image": "a"}], "volumes": [volume]},
        }
    )

    foretold = await _foretold(plane, scene.namespace, today)
    await plane.start("kube-controller-manager")
    listing = f"/api/v1/namespaces/{scene.namespace}/secrets"
    after = await eventually(
        lambda: plane.api.get(listing), lambda found: foretold == _states(found), "the cleaner has come"
    )

    assert _states(after) == foretold
    assert foretold == {
        "never": "marked",
        "used": "left alone",
        "long-ago": "marked",
        "young": "left alone",
        "mounted": "left alone",
        "unlisted": "left alone",
        "marked": "marked",
    }


async def _foretold(plane: Plane, namespace: str, today: dt.date) -> dict[str, str]:
    """What each Secret will be when the cleaner has come today; one that will be deleted is not among them."""
    cluster = await connect("test", kubeconfig=plane.kubeconfig)
    held = await secret_tables.all_of_type(cluster.main, namespace=namespace, secret_type=TOKEN_SECRET)
    await cluster.close()
    since = dt.date.fromisoformat((await plane.api.get(TRACKING))["data"]["since"])
    found = {one.metadata.name: _fate(one, TokenTracking(since=since), today) for one in held}
    return {name: fate for name, fate in found.items() if fate != "deleted"}


def _fate(secret: SecretSummary, tracking: TokenTracking, today: dt.date) -> str:
    ahead = cleaner.forecast(secret, tracking, utc_now())
    assert ahead is not None
    if secret.metadata.name in {"mounted", "unlisted"}:
        return "left alone"
    if ahead.is_marked and ahead.deleted_on <= today:
        return "deleted"
    return "marked" if ahead.marked_on <= today else "left alone"


def _states(found: JsonObject) -> dict[str, str]:
    return {
        one["metadata"]["name"]: "marked" if INVALID_SINCE in one["metadata"].get("labels", {}) else "left alone"
        for one in found["items"]
        if one["type"] == TOKEN_SECRET
    }


def _day(today: dt.date, ago: int) -> str:
    return (today - dt.timedelta(days=ago)).isoformat()


async def test_a_kubeconfig_for_another_configured_cluster_is_judged_there(
    plane: Plane, namespace: str, cluster: Cluster
) -> None:
    """The other API server has keys of its own: it takes its own token, which this one would refuse."""
    scene = Scene(plane, namespace)
    await scene.account("deployer")
    claims = await plane.tokens.bound_claims(namespace, "deployer")
    claims = {**claims, "exp": claims["exp"] + 300 * 86400}
    async with second_api_server(plane) as other:
        good = plane.tokens.sign(claims, key=plane.tokens.foreign_key)
        wrong = plane.tokens.sign(claims)
        staging = await connect("staging", kubeconfig=_kubeconfig_for(plane, other.url))
        try:
            accepted = await examined(cluster, await _deployer(scene, "good", good, other.url), (staging,))
            refused = diagnose(await examined(cluster, await _deployer(scene, "wrong", wrong, other.url), (staging,)))
            by_key = await examined(cluster, await _deployer(scene, "key", good, "https://lb.example"), (staging,))
        finally:
            await staging.close()
        alone = diagnose(await examined(cluster, await _deployer(scene, "alone", good, other.url)))

    (seen,) = accepted.embedded.read()
    assert (seen.cluster, seen.certain, seen.is_accepted) == ("staging", True, True)
    assert diagnose(accepted).verdict is Verdict.HEALTHY
    assert [one.cluster for one in by_key.embedded.read()] == ["staging"]
    root = refused.findings[0]
    assert (root.code, root.certainty) == ("embedded-token-refused", Certainty.PROVEN)
    assert root.severity is Severity.WARNING, "no pod uses it"
    assert "Cluster staging refuses" in root.explanation
    assert alone.findings == ()
    assert any("is of no configured cluster" in gap.reason for gap in alone.gaps)


async def _deployer(scene: Scene, name: str, token: str, server: str) -> JsonObject:
    config = f"""
apiVersion: v1
kind: Config
clusters: [{{name: c, cluster: {{server: "{server}"}}}}]
contexts: [{{name: x, context: {{cluster: c, user: deployer}}}}]
users: [{{name: deployer, user: {{token: {token}}}}}]
"""
    body = {"apiVersion": "v1", "kind": "Secret", "stringData": {"kubeconfig": config}}
    return await scene.plane.workloads.create({**body, "metadata": {"name": name, "namespace": scene.namespace}})
