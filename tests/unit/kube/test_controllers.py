"""The controller manager's facets: what each failure becomes, and what the probe does when things go wrong."""

import asyncio
import base64
import json
from datetime import UTC, datetime

import msgspec
import pytest
from aiohttp import web

from bot.kube.client import Cluster
from bot.kube.facets import controllers as module
from bot.kube.facets.gather import gather
from bot.model import GapKind, ObjectRef, Routes, Rule, Snapshot
from bot.redact import holds_token
from tests.unit import jwts
from tests.unit.kube.fake_api import (
    CONTROL_PLANE_PATH,
    DEFAULT_ACCOUNT_PATH,
    LEADER_PATH,
    NAMESPACE,
    POD,
    ROOT_CA_PATH,
    FakeApi,
    component,
    forbids,
    hangs,
    listed,
    refuses,
    says,
)

REF = ObjectRef(cluster="here", api_version="v1", kind="Pod", namespace=NAMESPACE, name=POD)
MANAGER_LOG = f"{CONTROL_PLANE_PATH}/kube-controller-manager-a/log"
PROBES = "probes"
ACCOUNTS, SECRETS = f"/api/v1/namespaces/{PROBES}/serviceaccounts", f"/api/v1/namespaces/{PROBES}/secrets"
REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"


async def read(cluster: Cluster, routes: Routes | None = None, *, seconds: float = 10) -> Snapshot:
    return await gather(
        cluster,
        REF,
        routes=routes or Routes(),
        deadline_seconds=seconds,
        log_lines=100,
        others=[],
        now=lambda: datetime(2026, 11, 22, 13, 5, tzinfo=UTC),
    )


# --- what is seen of it -------------------------------------------------------------------------------------


async def test_its_state_its_flags_and_what_matters_of_its_log_are_read(api: FakeApi, cluster: Cluster) -> None:
    flags = ("--controllers=*,-serviceaccount-token", "--client-ca-file=/ca", "--leader-elect")
    api.on(CONTROL_PLANE_PATH, says(listed(component("kube-controller-manager", *flags))))
    telling = '2026-11-22T13:00:01Z "Controller is disabled because there is no private key"'
    api.on(MANAGER_LOG, says(f"2026-11-22T13:00:00Z other\n{telling}\n".encode()))

    (manager,) = (await read(cluster)).controllers.read()

    assert (manager.pod, manager.node, manager.trouble) == ("kube-controller-manager-a", "node-a", "")
    assert manager.flags == {
        "controllers": ("*,-serviceaccount-token",),
        "leader-elect": ("true",),
        "service-account-private-key-file": ("/sa.key",),
    }
    assert [line.text for line in manager.lines] == [telling.partition(" ")[2]]


@pytest.mark.parametrize(
    ("state", "trouble"),
    [
        ({"waiting": {"reason": "CrashLoopBackOff"}}, "CrashLoopBackOff"),
        ({"terminated": {"exitCode": 2, "reason": "Error"}}, "ended with exit code 2 (Error)"),
        ({"running": {"startedAt": "2026-11-22T13:00:00Z"}}, ""),
    ],
)
async def test_why_it_does_not_run(api: FakeApi, cluster: Cluster, state: dict[str, object], trouble: str) -> None:
    api.on(CONTROL_PLANE_PATH, says(listed(component("kube-controller-manager", state=state))))
    (manager,) = (await read(cluster)).controllers.read()
    assert manager.trouble == trouble


async def test_where_no_pod_is_visible_nobody_could_tell(api: FakeApi, cluster: Cluster) -> None:
    api.on(CONTROL_PLANE_PATH, says(listed()))
    gap = (await read(cluster)).controllers.gap
    assert gap is not None
    assert gap.kind is GapKind.UNOBSERVABLE

    api.on(CONTROL_PLANE_PATH, says(listed(component("kube-apiserver"))))
    assert (await read(cluster)).controllers.read() == ()


async def test_its_flags_are_worth_having_without_its_log(api: FakeApi, cluster: Cluster) -> None:
    api.on(MANAGER_LOG, forbids("get", "pods/log", namespace="kube-system"))

    found = (await read(cluster)).controllers

    assert found.read()[0].flag("service-account-private-key-file") == "/sa.key"
    assert found.missing is not None
    assert found.missing.rule == Rule(verb="get", resource="pods/log", namespace="kube-system")


async def test_without_a_lease_nobody_is_known_to_lead(api: FakeApi, cluster: Cluster) -> None:
    lease = (await read(cluster)).leader.read()
    assert lease is not None
    assert lease.written == datetime(2026, 11, 22, 13, 4, 57, tzinfo=UTC)

    api.answers.pop(LEADER_PATH)
    assert (await read(cluster)).leader.read() is None


async def test_what_a_namespace_lacks(api: FakeApi, cluster: Cluster) -> None:
    api.answers.pop(ROOT_CA_PATH)
    found = (await read(cluster)).namespace_defaults.read()
    assert (found.default_account, found.root_ca) == (True, False)

    api.answers.pop(DEFAULT_ACCOUNT_PATH)
    found = (await read(cluster)).namespace_defaults.read()
    assert (found.default_account, found.root_ca) == (False, False)


async def test_the_rule_for_the_one_config_map_names_it(api: FakeApi, cluster: Cluster) -> None:
    api.on(ROOT_CA_PATH, forbids("get", "configmaps"))
    gap = (await read(cluster)).namespace_defaults.gap
    assert gap is not None
    assert gap.rule is not None
    assert gap.rule.as_yaml() == (
        '- {apiGroups: [""], resources: ["configmaps"], resourceNames: ["kube-root-ca.crt"], verbs: ["get"]}'
    )


# --- issuer discovery ---------------------------------------------------------------------------------------


async def test_bad_answers_are_told_as_they_are(api: FakeApi, cluster: Cluster) -> None:
    api.on("/openid/v1/jwks", says({"keys": None}))
    api.on("/.well-known/openid-configuration", refuses(500, "panic"))

    snapshot = await read(cluster)

    found = snapshot.issuer_publication.read()
    assert found.keys == 0
    assert found.configuration_problem == "the API server answered 500: panic"
    assert snapshot.discovery.gap is not None
    assert snapshot.discovery.gap.kind is GapKind.UNAVAILABLE


async def test_no_answer_is_not_a_bad_one(api: FakeApi, cluster: Cluster) -> None:
    api.on("/openid/v1/jwks", refuses(503, "starting"))
    snapshot = await read(cluster)
    assert snapshot.issuer_publication.gap is not None
    assert snapshot.issuer_publication.gap.kind is GapKind.UNAVAILABLE


# --- the probe ----------------------------------------------------------------------------------------------


class Namespace:
    """Where a probe makes its objects, as the API server keeps them; nobody fills a Secret unless `token` is set."""

    def __init__(self, api: FakeApi, token: str = "") -> None:
        self.api, self.token, self.made, self.deleted = api, token, list[str](), list[str]()
        self.both_made = asyncio.Event()
        api.on(ACCOUNTS, self.collection)
        api.on(SECRETS, self.collection)
        api.on(REVIEWS, says({"status": {"authenticated": True, "user": {"username": "probe"}}}))

    async def collection(self, request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            return await says(listed())(request)
        body = json.loads(await request.text())
        path = f"{request.path}/{body['metadata']['name']}"
        self.made.append(path)
        self.api.on(path, self.item)
        if len(self.made) == 2:
            self.both_made.set()
        return await says({**body, "metadata": {**body["metadata"], "uid": f"uid-of-{len(self.made)}"}})(request)

    async def item(self, request: web.Request) -> web.StreamResponse:
        if request.method == "DELETE":
            self.deleted.append(json.loads(await request.text()).get("preconditions", {}).get("uid", "by its name"))
            self.api.answers.pop(request.path)
            return await says({"kind": "Status", "status": "Success"})(request)
        data = {"token": base64.b64encode(self.token.encode()).decode()} if self.token else {}
        return await says({"metadata": {"name": "probe"}, "data": data})(request)


async def probed(cluster: Cluster, *, seconds: float = 10) -> Snapshot:
    return await read(cluster, Routes(controller_probe=PROBES), seconds=seconds)


async def test_a_filled_secret_is_reviewed_and_both_are_removed(api: FakeApi, cluster: Cluster) -> None:
    token = jwts.token(jwts.LEGACY)
    there = Namespace(api, token)

    snapshot = await probed(cluster)

    found = snapshot.controller_probe.read()
    assert found.filled
    assert found.token is not None
    assert [review.authenticated for review in found.token.reviews] == [True]
    assert [path.rpartition("/")[0] for path in there.made] == [ACCOUNTS, SECRETS]
    assert there.deleted == ["uid-of-2", "uid-of-1"]
    assert not holds_token(msgspec.json.encode(snapshot).decode())


async def test_what_is_left_of_the_deadline_is_what_it_waits(api: FakeApi, cluster: Cluster) -> None:
    there = Namespace(api)

    found = (await probed(cluster, seconds=4)).controller_probe.read()

    assert not found.filled
    assert 0 < found.seconds <= 2
    assert there.deleted == ["uid-of-2", "uid-of-1"]


async def test_without_time_nothing_is_concluded(api: FakeApi, cluster: Cluster) -> None:
    there = Namespace(api)
    gap = (await probed(cluster, seconds=3)).controller_probe.gap
    assert gap is not None
    assert gap.kind is GapKind.TIMED_OUT
    assert there.deleted == ["uid-of-2", "uid-of-1"]


async def test_what_cannot_be_removed_is_said_with_the_command(
    api: FakeApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = Namespace(api, jwts.token(jwts.LEGACY))

    async def item(request: web.Request) -> web.StreamResponse:
        if request.method == "DELETE":
            return await refuses(500, "etcd is gone")(request)
        return await Namespace.item(there, request)

    monkeypatch.setattr(there, "item", item)
    found = (await probed(cluster)).controller_probe

    assert found.read().filled
    assert found.missing is not None
    assert "could not be removed: the API server answered 500: etcd is gone" in found.missing.reason
    assert found.missing.mend == (
        "remove them: kubectl -n probes delete secret,serviceaccount -l token-doctor.io/probe"
    )


async def test_a_cancelled_check_removes_what_its_probe_made(api: FakeApi, cluster: Cluster) -> None:
    there = Namespace(api)
    probing = asyncio.create_task(probed(cluster, seconds=60))
    await there.both_made.wait()
    probing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probing
    # The making of the second was cut short before its uid was known.
    assert there.deleted == ["by its name", "uid-of-1"]


async def test_it_does_not_hold_up_the_answer_for_a_removal_that_hangs(
    api: FakeApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.kube.throwaway._REMOVING_SECONDS", 0.2)
    monkeypatch.setattr(module, "_AFTERWARDS_SECONDS", 0.5)
    there = Namespace(api)

    async def item(request: web.Request) -> web.StreamResponse:
        return await (hangs(request) if request.method == "DELETE" else Namespace.item(there, request))

    monkeypatch.setattr(there, "item", item)
    async with asyncio.timeout(8):
        found = (await probed(cluster, seconds=3)).controller_probe
    assert found.missing is not None
    assert "no answer within 0.2 seconds" in found.missing.reason
