"""bot/kube asks the real API server: every facet, every rule, and each API server by itself."""

import datetime as dt
import itertools
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgspec
import pytest
import yaml

from bot.errors import ClusterForbiddenError, TargetNotFoundError
from bot.kube.client import Cluster, connect
from bot.kube.facets.gather import gather
from bot.kube.permissions import rules
from bot.kube.resolve import resolve
from bot.kube.review import review
from bot.model import Facet, Gap, GapKind, ObjectRef, Routes, Rule, SeenToken, Snapshot, Target
from bot.tokens import RawToken
from tests.cluster.api import JsonObject
from tests.cluster.kubelet.state import ExecOutcome, Fault
from tests.cluster.plane import MakePlane, Plane
from tests.cluster.second import second_api_server
from tests.cluster.workloads import container_of, crash_looping

EVERYTHING = Routes(exec=True, probe=True, secret_data=True, controller_probe="default")
MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount/token"
DENIED = (
    'User \\"system:serviceaccount:{0}:checkout\\" cannot list resource \\"jobs\\" '
    'in API group \\"batch\\" in the namespace \\"{0}\\"'
)
numbers = itertools.count()

Connected = Callable[[Path], Awaitable[Cluster]]


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@pytest.fixture
async def connected() -> AsyncIterator[Connected]:
    clusters: list[Cluster] = []

    async def make(kubeconfig: Path) -> Cluster:
        cluster = await connect("here", kubeconfig=kubeconfig)
        clusters.append(cluster)
        return cluster

    yield make
    for cluster in clusters:
        await cluster.close()


async def service_account(plane: Plane, namespace: str, name: str = "checkout") -> None:
    await plane.api.post(f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": name}})


async def token_secret(plane: Plane, namespace: str, name: str, account: str = "checkout") -> None:
    annotations = {"kubernetes.io/service-account.name": account}
    metadata = {"name": name, "namespace": namespace, "annotations": annotations}
    await plane.workloads.create(
        {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token", "metadata": metadata}
    )


async def shop(plane: Plane, namespace: str) -> JsonObject:
    """A Deployment's pod that has a token of each kind, and whose log tells of a 403."""
    await service_account(plane, namespace)
    await token_secret(plane, namespace, "checkout-token")
    await plane.workloads.create(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db", "namespace": namespace}}
    )
    vault = {"serviceAccountToken": {"path": "vault", "audience": "vault", "expirationSeconds": 600}}
    mounts = [{"name": "vault", "mountPath": "/vault"}, {"name": "legacy", "mountPath": "/legacy"}]
    password = {"secretKeyRef": {"name": "db", "key": "password", "optional": True}}
    container = {
        "name": "app",
        "image": "shop/checkout:1.4",
        "volumeMounts": mounts,
        "env": [{"name": "PASSWORD", "valueFrom": password}],
    }
    volumes = [
        {"name": "vault", "projected": {"sources": [vault]}},
        {"name": "legacy", "secret": {"secretName": "checkout-token"}},
    ]
    spec = {"serviceAccountName": "checkout", "containers": [container], "volumes": volumes}
    deployment = await plane.workloads.deployment(namespace, "web", replicas=2, spec=spec)
    pod = (await plane.workloads.pods_of(deployment))[0]
    plane.kubelet.set_logs(container_of(pod), [(now(), "starting"), (now(), DENIED.format(namespace))])
    return pod


def reference(pod: JsonObject) -> ObjectRef:
    metadata = pod["metadata"]
    return ObjectRef(
        cluster="here",
        api_version="v1",
        kind="Pod",
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
    )


async def read(cluster: Cluster, pod: JsonObject, routes: Routes = EVERYTHING, *, seconds: float = 30) -> Snapshot:
    return await gather(
        cluster, reference(pod), routes=routes, deadline_seconds=seconds, log_lines=2000, others=[], now=now
    )


def gaps(snapshot: Snapshot) -> dict[str, Gap]:
    fields = {name: getattr(snapshot, name) for name in snapshot.__struct_fields__}
    found = {name: value.gap for name, value in fields.items() if isinstance(value, Facet) and value.gap}
    return {name: gap for name, gap in found.items() if gap.kind is not GapKind.NOT_APPLICABLE}


def named(seen: tuple[SeenToken, ...], path: str) -> SeenToken:
    return next(token for token in seen if token.path == path)


# --- a healthy pod ------------------------------------------------------------------------------------------


async def test_every_facet_of_a_healthy_pod_is_read(plane: Plane, namespace: str, connected: Connected) -> None:
    pod = await shop(plane, namespace)

    snapshot = await read(await connected(plane.kubeconfig), pod)

    assert gaps(snapshot) == {}
    assert snapshot.version.read().git_version.startswith("v1.")
    assert [owner.kind for owner in snapshot.owners.read()] == ["ReplicaSet", "Deployment"]
    assert len(snapshot.peers.read()) == 1
    assert {event.reason for event in snapshot.events.read()} >= {"Scheduled"}
    assert snapshot.logs.read()[0].lines[0].text == "starting"
    assert [secret.metadata.name for secret in snapshot.token_secrets.read()] == ["checkout-token"]
    secrets = {secret.name: secret.is_token for secret in snapshot.referenced_secrets.read()}
    assert secrets == {"checkout-token": True, "db": False}
    assert snapshot.discovery.read().issuer == "https://kubernetes.default.svc"
    (access,) = snapshot.access.read()
    assert (access.allowed, access.rule.resource, access.rule.namespace) == (False, "jobs", namespace)


async def test_every_token_is_seen_reviewed_and_dropped(plane: Plane, namespace: str, connected: Connected) -> None:
    pod = await shop(plane, namespace)

    snapshot = await read(await connected(plane.kubeconfig), pod)

    seen = snapshot.exec_tokens.read()
    usual, vault, legacy = named(seen, MOUNT), named(seen, "/vault/vault"), named(seen, "/legacy/token")
    assert [one.authenticated for one in usual.reviews] == [True]
    assert usual.claims is not None
    assert usual.claims.warn_after is not None
    assert [(one.audiences, one.authenticated) for one in vault.reviews] == [((), False), (("vault",), True)]
    assert 'token audiences ["vault"] is invalid for the target audiences' in vault.reviews[0].error
    assert legacy.claims is not None
    assert legacy.claims.secret == "checkout-token"
    assert snapshot.secret_tokens.read()[0].reviews[0].authenticated
    (fresh,) = snapshot.probe.read()
    assert fresh.claims is not None
    assert fresh.claims.pod is not None
    assert fresh.claims.pod.uid == pod["metadata"]["uid"]
    assert b"eyJ" not in msgspec.json.encode(snapshot)


async def test_a_container_without_cat_is_a_problem(plane: Plane, namespace: str, connected: Connected) -> None:
    pod = await plane.workloads.run_pod(namespace)
    plane.kubelet.set_exec(container_of(pod), ExecOutcome(None, executable_found=False))

    (seen,) = (await read(await connected(plane.kubeconfig), pod)).exec_tokens.read()

    assert seen.problem == f"the image has no `cat`, so {MOUNT} cannot be read"


async def test_a_crashed_container_s_last_words_are_read(plane: Plane, namespace: str, connected: Connected) -> None:
    pod = await plane.workloads.run_pod(namespace)
    changes = crash_looping(pod, restarts=3, exit_code=1, ended_at="2026-11-22T12:00:00Z")
    await plane.workloads.set_container(pod, changes)
    plane.kubelet.set_logs(container_of(pod), [(now(), "401 Unauthorized")], previous=True)

    logs = (await read(await connected(plane.kubeconfig), pod)).logs.read()

    assert "401 Unauthorized" in {line.text for log in logs if log.previous for line in log.lines}


async def test_the_api_server_s_own_reason_is_read(plane: Plane, namespace: str, connected: Connected) -> None:
    pod = await plane.workloads.run_pod(namespace)
    claims = await plane.tokens.bound_claims(namespace, "default", pod=pod)
    assert await plane.tokens.authenticate(plane.tokens.sign({**claims, "exp": claims["exp"] - 7200})) == 401

    logs = (await read(await connected(plane.kubeconfig), pod)).api_server_logs.read()

    assert any("service account token has expired" in line.text for log in logs for line in log.lines)


async def test_a_kubelet_that_hangs_costs_its_facet_only(plane: Plane, namespace: str, connected: Connected) -> None:
    pod = await plane.workloads.run_pod(namespace)
    name = pod["metadata"]["name"]
    plane.kubelet.set_fault(namespace, name, "logs", Fault(delay_seconds=30))

    found = gaps(await read(await connected(plane.kubeconfig), pod, Routes(), seconds=2))

    assert {facet for facet, gap in found.items() if gap.kind is not GapKind.SWITCHED_OFF} == {"logs", "access"}
    assert found["logs"].kind is GapKind.TIMED_OUT


# --- rights -------------------------------------------------------------------------------------------------


def grantable(rule: Rule) -> JsonObject:
    """The line that a person is told to add, read as YAML."""
    (found,) = yaml.safe_load(rule.as_yaml())
    assert isinstance(found, dict)
    return found


async def user_with(plane: Plane, allowed: tuple[Rule, ...]) -> tuple[str, Path]:
    user = f"reader-{next(numbers)}-{now().timestamp()}"
    kubeconfig = await plane.users.kubeconfig_for(user, [])
    await grant(plane, user, allowed)
    return user, kubeconfig


async def grant(plane: Plane, user: str, allowed: tuple[Rule, ...]) -> None:
    for namespace in sorted({rule.namespace for rule in allowed}):
        here = [grantable(rule) for rule in allowed if rule.namespace == namespace]
        await plane.users.grant(user, here, namespace=namespace or None)


async def test_the_rules_of_the_table_are_enough(plane: Plane, namespace: str, connected: Connected) -> None:
    pod = await shop(plane, namespace)
    _, kubeconfig = await user_with(plane, rules(EVERYTHING, namespace))

    assert gaps(await read(await connected(kubeconfig), pod)) == {}


async def test_each_gap_names_the_rule_that_closes_it(plane: Plane, namespace: str, connected: Connected) -> None:
    """Beginning with nothing, what each answer says is added: at the end all is read, by rules of the table only.

    That each rule of the table is needed is shown in test_denied.py, for every kind of target.
    """
    pod = await shop(plane, namespace)
    user, kubeconfig = await user_with(plane, ())
    cluster = await connected(kubeconfig)
    granted: set[Rule] = set()
    while found := gaps(await read(cluster, pod)):
        assert {gap.kind for gap in found.values()} == {GapKind.DENIED}, found
        named_rules = {gap.rule for gap in found.values() if gap.rule is not None}
        assert named_rules - granted, f"granting {granted} did not help: {found}"
        await grant(plane, user, tuple(named_rules - granted))
        granted |= named_rules

    assert granted <= set(rules(EVERYTHING, namespace))


async def test_opening_an_exec_takes_two_rules(plane: Plane, namespace: str, connected: Connected) -> None:
    pod = await shop(plane, namespace)
    every = rules(EVERYTHING, namespace)
    for verb in ("get", "create"):
        missing = Rule(verb=verb, resource="pods/exec", namespace=namespace)
        _, kubeconfig = await user_with(plane, tuple(rule for rule in every if rule != missing))
        found = gaps(await read(await connected(kubeconfig), pod))
        assert {facet: gap.rule for facet, gap in found.items()} == {"exec_tokens": missing}


async def test_without_the_pod_itself_the_answer_is_the_rule(
    plane: Plane, namespace: str, connected: Connected
) -> None:
    _, kubeconfig = await user_with(plane, ())
    with pytest.raises(ClusterForbiddenError, match=f"may not get pods, .* in namespace {namespace}"):
        await resolve(await connected(kubeconfig), Target(namespace=namespace, name="web"))


# --- names --------------------------------------------------------------------------------------------------


async def test_names_are_resolved_and_near_ones_offered(plane: Plane, namespace: str, connected: Connected) -> None:
    deployment = await plane.workloads.deployment(namespace, "web")
    (pod,) = await plane.workloads.pods_of(deployment)
    name = pod["metadata"]["name"]
    cluster = await connected(plane.kubeconfig)

    assert await resolve(cluster, Target(namespace=namespace, name=name)) == reference(pod)
    assert (await resolve(cluster, Target(namespace=namespace, name="web"))).uid == deployment["metadata"]["uid"]
    with pytest.raises(TargetNotFoundError) as raised:
        await resolve(cluster, Target(namespace=namespace, name="wed"))
    assert f"{namespace}/web" in raised.value.nearest
    with pytest.raises(TargetNotFoundError, match="no namespace") as raised:
        await resolve(cluster, Target(namespace=f"{namespace}x", name=name))
    assert f"{namespace}/{name}" in raised.value.nearest


# --- the bot's own way in -----------------------------------------------------------------------------------


async def test_inside_a_pod_its_own_service_account_is_used(plane: Plane, namespace: str, tmp_path: Path) -> None:
    pod = await plane.workloads.run_pod(namespace)
    (tmp_path / "token").write_text(await plane.tokens.mint(namespace, "default"))
    shutil.copy(plane.layout.authority.certificate, tmp_path / "ca.crt")
    host, port = plane.ready.url.removeprefix("https://").split(":")
    environ = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port}

    cluster = await connect("", environ=environ, service_account=tmp_path)
    found = await read(cluster, pod, Routes())
    await cluster.close()

    assert found.version.gap is None
    assert found.pod.gap is not None
    assert found.pod.gap.rule == Rule(verb="get", resource="pods", namespace=namespace)


# --- several API servers ------------------------------------------------------------------------------------


async def test_each_published_api_server_is_asked(
    private_plane: MakePlane, own_address: str, connected: Connected
) -> None:
    plane = await private_plane(address=own_address)
    namespace = await plane.create_namespace()
    pod = await plane.workloads.run_pod(namespace)
    cluster = await connected(plane.kubeconfig)
    async with second_api_server(plane) as second:
        token = await plane.tokens.mint(namespace, "default")
        answers = await review(cluster, RawToken(token))
        snapshot = await read(cluster, pod)

    verdicts = {one.endpoint: one.authenticated for one in answers}
    assert verdicts == {plane.ready.url: True, second.url: False}
    assert set(snapshot.api_servers.read()) == {plane.ready.url, second.url}
    assert snapshot.endpoints == (plane.ready.url, second.url)
