"""Digests, on demand and by schedule: the whole bot between the Slack stand-in and a real control plane."""

import base64
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.objects import LAST_USED
from bot.store import open_store
from demo.slack import Message, SlackServer
from demo.slack import people as p
from tests.cluster.api import JsonObject
from tests.cluster.faults.scene import Scene
from tests.cluster.plane import Plane
from tests.cluster.workloads import path_of
from tests.scenarios.conftest import StartBot
from tests.scenarios.marks import Marks
from tests.scenarios.stage import SECONDS, Stage, actions_of, shown

pytestmark = pytest.mark.cluster

SECRET = "checkout-token"
AVERY = "avery@shop.example"
ERIN = "erin@shop.example"
DELETE = {
    "actions": ["delete-legacy-secret"],
    "namespaces": ["*"],
    "requesters": [p.ON_CALL],
    "approvers": [p.APPROVERS],
    "approval_channel": p.APPROVALS,
}
MAY_DELETE = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "delete"]}]
READS = [{"apiGroups": [""], "resources": ["secrets", "serviceaccounts", "pods"], "verbs": ["get", "list"]}]


async def a_legacy_secret(plane: Plane, namespace: str, marks: Marks) -> JsonObject:
    """Last used sixty days ago, by nobody that is still there; with marks wherever somebody may put a token."""
    scene = Scene(plane, namespace)
    await scene.account()
    secret = await scene.token_secret(SECRET)
    marks.plant("a legacy Secret", await _token_of(plane, secret))
    last_used = (datetime.now(UTC) - timedelta(days=60)).date().isoformat()
    annotations = {"owner": f"team {marks.token('an owner')}", "note": marks.token("an annotation")}
    return await plane.api.patch(
        path_of(secret), {"metadata": {"labels": {LAST_USED: last_used}, "annotations": annotations}}
    )


async def _token_of(plane: Plane, secret: JsonObject) -> str:
    live = await plane.api.get(path_of(secret))
    return base64.b64decode(live["data"]["token"]).decode()


def config(plane: Plane, **more: object) -> dict[str, object]:
    return {"clusters": [{"name": "prod", "kubeconfig": str(plane.kubeconfig)}], **more}


async def roots(slack: SlackServer, words: str, channel: str = p.INCIDENT) -> Message:
    """The bot's message of the channel that says so."""

    def found() -> Message | None:
        told = [m for m in slack.messages(channel) if m.bot_id and not m.thread_ts]
        return next((m for m in told if words in m.text or words in shown(m)), None)

    try:
        message = await slack.wait_for(found, SECONDS)
    except TimeoutError:
        said = [(m.text, shown(m)[:2_000]) for m in slack.messages(channel)]
        raise AssertionError(f"no {words!r} in {said}") from None
    assert message is not None
    return message


async def says(slack: SlackServer, message: Message, words: str) -> None:
    """Once it was edited."""
    await slack.wait_for(lambda: words in shown(message), SECONDS)


async def page(slack: SlackServer, root: Message, words: str) -> Message:
    """The message of its thread that says so."""

    def found() -> Message | None:
        below = [m for m in slack.messages(root.channel) if m.thread_ts == root.ts]
        return next((m for m in below if words in shown(m)), None)

    message = await slack.wait_for(found, SECONDS)
    assert message is not None
    return message


async def test_a_digest_on_demand_finds_a_secret_that_never_expires(
    slack: SlackServer, plane: Plane, namespace: str, marks: Marks, start_bot: StartBot
) -> None:
    """It takes a cluster, and neither a schedule nor a database."""
    await a_legacy_secret(plane, namespace, marks)
    await start_bot(config(plane))
    for command, words in ((f"digest {namespace}", ""), (f"legacy prod:{namespace}", "the token Secrets of namespace")):
        await slack.command("/token", command, user=p.ENGINEER, channel=p.INCIDENT)
        root = await roots(slack, "1 Secret never expires")
        assert f"<@{p.ENGINEER}>" in root.text
        assert words in root.text
        assert f"{namespace}/{SECRET}" in shown(root)
        below = await page(slack, root, f"{namespace}/{SECRET}")
        assert "Next:" in shown(below)
        assert "[token removed]" in shown(below)
        assert "snooze" not in actions_of(below)
        root.deleted = True


async def test_a_mention_is_answered_in_its_thread(
    slack: SlackServer, plane: Plane, namespace: str, marks: Marks, start_bot: StartBot
) -> None:
    await a_legacy_secret(plane, namespace, marks)
    await start_bot(config(plane))
    await slack.mention(p.INCIDENT, p.ENGINEER, f"legacy {namespace}")
    await slack.wait_for(lambda: [m for m in slack.messages(p.INCIDENT) if "never expires" in m.text], SECONDS)
    question, *told = slack.messages(p.INCIDENT)
    assert {message.thread_ts for message in told} == {question.ts}


async def test_a_namespace_that_may_not_be_read_is_no_namespace_without_secrets(
    slack: SlackServer, plane: Plane, namespace: str, marks: Marks, start_bot: StartBot
) -> None:
    await a_legacy_secret(plane, namespace, marks)
    kubeconfig = await plane.users.kubeconfig_for(f"reader-{namespace}", READS, namespace=namespace)
    channels = {p.APPROVALS: {"namespaces": ["shop-*"]}}
    await start_bot({"clusters": [{"name": "prod", "kubeconfig": str(kubeconfig)}], "channels": channels})
    await slack.command("/token", "digest kube-system", user=p.ENGINEER, channel=p.INCIDENT)
    refused = await roots(slack, "could not be read")
    assert "🟢" not in refused.text
    assert "may not list serviceaccounts in namespace kube-system. Allow it: add" in shown(refused)
    await slack.command("/token", f"digest {namespace}", user=p.ENGINEER, channel=p.INCIDENT)
    assert f"{namespace}/{SECRET}" in shown(await roots(slack, "1 Secret never expires"))
    await slack.command("/token", "digest kube-system", user=p.ENGINEER, channel=p.APPROVALS)
    await slack.wait_for(lambda: slack.ephemerals(p.ENGINEER), SECONDS)
    assert "may not be asked about in this channel" in slack.ephemerals(p.ENGINEER)[0].text
    assert slack.messages(p.APPROVALS) == []


async def test_an_outsider_is_told_nothing(slack: SlackServer, plane: Plane, start_bot: StartBot) -> None:
    await start_bot(config(plane))
    await slack.command("/token", "digest", user=p.OUTSIDER, channel=p.SHARED)
    await slack.wait_for(lambda: slack.ephemerals(p.OUTSIDER), SECONDS)
    assert "its own workspace" in slack.ephemerals(p.OUTSIDER)[0].text
    assert slack.messages(p.SHARED) == []


# --- by schedule --------------------------------------------------------------------------------------------


@pytest.fixture
def place(slack: SlackServer, plane: Plane, namespace: str) -> tuple[SlackServer, Plane, str]:
    return slack, plane, namespace


Begin = Callable[[], Awaitable[Stage]]


@pytest.fixture
async def begin(place: tuple[SlackServer, Plane, str], marks: Marks, start_bot: StartBot, tmp_path: Path) -> Begin:
    """Starts a bot whose digest was due five minutes ago. Erin may have Secrets deleted, if Avery agrees."""
    slack, plane, namespace = place
    await a_legacy_secret(plane, namespace, marks)
    for person in (ERIN, AVERY):
        await plane.users.grant(person, MAY_DELETE, namespace=namespace)
    url = f"sqlite+aiosqlite:///{tmp_path}/token-doctor.db"
    now = datetime.now(UTC)
    store = await open_store(url)
    await store.slots.begin("daily", now - timedelta(hours=1))
    await store.close()
    due = now - timedelta(minutes=5)
    daily: dict[str, Any] = {"name": "daily", "cron": f"{due.minute} {due.hour} * * *", "channel": p.INCIDENT}
    daily["namespaces"] = [namespace]

    async def begun() -> Stage:
        await start_bot(config(plane, database={"url": url}, digests=[daily], policy=[DELETE]))
        return Stage(slack, plane, namespace)

    return begun


@pytest.fixture
async def told(begin: Begin) -> Stage:
    return await begin()


async def test_a_digest_by_schedule_is_snoozed_and_says_so(told: Stage, marks: Marks) -> None:
    slack = told.slack
    root = await roots(slack, "1 Secret never expires")
    below = await page(slack, root, f"{told.namespace}/{SECRET}")
    assert actions_of(below)[:2] == ["snooze", "acknowledge"]
    await slack.click(below, "snooze", user=p.ENGINEER)
    form = await told.modal(p.ENGINEER, "leave it in peace")
    far = (datetime.now(UTC) + timedelta(days=300)).date().isoformat()
    await slack.submit(form, {"until": far, "reason": f"{marks.token('a snooze')}"}, user=p.ENGINEER)
    assert "At most 90 days" in form.errors["until"]
    assert "looks like a token" in form.errors["reason"]
    soon = (datetime.now(UTC) + timedelta(days=9)).date().isoformat()
    await slack.submit(form, {"until": soon, "reason": "goes with the old cluster"}, user=p.ENGINEER)
    assert "The digest says so" in shown(await told.answer(form))
    for message in (root, below):
        await says(slack, message, "goes with the old cluster")
        assert f'"user_id": "{p.ENGINEER}"' in shown(message)
    assert len([m for m in slack.messages(p.INCIDENT) if not m.thread_ts]) == 1
    await slack.command("/token", f"digest {told.namespace}", user=p.APPROVER, channel=p.INCIDENT)
    again = await roots(slack, f"<@{p.APPROVER}>")
    await says(slack, again, "goes with the old cluster")
    await slack.click(below, "wake", user=p.APPROVER)
    await told.modal(p.APPROVER, "is told again from now on")
    await slack.wait_for(lambda: "goes with the old cluster" not in shown(root), SECONDS)


async def test_who_is_no_colleague_snoozes_nothing(told: Stage) -> None:
    root = await roots(told.slack, "1 Secret never expires")
    below = await page(told.slack, root, f"{told.namespace}/{SECRET}")
    await told.slack.click(below, "acknowledge", user=p.OUTSIDER)
    refused = await told.modal(p.OUTSIDER, "workspace")
    assert "submit" not in refused.definition


async def test_a_workspace_without_charts_gets_a_table_also_after_an_edit(slack: SlackServer, begin: Begin) -> None:
    for method in ("chat.postMessage", "chat.update"):
        slack.fail(method, error="invalid_blocks", times=99, when=lambda sent: "data_visualization" in json.dumps(sent))
    told = await begin()
    root = await roots(slack, "1 Secret never expires")
    assert "table" in [block["type"] for block in root.blocks]
    below = await page(slack, root, f"{told.namespace}/{SECRET}")
    await slack.click(below, "acknowledge", user=p.ENGINEER)
    form = await told.modal(p.ENGINEER, "you have taken it on")
    await slack.submit(form, {"reason": "SHOP-311"}, user=p.ENGINEER)
    await says(slack, root, "SHOP-311")
    assert "table" in [block["type"] for block in root.blocks]
    assert "data_visualization" not in shown(root)


async def test_an_unused_secret_is_deleted_from_the_digest_once_it_is_approved(told: Stage) -> None:
    slack = told.slack
    root = await roots(slack, "1 Secret never expires")
    below = await page(slack, root, f"Delete unused Secret {SECRET}")
    await slack.click(below, "act:0", user=p.ENGINEER)
    form = await told.modal(p.ENGINEER, "Policy rule 1 wants 1 approval")
    await slack.submit(form, {"reason": "nobody uses it"}, user=p.ENGINEER)
    asked = await told.message(p.APPROVALS, "nobody uses it")
    await told.decided(asked, "approve", p.APPROVER)
    outcome = await told.outcome("Done")
    assert outcome.thread_ts == root.ts
    left = await told.plane.api.get(f"/api/v1/namespaces/{told.namespace}/secrets")
    assert SECRET not in [each["metadata"]["name"] for each in left["items"]]
