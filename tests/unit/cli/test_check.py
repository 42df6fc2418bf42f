"""`check` and `review` against an API server at HTTP level."""

import asyncio
import json
from pathlib import Path

import pytest

from bot.cli.check import target_of
from bot.errors import WrongUsageError
from bot.model import Target
from tests.unit.cli.conftest import Ended, Run
from tests.unit.jwts import BOUND, token
from tests.unit.kube.fake_api import ACCOUNT_PATH, LOG_PATH, POD, POD_PATH, FakeApi, forbids, refuses, says

REVIEW_PATH = "/apis/authentication.k8s.io/v1/tokenreviews"
TOKEN = token(BOUND)


async def called(run: Run, api: FakeApi, folder: Path, *words: str, stdin: str = "") -> Ended:
    """The command in a thread of its own: the API server lives in this one's loop."""
    kubeconfig = str(api.kubeconfig(folder))
    return await asyncio.to_thread(run, *words, "--kubeconfig", kubeconfig, stdin=stdin)


async def test_a_healthy_pod_ends_with_0(run: Run, api: FakeApi, tmp_path: Path) -> None:
    ended = await called(run, api, tmp_path, "check", f"shop/{POD}")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("HEALTHY  ")
    assert f"pod shop/{POD} · cluster here" in ended.out
    assert f"Asked {api.url} (v1.36.3) in " in ended.out


@pytest.mark.parametrize("words", [(POD,), (POD, "-n", "shop"), (f"pod/{POD}", "-n", "shop"), (f"here:shop/{POD}",)])
async def test_a_target_is_named_as_with_kubectl(
    words: tuple[str, ...], run: Run, api: FakeApi, tmp_path: Path
) -> None:
    ended = await called(run, api, tmp_path, "check", *words, "-o", "json")
    assert (ended.code, ended.err) == (0, "")
    target = json.loads(ended.out)["target"]
    assert target == {"cluster": "here", "namespace": "shop", "kind": "Pod", "name": POD}


async def test_a_finding_ends_with_1(run: Run, api: FakeApi, tmp_path: Path) -> None:
    api.on(ACCOUNT_PATH, refuses(404, 'serviceaccounts "checkout" not found', "NotFound"))
    api.on(LOG_PATH, says(b"2026-11-22T13:00:01.1Z failed to list *v1.Pod: Unauthorized\n"))
    ended = await called(run, api, tmp_path, "check", POD, "-o", "json")
    assert ended.code == 1
    document = json.loads(ended.out)
    assert document["verdict"] == "critical"
    assert document["findings"][0]["code"] == "service-account-missing"


async def test_checks_that_could_not_run_end_with_3(run: Run, api: FakeApi, tmp_path: Path) -> None:
    api.on(ACCOUNT_PATH, forbids("get", "serviceaccounts"))
    ended = await called(run, api, tmp_path, "check", POD)
    assert ended.code == 3
    assert ended.out.startswith("UNKNOWN  ")
    assert 'resources: ["serviceaccounts"]' in ended.out


async def test_a_target_that_does_not_exist_gets_the_nearest_once(run: Run, api: FakeApi, tmp_path: Path) -> None:
    api.on(POD_PATH, refuses(404, "not found", "NotFound"))
    ended = await called(run, api, tmp_path, "check", f"shop/{POD}")
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.startswith(f"Error: There is no pod, workload or service account shop/{POD}")
    assert ended.err.count("checkout-2") == 1


async def test_a_name_without_a_namespace_that_does_not_exist_is_asked_for_one(
    run: Run, api: FakeApi, tmp_path: Path
) -> None:
    ended = await called(run, api, tmp_path, "check", "ledger")
    assert (ended.code, ended.out) == (3, "")
    assert "No namespace was said, so shop was meant: write NAMESPACE/ledger." in ended.err


async def test_what_may_not_be_read_says_how_to_allow_it(run: Run, api: FakeApi, tmp_path: Path) -> None:
    api.on(POD_PATH, forbids("get", "pods"))
    ended = await called(run, api, tmp_path, "check", f"pod/{POD}", "-n", "shop")
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.splitlines()[1].startswith("       Allow it: add `- {apiGroups:")


async def test_the_bot_s_own_401_ends_with_3(run: Run, api: FakeApi, tmp_path: Path) -> None:
    api.accepted = set()
    ended = await called(run, api, tmp_path, "check", POD)
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.startswith("Error: ")
    assert "Traceback" not in ended.err


async def test_the_routes_are_off_until_asked_for(run: Run, api: FakeApi, tmp_path: Path) -> None:
    off = json.loads((await called(run, api, tmp_path, "check", POD, "-o", "json")).out)
    routes = {"exec_tokens", "probe", "secret_tokens", "embedded", "controller_probe"}
    assert {gap["facet"] for gap in off["gaps"]} == routes
    on = ("--exec", "--probe", "--secret-data", "--controller-probe", "trial")
    asked = json.loads((await called(run, api, tmp_path, "check", POD, "-o", "json", *on)).out)
    assert not any("switched off" in gap["reason"] for gap in asked["gaps"])


async def test_the_message_for_slack_is_json_that_names_nobody(run: Run, api: FakeApi, tmp_path: Path) -> None:
    ended = await called(run, api, tmp_path, "check", POD, "-o", "slack")
    assert (ended.code, ended.err) == (0, "")
    document = json.loads(ended.out)
    assert list(document) == ["text", "blocks", "thread"]
    assert document["blocks"][0]["type"] == "header"
    assert all(message["blocks"] for message in document["thread"])
    assert "<@" not in ended.out


async def test_two_clusters_in_one_command_are_refused(run: Run, api: FakeApi, tmp_path: Path) -> None:
    ended = await called(run, api, tmp_path, "check", f"prod:shop/{POD}", "--context", "here")
    assert ended.code == 2
    assert "leave one of the two out" in ended.err
    assert not api.requests


@pytest.mark.parametrize(
    ("text", "namespace", "target", "said"),
    [
        ("shop/x", "", Target(namespace="shop", name="x"), True),
        ("x", "", Target(namespace="default", name="x"), False),
        (" x ", "shop", Target(namespace="shop", name="x"), True),
        ("deploy/x", "shop", Target(namespace="shop", kind="deployment", name="x"), True),
        ("prod:x", "shop", Target(cluster="prod", namespace="shop", name="x"), True),
        ("prod:x", "", Target(cluster="prod", namespace="default", name="x"), False),
    ],
)
def test_where_the_namespace_comes_from(text: str, namespace: str, target: Target, *, said: bool) -> None:
    assert target_of(text, namespace) == (target, said)


def test_a_namespace_that_is_said_twice_is_refused() -> None:
    with pytest.raises(WrongUsageError):
        target_of("shop/x", "shop")


# --- review -------------------------------------------------------------------------------------------------


def verdict(*, authenticated: bool, error: str = "") -> dict[str, object]:
    user = {"username": "system:serviceaccount:shop:checkout"} if authenticated else {}
    return {"status": {"authenticated": authenticated, "user": user, "error": error}, "spec": {"token": TOKEN}}


async def test_an_accepted_token_ends_with_0(run: Run, api: FakeApi, tmp_path: Path) -> None:
    api.on(REVIEW_PATH, says(verdict(authenticated=True), 201))
    ended = await called(run, api, tmp_path, "review", stdin=f"Bearer {TOKEN}\n")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("ACCEPTED  ")
    assert "as system:serviceaccount:shop:checkout\n" in ended.out
    assert "service account checkout in namespace shop" in ended.out
    assert (
        json.loads(api.bodies[-1] if REVIEW_PATH in api.requests[-1].path else api.bodies[0])["spec"]["token"] == TOKEN
    )


async def test_a_refused_token_ends_with_1_and_the_reason_word_for_word(run: Run, api: FakeApi, tmp_path: Path) -> None:
    reason = '[invalid bearer token, token audiences ["vault"] is invalid for the target audiences ["https://k"]]'
    api.on(REVIEW_PATH, says(verdict(authenticated=False, error=reason), 201))
    ended = await called(run, api, tmp_path, "review", stdin=TOKEN)
    assert (ended.code, ended.err) == (1, "")
    assert ended.out.startswith("REFUSED  ")
    assert f"> {reason}\n" in ended.out
    assert "explain audience-mismatch" in ended.out
    assert not any(part in ended.out for part in TOKEN.split("."))


async def test_a_review_that_is_not_allowed_ends_with_3_and_the_rule(run: Run, api: FakeApi, tmp_path: Path) -> None:
    api.on(REVIEW_PATH, forbids("create", "tokenreviews", "authentication.k8s.io", ""))
    ended = await called(run, api, tmp_path, "review", stdin=TOKEN)
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.startswith("Error: The token was not reviewed: ")
    assert 'resources: ["tokenreviews"], verbs: ["create"]' in ended.err


async def test_what_is_no_token_is_sent_to_nobody(run: Run, api: FakeApi, tmp_path: Path) -> None:
    ended = await called(run, api, tmp_path, "review", stdin="hunter2-hunter2")
    assert (ended.code, ended.out) == (2, "")
    assert not api.requests
