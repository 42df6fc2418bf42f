"""`requests` and `audit`: the bot's own database, looked into from a terminal."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from bot.model import State
from bot.store import open_store
from tests.store.samples import BOB, approved, request, vote
from tests.unit.cli.conftest import Run

TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJwbGFudGVkIn0.cGxhbnRlZA"


@pytest.fixture
def config(tmp_path: Path) -> str:
    """Three requests: one pending, one approved, one that ended."""
    url = f"sqlite+aiosqlite:///{tmp_path}/doctor.db"
    began = datetime.now(UTC) - timedelta(minutes=5)
    earlier = began - timedelta(days=9)

    async def fill() -> None:
        store = await open_store(url)
        await store.requests.create(request("aa1", "checkout", reason=f"401s with {TOKEN}", at=began), began)
        await approved(store, "bb2", at=began)
        await store.requests.create(request("cc3", "cart", at=earlier), earlier)
        await store.requests.vote(vote("cc3", BOB, approves=False, reason="not on a Friday", at=earlier), at=earlier)
        await store.close()

    asyncio.run(fill())
    path = tmp_path / "token-doctor.yaml"
    path.write_text(yaml.safe_dump({"database": {"url": url}}))
    return str(path)


@pytest.fixture
def run_here(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """With a kubeconfig, of which only the user's name is read."""
    kubeconfig = tmp_path / "kubeconfig"
    context = {"name": "prod", "context": {"cluster": "prod", "user": "erin-oidc"}}
    document = {
        "current-context": "prod",
        "contexts": [context],
        "clusters": [{"name": "prod", "cluster": {"server": "https://127.0.0.1:6443"}}],
        "users": [{"name": "erin-oidc", "user": {}}],
    }
    kubeconfig.write_text(json.dumps(document))
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    return run


def test_the_open_ones_come_first(run: Run, config: str) -> None:
    ended = run("requests", "--config", config)
    assert ended.code == 0, ended.err
    lines = ended.out.splitlines()
    assert lines[0] == "Open"
    assert {line.split()[1] for line in lines[1:3]} == {"aa1", "bb2"}
    assert "Ended, the latest first" in lines
    assert "denied" in ended.out
    assert "Restart deployment shop/cart  asked by alice 9 d" in ended.out
    assert "expires in 2" in ended.out


def test_one_is_shown_with_its_difference_votes_and_trail_and_no_token(run: Run, config: str) -> None:
    ended = run("requests", "show", "aa1", "--config", config)
    assert ended.code == 0, ended.err
    assert ended.out.startswith("PENDING  Restart deployment shop/checkout\n")
    assert '+   restartedAt: "2026-03-29T09:00:00Z"' in ended.out
    assert "401s with [token removed]" in ended.out
    assert TOKEN not in ended.out
    shown = run("requests", "show", "cc3", "--config", config).out
    assert "not on a Friday" in shown
    assert "denied by" in shown


def test_one_is_cancelled_in_the_name_of_the_kubeconfigs_user(run_here: Run, config: str) -> None:
    ended = run_here("requests", "cancel", "bb2", "--reason", f"found another way {TOKEN}", "--config", config)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == "bb2  Restart deployment shop/workload-bb2. It was cancelled.\n"
    shown = run_here("requests", "show", "bb2", "--config", config).out
    assert shown.startswith("CANCELLED")
    assert "terminal:erin-oidc  cancelled: found another way [token removed]" in shown
    again = run_here("requests", "cancel", "bb2", "--config", config)
    assert (again.code, "It has ended: cancelled." in again.out) == (1, True)


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("requests", "show", "zz9"), 2, "No request has this id."),
        (("requests", "cancel", "zz9"), 2, "No request has this id."),
        (("requests", "show"), 2, "show needs the request's id."),
        (("requests", "approve", "aa1"), 2, "'approve' is not one of"),
        (("audit", "--since", "yesterday"), 2, "“yesterday” is no duration."),
        (("audit", "--target", "Shop/x"), 2, "is not a namespace's name"),
    ],
)
def test_what_cannot_be_meant_is_told(run: Run, config: str, words: tuple[str, ...], code: int, sentence: str) -> None:
    ended = run(*words, "--config", config)
    assert (ended.code, sentence in ended.err) == (code, True), ended.err


def test_a_database_that_is_not_there_is_not_made(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "token-doctor.yaml"
    path.write_text(f"database: {{url: 'sqlite+aiosqlite:///{tmp_path}/nowhere/doctor.db'}}\n")
    ended = run("requests", "--config", str(path))
    assert ended.code == 3
    assert "There is no database" in ended.err
    assert not (tmp_path / "nowhere").exists()


def test_the_audit_tells_each_request_and_what_became_of_it(run: Run, config: str) -> None:
    ended = run("audit", "--config", config)
    assert ended.code == 0, ended.err
    assert [line.split()[0] for line in ended.out.splitlines() if line and not line.startswith(" ")] == [
        "aa1",
        "bb2",
        "cc3",
    ]
    assert "approved  U0BOB0000  approved (1 of 1)" in ended.out


def test_the_audit_is_narrowed_by_age_and_target(run: Run, config: str) -> None:
    lately = run("audit", "--since", "1h", "--config", config).out
    assert "cc3" not in lately
    assert "bb2" in lately
    cart = run("audit", "--target", "shop/deployment/cart", "--config", config).out
    assert "cc3" in cart
    assert "aa1" not in cart
    assert run("audit", "--target", "shop/nothing", "--config", config).out == "Nothing was asked for or done.\n"


def test_the_audit_as_json_is_the_documented_contract(run: Run, config: str) -> None:
    document = json.loads(run("audit", "-o", "json", "--config", config).out)
    assert (document["schema"], document["complete"]) == (1, True)
    first = document["entries"][0]
    assert set(first) == {
        *("request", "at", "who", "was", "became", "why"),
        *("action", "cluster", "namespace", "kind", "name"),
    }
    assert (first["request"], first["was"], first["became"]) == ("aa1", None, "pending")
    states = [(entry["request"], entry["became"]) for entry in document["entries"]]
    assert ("cc3", State.DENIED.value) in states
    assert TOKEN not in json.dumps(document)
