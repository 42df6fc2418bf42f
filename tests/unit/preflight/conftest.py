"""Preflight in this process, against the wire-level Slack and an API server at HTTP level; the settings from a file.

trials = await preflight({"digests": [...]})        # all of them; every one is ok where nothing was changed
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from aiohttp import web

from bot.preflight import required, tried
from bot.preflight.trial import Outcome, Trial
from config.settings import load
from demo.slack import SlackServer
from demo.slack import people as p
from tests.unit.kube.fake_api import FakeApi, says, served

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
WHOAMI = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
NAMESPACES = "/api/v1/namespaces"
DOCTOR = "system:serviceaccount:token-doctor:token-doctor"

RULE = {
    "actions": ["restart-workload"],
    "namespaces": ["shop-*"],
    "requesters": [p.ON_CALL],
    "approvers": [p.APPROVERS],
    "channels": [p.INCIDENT],
    "approval_channel": p.APPROVALS,
}
DIGEST = {"name": "daily", "cron": "0 9 * * mon-fri", "timezone": "Europe/Berlin", "channel": p.INCIDENT}

Preflight = Callable[..., Awaitable[tuple[Trial, ...]]]


def allows_all_but(api: FakeApi, *denied: Mapping[str, str]) -> None:
    """Every right but those of whose attributes one of these is a part."""

    async def answer(request: web.Request) -> web.Response:
        spec = json.loads(await request.text())["spec"]
        attributes = spec.get("resourceAttributes") or spec["nonResourceAttributes"]
        refused = any(each.items() <= attributes.items() for each in denied)
        return web.json_response({"status": {"allowed": not refused}})

    api.on(REVIEWS, answer)


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    async with SlackServer() as server:
        yield server
        # Whatever is tried, nothing is said to anybody.
        assert not [record for record in server.traffic.records if "/api/chat.post" in record.where]
        assert not server.workspace.ephemerals


@pytest.fixture
async def api() -> AsyncIterator[FakeApi]:
    """An API server that allows everything to token-doctor's account, until a test says otherwise."""
    fake = FakeApi()
    fake.on("/version", says({"gitVersion": "v1.36.3"}))
    fake.on(WHOAMI, says({"status": {"userInfo": {"username": DOCTOR}}}))
    named = [{"metadata": {"name": name}} for name in ("shop-web", "shop-api", "kube-system")]
    fake.on(NAMESPACES, says({"metadata": {}, "items": named}))
    allows_all_but(fake)
    server = await served(fake)
    yield fake
    await server.close()


@pytest.fixture
def configured(slack: SlackServer, api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """A configuration of which everything holds; the tokens are in the environment."""
    monkeypatch.setenv("SLACK_BOT_TOKEN", slack.bot_token)
    monkeypatch.setenv("SLACK_APP_TOKEN", slack.app_token)
    monkeypatch.delenv("KUBECONFIG", raising=False)
    return {
        "slack": {"api_url": slack.api_url},
        "clusters": [{"name": "prod", "kubeconfig": str(api.kubeconfig(tmp_path))}],
        "database": {"url": f"sqlite+aiosqlite:///{tmp_path}/var/doctor.db"},
        "checks": {"deadline_seconds": 5},
        "channels": {p.INCIDENT: {"cluster": "prod"}},
        "policy": [RULE],
        "digests": [DIGEST],
    }


@pytest.fixture
def preflight(configured: dict[str, object], tmp_path: Path) -> Preflight:
    """Called with changes: what trying all of it came to, none of it with a token in it."""

    async def call(
        changes: Mapping[str, object] | None = None,
        *,
        only_required: bool = False,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        namespaces: tuple[str, ...] = (),
    ) -> tuple[Trial, ...]:
        file = tmp_path / "token-doctor.yaml"
        file.write_text(yaml.safe_dump({**configured, **(changes or {})}))
        settings = load(file)
        trials = (
            await required(settings, source=file.name, now=now)
            if only_required
            else await tried(settings, source=file.name, now=now, namespaces=namespaces)
        )
        assert "demoOnlyNotASecret" not in repr(trials)
        return trials

    return call


def but_ok(trials: tuple[Trial, ...]) -> list[Trial]:
    return [trial for trial in trials if trial.outcome is not Outcome.OK]


def only(trials: tuple[Trial, ...]) -> Trial:
    """The one that does not hold."""
    (found,) = but_ok(trials)
    return found
