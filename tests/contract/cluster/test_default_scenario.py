"""The default scenario as it lives: its troubles, what breaks and mends them, and the API server's own faults."""

import asyncio
import datetime as dt
import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest

from demo.cluster import ClusterServer, Fault, Pace, ScenarioError, load
from demo.cluster.resources import SECRETS
from demo.cluster.scenario import Scenario, Team, Workload
from tests.cluster.api import Api, JsonObject, connected
from tests.cluster.waiting import eventually
from tests.contract.cluster.side import refused

QUICK = Pace(start=0.02, ready=0.02, stop=0.02, back_off=0.2)
TROUBLES = tuple(each.name for each in load("default").troubles)
A_ROUND = dt.timedelta(seconds=61)
"""By then every program has asked once more."""


@pytest.fixture(scope="module")
async def shop() -> AsyncIterator[ClusterServer]:
    async with ClusterServer("default", pace=QUICK) as cluster:
        yield cluster


@pytest.fixture
async def api(shop: ClusterServer, tmp_path: Path) -> AsyncIterator[Api]:
    authority = tmp_path / "ca.crt"
    authority.write_text(shop.machinery.authority.pem)
    async with connected(shop.url, shop.admin_token, authority) as found:
        yield found


async def told(cluster: ClusterServer, holds: Callable[[JsonObject], bool], what: str) -> JsonObject:
    async def state() -> JsonObject:
        return cluster.state()

    return await eventually(state, holds, what, 20)


def is_alive(state: JsonObject, name: str) -> bool:
    (found,) = (each for each in state["troubles"] if each["name"] == name)
    return found["alive"] is True


def workload(state: JsonObject, name: str) -> JsonObject:
    namespace, _, plain = name.partition("/")
    (found,) = (each for each in state["workloads"] if (each["namespace"], each["name"]) == (namespace, plain))
    return dict(found)


def is_settled(state: JsonObject) -> bool:
    """But for the one that crashes again and again."""
    found = [each for each in state["workloads"] if each["name"] != "mailer"]
    return all(each["ready"] == each["wanted"] == len(each["pods"]) for each in found)


async def test_a_first_visit_finds_every_trouble_and_nothing_else() -> None:
    async with ClusterServer("default", pace=QUICK) as cluster:
        state = cluster.state()
        assert json.loads(json.dumps(state)) == state
        assert [each["name"] for each in state["troubles"] if not each["alive"]] == []
        troubled = {f"{each['namespace']}/{each['name']}" for each in state["workloads"] if each["trouble"]}
        targets = {each["target"] for each in state["troubles"]}
        assert troubled == targets - {"platform/secret/deployer-token", "analytics/archive"}
        assert is_settled(state)
        assert len(cluster.scenario.teams) >= 12
        assert sum(len(each["pods"]) for each in state["workloads"]) >= 50
        acts = {each["name"] for each in state["acts"]}
        assert acts >= {f"{verb}-{name}" for name in TROUBLES for verb in ("break", "mend")}
        assert state["events"]


@pytest.mark.parametrize("name", TROUBLES)
async def test_each_trouble_can_be_mended_and_broken_again(shop: ClusterServer, name: str) -> None:
    await shop.act(f"mend-{name}")
    await told(shop, is_settled, "the rollout is done")
    shop.move_clock(A_ROUND)
    await told(shop, lambda state: not is_alive(state, name), f"{name} is mended")
    target = next(each.target for each in shop.scenario.troubles if each.name == name)
    if target.count("/") == 1:
        assert workload(shop.state(), target)["trouble"] is None

    await shop.act(f"break-{name}")
    await told(shop, is_settled, "the rollout is done")
    shop.move_clock(A_ROUND)
    await told(shop, lambda state: is_alive(state, name), f"{name} is broken again")


async def test_the_refusals_stand_in_the_log_until_the_restart(shop: ClusterServer, api: Api) -> None:
    root = "/api/v1/namespaces/shop/pods"
    selector = {"labelSelector": "app.kubernetes.io/name=storefront"}

    async def logs() -> list[str]:
        pods = (await api.get(root, selector))["items"]
        return [await api.text(f"{root}/{each['metadata']['name']}/log") for each in pods]

    assert not any("Unauthorized" in text for text in await logs())
    await shop.act("break-storefront")
    shop.move_clock(A_ROUND)
    await eventually(logs, lambda texts: all(text.count("Unauthorized") == 1 for text in texts), "it is refused")
    shop.move_clock(A_ROUND)
    await eventually(logs, lambda texts: all(text.count("Unauthorized") == 2 for text in texts), "it goes on")
    await shop.act("mend-storefront")
    await told(shop, is_settled, "it is restarted")
    shop.move_clock(A_ROUND)
    texts = await eventually(logs, lambda found: all("GET /" in text for text in found), "it works again")
    assert not any("Unauthorized" in text for text in texts)


async def test_the_controller_manager_can_be_stopped(shop: ClusterServer, api: Api) -> None:
    path = "/api/v1/namespaces/web-test"
    await api.post("/api/v1/namespaces", {"metadata": {"name": "web-test"}})
    await eventually(lambda: api.get(f"{path}/serviceaccounts"), lambda found: bool(found["items"]), "the account")
    await shop.act("break-controller-manager")
    annotations = {"kubernetes.io/service-account.name": "default"}
    body = {"metadata": {"name": "late", "annotations": annotations}, "type": "kubernetes.io/service-account-token"}
    made = await api.post(f"{path}/secrets", body)
    assert "data" not in made
    pod = await api.get("/api/v1/namespaces/kube-system/pods/kube-controller-manager-control-plane")
    assert pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert "data" not in await api.get(f"{path}/secrets/late")

    await shop.act("mend-controller-manager")

    await eventually(lambda: api.get(f"{path}/secrets/late"), lambda found: "data" in found, "it is filled")
    await api.delete(path)


async def test_a_node_s_clock_can_be_put_back(shop: ClusterServer, api: Api) -> None:
    path = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/worker-2"

    async def lag() -> dt.timedelta:
        lease = await api.get(path)
        (manager,) = lease["metadata"]["managedFields"]
        return dt.datetime.fromisoformat(manager["time"]) - dt.datetime.fromisoformat(lease["spec"]["renewTime"])

    await shop.act("break-clock")
    assert dt.timedelta(minutes=19) < await lag() < dt.timedelta(minutes=21)
    await shop.act("mend-clock")
    assert abs(await lag()) < dt.timedelta(seconds=2)


async def test_a_node_can_be_stopped(shop: ClusterServer, api: Api) -> None:
    async def ready() -> str:
        conditions = (await api.get("/api/v1/nodes/worker-3"))["status"]["conditions"]
        return str(next(each["status"] for each in conditions if each["type"] == "Ready"))

    await shop.act("break-node")
    assert await ready() == "Unknown"
    taints = (await api.get("/api/v1/nodes/worker-3"))["spec"]["taints"]
    assert {each["key"] for each in taints} == {"node.kubernetes.io/unreachable"}
    await shop.act("mend-node")
    assert await ready() == "True"


async def test_the_bot_s_kubeconfig_has_the_bot_s_rights_and_no_more(shop: ClusterServer, api: Api) -> None:
    bot = api.as_bearer(shop.token("token-doctor/token-doctor"))
    assert (await bot.get("/api/v1/namespaces/shop/pods"))["items"]
    assert (await refused(bot.get("/api/v1/namespaces/shop/configmaps"))).code == 403
    assert (await refused(bot.delete("/api/v1/namespaces/shop/pods/x"))).code == 403


@pytest.mark.parametrize(
    ("user", "namespace", "allowed"),
    [
        ("erin@shop.example", "shop", True),
        ("erin@shop.example", "payments", False),
        ("erin@shop.example", "kube-system", False),
        ("avery@shop.example", "payments", True),
        ("olga@partner.example", "shop", False),
    ],
)
async def test_who_may_restart_what(api: Api, user: str, namespace: str, *, allowed: bool) -> None:
    asked = {"verb": "patch", "group": "apps", "resource": "deployments", "namespace": namespace}
    body = {"spec": {"user": user, "groups": ["system:authenticated"], "resourceAttributes": asked}}
    answer = await api.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", body)
    assert answer["status"]["allowed"] is allowed


async def test_faults_on_demand(shop: ClusterServer, api: Api) -> None:
    path = "/api/v1/namespaces/shop/secrets"
    shop.fault(Fault("too-many", seconds=1, resource="secrets", verb="list"))
    busy = await refused(api.get(path))
    assert (busy.code, busy.reason, busy.details) == (429, "TooManyRequests", {"retryAfterSeconds": 1})
    shop.fault(Fault("internal"))
    assert (await refused(api.get(path))).code == 500
    shop.fault(Fault("expired"))
    assert (await refused(api.get(path))).reason == "Expired"
    shop.fault(Fault("reset", resource="secrets"))
    assert (await api.get("/version"))["gitVersion"]
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await api.post(path, {"metadata": {"name": "never"}})
    shop.fault(Fault("latency", seconds=0.3))
    started = time.monotonic()
    await api.get(path)
    assert time.monotonic() - started >= 0.3
    assert shop.state()["faults"] == []
    assert "never" not in {each["metadata"]["name"] for each in (await api.get(path))["items"]}


async def test_a_restart_keeps_what_is_stored(shop: ClusterServer, api: Api) -> None:
    before = await api.get("/api/v1/namespaces/shop")
    restarting = asyncio.create_task(shop.restart(0.3))
    await asyncio.sleep(0.1)
    with pytest.raises(aiohttp.ClientConnectorError):
        await api.get("/version")
    await restarting
    assert await api.get("/api/v1/namespaces/shop") == before


async def test_a_moved_clock_is_the_server_s(shop: ClusterServer, api: Api) -> None:
    shop.move_clock(dt.timedelta(hours=2))
    made = await api.post("/api/v1/namespaces/shop/secrets", {"metadata": {"name": "later"}}, {"dryRun": "All"})
    ahead = dt.datetime.fromisoformat(made["metadata"]["creationTimestamp"]) - dt.datetime.now(dt.UTC)
    assert ahead > dt.timedelta(hours=1, minutes=59)


async def test_an_unknown_act_is_refused(shop: ClusterServer) -> None:
    with pytest.raises(LookupError, match="There is no act break-everything; known are: break-checkout, "):
        await shop.act("break-everything")


def test_a_mistake_in_a_scenario_is_told(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("name: mine\nteams: {shop: {worklods: []}}")
    with pytest.raises(ScenarioError, match="unknown field `worklods`"):
        load(path)


async def test_a_pod_waits_for_its_secret() -> None:
    """And starts by itself once it is there."""
    variable = {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "key", "key": "value"}}}
    web = Workload(name="web", image="shop/web:1", age="1m", container={"env": [variable]})
    scenario = Scenario(name="waiting", teams={"shop": Team(age="1d", workloads=(web,))})
    async with ClusterServer(scenario, pace=QUICK) as cluster:
        (found,) = cluster.state()["workloads"]
        assert [each["status"] for each in found["pods"]] == ["CreateContainerConfigError"]
        assert any(each["message"] == 'secret "key" not found' for each in cluster.state()["events"])
        manifest = {"metadata": {"name": "key"}, "stringData": {"value": "x"}}
        cluster.machinery.registry.create(SECRETS, "shop", manifest)
        await told(cluster, is_settled, "it runs")
