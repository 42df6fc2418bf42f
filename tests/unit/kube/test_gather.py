"""Facets: what each failure becomes, deadlines, dependencies, cancellation, and that no token gets through."""

import asyncio
import json
from datetime import UTC, datetime

import msgspec
import pytest

from bot.errors import ClusterUnreachableError
from bot.kube.client import Cluster
from bot.kube.facets.gather import FACETS, gather
from bot.kube.facets.pod import pod
from bot.kube.permissions import NEEDS
from bot.model import Facet, Gap, GapKind, ObjectRef, Routes, Rule, Snapshot
from bot.redact import holds_token
from tests.unit import jwts
from tests.unit.kube import fake_api
from tests.unit.kube.fake_api import (
    ACCOUNT_PATH,
    LOG_PATH,
    NAMESPACE,
    POD,
    POD_PATH,
    UID,
    FakeApi,
    breaks_off,
    forbids,
    hangs,
    listed,
    named,
    refuses,
    says,
)

REF = ObjectRef(cluster="here", api_version="v1", kind="Pod", namespace=NAMESPACE, name=POD, uid=UID)
NOW = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
ROUTES = ("exec_tokens", "probe", "secret_tokens", "embedded", "controller_probe")
TOGETHER = {
    "discovery": {"issuer_publication"},
    "api_server_logs": {"authentication", "authentication_files", "controllers"},
}
"""Facets that read the same answer."""
ALL_OFF = Routes()


async def read(cluster: Cluster, *, seconds: float = 10, routes: Routes = ALL_OFF, lines: int = 100) -> Snapshot:
    return await gather(
        cluster, REF, routes=routes, deadline_seconds=seconds, log_lines=lines, others=[], now=lambda: NOW
    )


def gaps(snapshot: Snapshot) -> dict[str, Gap]:
    fields = {name: getattr(snapshot, name) for name in snapshot.__struct_fields__}
    found = {name: value.gap for name, value in fields.items() if isinstance(value, Facet) and value.gap}
    return {name: gap for name, gap in found.items() if gap.kind is not GapKind.NOT_APPLICABLE}


async def test_a_healthy_pod_leaves_only_the_routes_that_are_off(api: FakeApi, cluster: Cluster) -> None:
    snapshot = await read(cluster)

    assert set(gaps(snapshot)) == set(ROUTES)
    assert {gap.kind for gap in gaps(snapshot).values()} == {GapKind.SWITCHED_OFF}
    assert snapshot.taken_at == NOW
    assert snapshot.endpoints == (api.url,)
    assert snapshot.peers.read() == ("checkout-2",)
    assert snapshot.discovery.read().key_ids == ("key-1",)


async def test_a_switched_off_route_says_how_to_switch_it_on_and_what_it_adds(cluster: Cluster) -> None:
    gap = gaps(await read(cluster))["exec_tokens"]

    assert "`--exec`" in gap.mend
    assert "`checks.exec: true`" in gap.mend
    assert "mounted" in gap.reason


@pytest.mark.parametrize(
    ("path", "facet"),
    [
        ("/version", "version"),
        (f"/api/v1/namespaces/{NAMESPACE}", "namespace"),
        (LOG_PATH, "logs"),
        (ACCOUNT_PATH, "service_account"),
        ("/openid/v1/jwks", "discovery"),
        (f"/api/v1/namespaces/{NAMESPACE}/events", "events"),
        (f"/api/v1/namespaces/{NAMESPACE}/secrets", "token_secrets"),
        ("/api/v1/nodes/node-1", "node"),
        (fake_api.NODE_LEASE_PATH, "node_lease"),
        (fake_api.IDENTITY_LEASES_PATH, "identity_leases"),
        (fake_api.LEADER_PATH, "leader"),
        (fake_api.ROOT_CA_PATH, "namespace_defaults"),
        (fake_api.DEFAULT_ACCOUNT_PATH, "namespace_defaults"),
        ("/api/v1/namespaces/kube-system/pods", "api_server_logs"),
        ("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", "api_servers"),
    ],
)
async def test_one_denied_request_is_one_denied_facet_with_its_rule(
    api: FakeApi, cluster: Cluster, path: str, facet: str
) -> None:
    api.on(path, refuses(403, "", "Forbidden"))

    found = gaps(await read(cluster))

    assert set(found) - set(ROUTES) - {"access"} == {facet} | TOGETHER.get(facet, set())
    gap = found[facet]
    assert gap.kind is GapKind.DENIED
    assert gap.rule is not None
    sources = {need.operation.resource for need in NEEDS if need.facet in {facet, "namespace_token_secrets"}}
    assert gap.rule.resource in sources
    assert gap.rule.as_yaml() in gap.mend
    assert gap.reason.startswith("token-doctor may not ")


async def test_the_server_s_own_words_name_the_rule(api: FakeApi, cluster: Cluster) -> None:
    api.on(LOG_PATH, forbids("get", "pods/log"))

    gap = gaps(await read(cluster))["logs"]

    assert gap.rule == Rule(verb="get", resource="pods/log", namespace=NAMESPACE)
    assert gap.reason == "token-doctor may not get pods/log in namespace shop"
    assert '- {apiGroups: [""], resources: ["pods/log"], verbs: ["get"]}' in gap.mend


@pytest.mark.parametrize(
    "answer",
    [
        refuses(500, "etcdserver: leader changed"),
        refuses(429, "too many requests"),
        breaks_off,
        says(b"{not json"),
        says({"metadata": {"name": 5}}),
        says(b"<html>Forbidden</html>", 403),
    ],
    ids=["500", "429", "reset", "not-json", "wrong-type", "a-proxy-s-403"],
)
async def test_any_other_failure_is_unavailable(api: FakeApi, cluster: Cluster, answer: fake_api.Answer) -> None:
    api.on(ACCOUNT_PATH, answer)

    found = gaps(await read(cluster))

    assert found["service_account"].kind is GapKind.UNAVAILABLE
    assert set(found) == {"service_account", *ROUTES}


async def test_a_facet_that_hangs_times_out_alone(api: FakeApi, cluster: Cluster) -> None:
    api.on(ACCOUNT_PATH, hangs)

    found = gaps(await read(cluster, seconds=0.5))

    assert found["service_account"].kind is GapKind.TIMED_OUT
    assert set(found) == {"service_account", *ROUTES}


async def test_the_overall_deadline_leaves_what_was_read(api: FakeApi, cluster: Cluster) -> None:
    for path in api.answers:
        if path != "/version":
            api.on(path, hangs)

    async with asyncio.timeout(4.5):  # a facet's own deadline is 5 seconds and more
        snapshot = await read(cluster, seconds=2)

    assert snapshot.version.read().git_version == "v1.36.3"
    assert gaps(snapshot)["pod"].kind is GapKind.TIMED_OUT
    assert gaps(snapshot)["logs"].kind is GapKind.TIMED_OUT
    assert gaps(snapshot)["logs"].reason.startswith("needs pod, which was not read")


async def test_without_the_pod_what_needs_it_says_so_and_the_rest_is_read(api: FakeApi, cluster: Cluster) -> None:
    api.on(POD_PATH, forbids("get", "pods"))

    found = gaps(await read(cluster))

    needing = {spec.name for spec in FACETS if pod in spec.needs and not spec.shared} - {"access"}
    assert needing - set(ROUTES) < set(found)
    for name in needing - set(ROUTES):
        assert found[name].kind is GapKind.DENIED
        assert found[name].reason.startswith("needs pod, which was not read: token-doctor may not get pods")
        assert found[name].rule == Rule(verb="get", resource="pods", namespace=NAMESPACE)
    assert not {"version", "namespace", "discovery", "api_servers"} & set(found)


def test_every_facet_has_its_place_in_the_snapshot() -> None:
    places = {name for name in Snapshot.__struct_fields__ if isinstance(getattr(_empty(), name), Facet)}

    assert {spec.name for spec in FACETS if not spec.shared} == places


def _empty() -> Snapshot:
    return Snapshot(target=REF, taken_at=NOW)


async def test_of_a_service_account_only_what_applies_to_it_is_read(cluster: Cluster) -> None:
    ref = msgspec.structs.replace(REF, kind="ServiceAccount", name="checkout")
    snapshot = await gather(
        cluster, ref, routes=ALL_OFF, deadline_seconds=10, log_lines=100, others=[], now=lambda: NOW
    )

    assert (found := snapshot.service_account.read()) is not None
    assert found.metadata.name == "checkout"
    assert not gaps(snapshot).get("token_secrets")
    assert snapshot.pod.gap is not None
    assert snapshot.pod.gap.kind is GapKind.NOT_APPLICABLE


async def test_a_pod_that_was_deleted_meanwhile_is_unavailable(api: FakeApi, cluster: Cluster) -> None:
    api.on(POD_PATH, refuses(404, "not found"))

    assert "deleted" in gaps(await read(cluster))["pod"].reason


async def test_what_is_absent_is_read_as_absent(api: FakeApi, cluster: Cluster) -> None:
    for path in (ACCOUNT_PATH, "/api/v1/nodes/node-1", f"/api/v1/namespaces/{NAMESPACE}"):
        api.on(path, refuses(404, "not found"))

    snapshot = await read(cluster)

    assert snapshot.service_account.read() is None
    assert snapshot.node.read() is None
    assert snapshot.namespace.read() is None


async def test_a_managed_control_plane_s_log_is_unobservable(api: FakeApi, cluster: Cluster) -> None:
    api.on("/api/v1/namespaces/kube-system/pods", says(listed()))

    assert gaps(await read(cluster))["api_server_logs"].kind is GapKind.UNOBSERVABLE


async def test_refused_credentials_of_the_bot_are_no_finding(api: FakeApi, cluster: Cluster) -> None:
    api.accepted = set()

    with pytest.raises(ClusterUnreachableError, match="refuses token-doctor's own credentials"):
        await read(cluster)


async def test_a_cancelled_gather_leaves_no_task(api: FakeApi, cluster: Cluster) -> None:
    for path in api.answers:
        api.on(path, hangs)
    before = asyncio.all_tasks()
    gathering = asyncio.create_task(read(cluster))
    while not api.asked(POD_PATH):  # noqa: ASYNC110  # until the request is out; there is no event to wait for
        await asyncio.sleep(0.01)

    gathering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gathering

    left = {task for task in asyncio.all_tasks() - before if task.get_name() in {spec.name for spec in FACETS}}
    assert left == set()


async def test_no_token_gets_through(api: FakeApi, cluster: Cluster) -> None:
    token = jwts.token({**jwts.LEGACY, "sub": "system:serviceaccount:shop:checkout"})
    containers = [{"name": "app", "env": [{"name": "API_TOKEN", "value": f"Bearer {token}"}]}]
    broken = {"terminated": {"exitCode": 1, "message": f"401 for {token}"}}
    status = {"containerStatuses": [{"name": "app", "restartCount": 2, "state": {}, "lastState": broken}]}
    annotated = named("checkout", annotations={"kubectl.kubernetes.io/last-applied-configuration": token})
    api.on(POD_PATH, says(fake_api.pod(containers=containers, status=status)))
    api.on(ACCOUNT_PATH, says(annotated))
    api.on(LOG_PATH, says(f"2026-11-22T13:00:01Z Authorization: Bearer {token}\n".encode()))
    api.on(f"/api/v1/namespaces/{NAMESPACE}/events", says(listed({**named("e"), "message": f"token {token}"})))
    api.on("/api/v1/namespaces/kube-system/pods/kube-apiserver-a/log", says(f"authentication.go {token}".encode()))

    snapshot = await read(cluster)
    written = msgspec.json.encode(snapshot).decode()

    assert snapshot.logs.read()[0].lines[0].text.startswith("Authorization: Bearer [token removed]")
    (seen,) = snapshot.spec_tokens.read()
    assert seen.claims is not None
    assert seen.claims.subject == "system:serviceaccount:shop:checkout"
    assert token not in written
    assert token.split(".")[1] not in written
    assert not holds_token(json.dumps(json.loads(written)))
    assert token not in repr(snapshot)


def refused(user: str, resource: str) -> str:
    """The line of a log; its quotes are escaped, as most loggers do."""
    said = f'User "{user}" cannot list resource "{resource}" in API group "batch"'
    return f"2026-11-22T13:00:01Z {said}".replace('"', '\\"')


async def test_only_what_the_log_says_was_refused_to_this_account_is_asked_again(
    api: FakeApi, cluster: Cluster
) -> None:
    mine, other = "system:serviceaccount:shop:checkout", "system:serviceaccount:shop:other"
    lines = [refused(mine, "jobs"), refused(mine, "jobs"), refused(other, "cronjobs")]
    api.on(LOG_PATH, says("\n".join(lines).encode()))
    path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    api.on(path, says({"status": {"allowed": True, "reason": "RBAC: allowed"}}, 201))

    (access,) = (await read(cluster)).access.read()

    assert access.allowed
    assert access.rule == Rule(verb="list", resource="jobs", group="batch")
    (sent,) = [json.loads(body) for body, request in zip(api.bodies, api.requests, strict=True) if request.path == path]
    assert sent["spec"]["user"] == mine
    assert "system:serviceaccounts:shop" in sent["spec"]["groups"]


async def test_a_log_full_of_refusals_is_not_a_flood_of_reviews(api: FakeApi, cluster: Cluster) -> None:
    lines = [refused("system:serviceaccount:shop:checkout", f"things{number}") for number in range(30)]
    api.on(LOG_PATH, says("\n".join(lines).encode()))
    api.on("/apis/authorization.k8s.io/v1/subjectaccessreviews", says({"status": {"allowed": False}}, 201))

    assert len((await read(cluster)).access.read()) == 10
