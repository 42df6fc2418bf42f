"""The clusters' part: unreachable, slow, untrusted, and each right that is missing, with what grants it."""

from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.preflight.trial import Outcome, exit_code
from tests.unit.kube.fake_api import Answer, FakeApi, hangs, refuses, says
from tests.unit.preflight.conftest import NAMESPACES, REVIEWS, RULE, WHOAMI, Preflight, allows_all_but, but_ok, only
from tests.unit.slack.test_verify import self_signed

PATCH_DEPLOYMENTS = {"verb": "patch", "resource": "deployments"}
FOR_THE_ACCOUNT = "--service-account token-doctor/token-doctor | kubectl apply -f -"


async def test_a_cluster_that_is_down_is_no_failure_of_the_others(
    preflight: Preflight, configured: dict[str, object], tmp_path: Path
) -> None:
    away = FakeApi(url="http://127.0.0.1:1")
    (tmp_path / "away").mkdir()
    clusters = configured["clusters"]
    assert isinstance(clusters, list)
    trials = await preflight(
        {"clusters": [*clusters, {"name": "away", "kubeconfig": str(away.kubeconfig(tmp_path / "away"))}]}
    )
    found = only(trials)
    assert (found.outcome, found.text) == (
        Outcome.NOT_TRIED,
        "cluster away: no answer from http://127.0.0.1:1: Connection refused",
    )
    assert exit_code(trials) == 3
    assert any(trial.text.startswith("cluster prod, reading: all ") for trial in trials)


async def test_a_slow_cluster_is_left_after_the_deadline(preflight: Preflight, api: FakeApi) -> None:
    api.on("/version", hangs)
    found = only(await preflight({"checks": {"deadline_seconds": 1}}))
    assert (found.outcome, found.text) == (Outcome.NOT_TRIED, "cluster prod did not answer within 1 seconds")


async def test_rights_that_nobody_tells_are_not_taken_for_missing(preflight: Preflight, api: FakeApi) -> None:
    api.on(REVIEWS, refuses(500, "etcd is away"))
    found = but_ok(await preflight({"policy": []}))
    assert [(trial.outcome, trial.text.partition(": ")[0]) for trial in found] == [
        (Outcome.NOT_TRIED, "cluster prod, reading")
    ]


async def test_credentials_that_the_cluster_refuses(preflight: Preflight, api: FakeApi) -> None:
    api.accepted = set()
    found = only(await preflight())
    assert found.outcome is Outcome.FAILED
    assert found.text == "cluster prod: The API server of cluster prod refuses token-doctor's own credentials (401)"
    assert "log in again" in found.mend


async def test_a_kubeconfig_that_is_not_there(preflight: Preflight) -> None:
    found = only(await preflight({"clusters": [{"name": "prod", "kubeconfig": "/nowhere"}]}))
    assert found.outcome is Outcome.FAILED
    assert "/nowhere" in found.text


async def test_a_certificate_that_is_not_trusted_is_a_failure(preflight: Preflight, tmp_path: Path) -> None:
    server = TestServer(web.Application(), scheme="https")
    await server.start_server(ssl=self_signed(tmp_path))
    other = FakeApi(url=str(server.make_url("")).rstrip("/"))
    (tmp_path / "other").mkdir()
    clusters = [{"name": "prod", "kubeconfig": str(other.kubeconfig(tmp_path / "other"))}]
    found = only(await preflight({"clusters": clusters}))
    await server.close()
    assert found.outcome is Outcome.FAILED
    assert found.text.startswith(f"cluster prod: the certificate of {other.url} is not trusted: ")
    assert found.mend == "Check certificate-authority and tls-server-name in the kubeconfig."


async def test_a_missing_right_of_an_action_is_a_failure_with_the_command(preflight: Preflight, api: FakeApi) -> None:
    allows_all_but(api, PATCH_DEPLOYMENTS)
    found = only(await preflight({"policy": [{**RULE, "namespaces": ["*"]}]}))
    assert found.outcome is Outcome.FAILED
    assert found.text == "cluster prod, restart-workload: token-doctor may not patch deployments.apps (1 of 3)"
    assert found.command == f"token-doctor rbac --features restart-workload {FOR_THE_ACCOUNT}"


async def test_where_the_policy_names_namespaces_only_these_are_asked_about(preflight: Preflight, api: FakeApi) -> None:
    """Of patterns, those that are there. What is read everywhere stays as it is: its roles are not among the mend's."""
    allows_all_but(api, {**PATCH_DEPLOYMENTS, "namespace": "shop-api"}, {"verb": "patch", "namespace": ""})
    found = only(await preflight())
    assert found.text == (
        "cluster prod, restart-workload: token-doctor may not patch deployments.apps in namespace shop-api (1 of 6)"
    )
    assert found.command == (
        f"token-doctor rbac --features restart-workload -n shop-api -n shop-web --no-reading {FOR_THE_ACCOUNT}"
    )


async def test_a_pattern_never_means_kube_system(preflight: Preflight, api: FakeApi) -> None:
    allows_all_but(api, {"verb": "patch", "namespace": ""}, {"verb": "patch", "namespace": "kube-system"})
    assert but_ok(await preflight({"policy": [{**RULE, "namespaces": ["*-*"]}]})) == []
    named = only(await preflight({"policy": [{**RULE, "namespaces": ["kube-system"]}]}))
    assert "in namespace kube-system" in named.text


async def test_where_namespaces_cannot_be_listed_a_pattern_is_asked_about_everywhere(
    preflight: Preflight, api: FakeApi
) -> None:
    api.on(NAMESPACES, refuses(403, 'namespaces is forbidden: User "bot" cannot list resource "namespaces"'))
    allows_all_but(api, {**PATCH_DEPLOYMENTS, "namespace": ""})
    assert only(await preflight()).text.endswith(
        "restart-workload: token-doctor may not patch deployments.apps (1 of 3)"
    )


async def test_of_very_many_namespaces_it_is_said_that_not_all_were_asked_about(
    preflight: Preflight, api: FakeApi
) -> None:
    named = [{"metadata": {"name": f"shop-{number}"}} for number in range(23)]
    api.on(NAMESPACES, says({"metadata": {}, "items": named}))
    told = [trial.text for trial in await preflight()]
    assert (
        "cluster prod, restart-workload: all 60 permissions, in 20 of 23 namespaces; the others were not asked about"
        in told
    )


async def test_a_person_may_ask_about_single_namespaces(preflight: Preflight, api: FakeApi) -> None:
    allows_all_but(api, {"verb": "get", "resource": "pods", "namespace": ""}, {**PATCH_DEPLOYMENTS})
    found = only(await preflight(namespaces=("shop-web",)))
    assert "in namespace shop-web" in found.text
    assert found.command == f"token-doctor rbac --features restart-workload -n shop-web {FOR_THE_ACCOUNT}"


async def test_a_missing_right_to_read_is_a_warning_and_without_pods_a_failure(
    preflight: Preflight, api: FakeApi
) -> None:
    allows_all_but(api, {"resource": "secrets"}, {"resource": "nodes"})
    secrets = only(await preflight())
    assert secrets.outcome is Outcome.WARNING
    assert secrets.text == "cluster prod, reading: token-doctor may not get nodes, secrets or list secrets (3 of 38)"
    assert secrets.mend.startswith("Where it is to look into single namespaces only, ask about these with --namespace.")
    assert secrets.command == f"token-doctor rbac --features reading {FOR_THE_ACCOUNT}"
    allows_all_but(api, {"resource": "pods", "subresource": ""})
    assert only(await preflight()).outcome is Outcome.FAILED


async def test_each_switched_on_route_is_asked_about(preflight: Preflight, api: FakeApi) -> None:
    checks = {"exec": True, "probe": True, "controller_probe": "spare", "deadline_seconds": 5}
    allows_all_but(
        api,
        {"verb": "create", "resource": "pods", "subresource": "exec"},
        {"verb": "create", "resource": "serviceaccounts", "subresource": "token"},
        {"verb": "delete", "resource": "secrets", "namespace": "spare"},
    )
    found = {trial.text.partition(": ")[0]: trial for trial in but_ok(await preflight({"checks": checks}))}
    assert sorted(found) == ["cluster prod, controller-probe", "cluster prod, exec", "cluster prod, probe"]
    assert {trial.outcome for trial in found.values()} == {Outcome.FAILED}
    assert found["cluster prod, controller-probe"].command == (
        f"TOKEN_DOCTOR_CHECKS__CONTROLLER_PROBE=spare token-doctor rbac --features controller-probe {FOR_THE_ACCOUNT}"
    )
    assert but_ok(await preflight()) == []


async def test_a_policy_that_cannot_ask_about_people_is_told(preflight: Preflight, api: FakeApi) -> None:
    allows_all_but(api, {"resource": "subjectaccessreviews"})
    found = only(await preflight())
    assert found.outcome is Outcome.FAILED
    assert "cluster prod, identity: token-doctor may not create subjectaccessreviews" in found.text
    assert found.text.endswith("nobody may have anything done")
    unasked = only(await preflight({"identity": {"subject_access_review": False}}))
    assert (unasked.outcome, "reading" in unasked.text) == (Outcome.WARNING, True)


async def test_an_identity_that_is_no_service_account_is_named(preflight: Preflight, api: FakeApi) -> None:
    allows_all_but(api, {"resource": "nodes"})
    api.on(WHOAMI, says({"status": {"userInfo": {"username": "erin@shop.example"}}}))
    found = only(await preflight())
    assert found.command == ""
    assert "`token-doctor rbac --features reading` prints to the user erin@shop.example instead" in found.mend
    api.on(WHOAMI, refuses(404, "the server could not find the requested resource"))  # before Kubernetes 1.28
    assert "prints to the kubeconfig's user instead" in only(await preflight()).mend


async def test_each_endpoint_is_asked(preflight: Preflight, configured: dict[str, object], api: FakeApi) -> None:
    clusters = configured["clusters"]
    assert isinstance(clusters, list)
    trials = await preflight({"clusters": [{**clusters[0], "endpoints": ["https://127.0.0.1:1", api.url]}]})
    assert "cluster prod, endpoint https://127.0.0.1:1: no answer" in only(trials).text
    assert f"cluster prod, endpoint {api.url} answers" in [trial.text for trial in trials]


@pytest.mark.parametrize("version", [refuses(403, 'User "bot" cannot get path "/version"'), says({})])
async def test_a_version_that_is_not_told_is_no_trouble(preflight: Preflight, api: FakeApi, version: Answer) -> None:
    api.on("/version", version)
    assert but_ok(await preflight()) == []
