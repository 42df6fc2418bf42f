"""What the scenarios of remedies share: the bot with a policy, a namespace, and what people do with them in Slack."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from demo.slack import Message, SlackServer, View
from demo.slack import people as p
from tests.cluster.faults.scene import Scene
from tests.cluster.plane import Plane
from tests.cluster.waiting import eventually
from tests.scenarios.conftest import StartBot

SECONDS = 60
RESTART = {
    "actions": ["restart-workload", "create-token-secret"],
    "namespaces": ["*"],
    "requesters": [p.ON_CALL],
    "approvers": [p.APPROVERS],
    "approval_channel": p.APPROVALS,
}
MAY_RESTART = [
    {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "patch"]},
    {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "create"]},
]
PEOPLE = ("erin@shop.example", "avery@shop.example", "sam@shop.example")


def blocks_of(what: Message | View | None) -> list[dict[str, Any]]:
    if isinstance(what, View):
        blocks: list[dict[str, Any]] = what.definition["blocks"]
        return blocks
    return what.blocks if what else []


def shown(what: Message | View | None) -> str:
    return json.dumps(blocks_of(what), ensure_ascii=False)


def actions_of(what: Message | View) -> list[str]:
    blocks = blocks_of(what)
    return [element["action_id"] for block in blocks if block["type"] == "actions" for element in block["elements"]]


def quotes_in(message: Message) -> list[str]:
    """What is shown as it was written: log lines, differences."""
    groups = [group for block in message.blocks if block["type"] == "rich_text" for group in block["elements"]]
    return [group["elements"][0]["text"] for group in groups if group["type"] == "rich_text_preformatted"]


@dataclass
class Stage:
    """The bot, a namespace, and what people do with them."""

    slack: SlackServer
    plane: Plane
    namespace: str

    async def modal(self, user: str, words: str, *, which: Callable[[View], bool] = lambda _: True) -> View:
        """The person's topmost modal, once it says so."""

        def found() -> View | None:
            open_ = [view for view in self.slack.modals(user) if which(view)]
            return open_[-1] if open_ and words in shown(open_[-1]) else None

        view = await self.slack.wait_for(found, SECONDS)
        assert view is not None
        return view

    async def message(self, channel: str, words: str) -> Message:
        def found() -> Message | None:
            return next((m for m in self.slack.messages(channel) if words in shown(m) or words in m.text), None)

        try:
            message = await self.slack.wait_for(found, SECONDS)
        except TimeoutError:
            raise AssertionError(
                f"no {words!r} in {[(m.text, shown(m)) for m in self.slack.messages(channel)]}"
            ) from None
        assert message is not None
        return message

    async def outcome(self, words: str, channel: str = p.INCIDENT) -> Message:
        """The reply that names those concerned."""

        def found() -> list[Message]:
            told = [m for m in self.slack.messages(channel) if m.metadata]
            return [m for m in told if m.metadata and m.metadata["event_payload"].get("purpose") == "outcome"]

        await self.slack.wait_for(found, SECONDS)
        (message,) = found()
        assert words in message.text
        assert f"<@{p.ENGINEER}>" in message.text
        return message

    async def asked(self, reason: str = "401 since nine", user: str = p.ENGINEER) -> Message:
        """`/token restart`, a reason given: the approvers' message."""
        await self.slack.command("/token", f"restart {self.namespace}/checkout", user=user, channel=p.INCIDENT)
        form = await self.modal(user, "Policy rule 1 wants 1 approval")
        await self.slack.submit(form, {"reason": reason}, user=user)
        await self.modal(user, "Asked")
        return await self.message(p.APPROVALS, reason)

    async def decided(self, message: Message | View, verb: str, user: str, reason: str = "") -> View:
        """Clicks, gives the reason, and returns the modal with what came of it."""
        await self.slack.click(message, verb, user=user)
        form = await self.modal(user, "", which=lambda view: "submit" in view.definition)
        await self.slack.submit(form, {"reason": reason} if reason else {}, user=user)
        return await self.answer(form)

    async def answer(self, form: View) -> View:
        """The modal once it is worked out."""
        busy = ("Looking at it", "One moment")
        await self.slack.wait_for(
            lambda: "submit" not in form.definition and not any(words in shown(form) for words in busy), SECONDS
        )
        return form

    async def rolled_out(self) -> None:
        path = f"/apis/apps/v1/namespaces/{self.namespace}/deployments/checkout"
        await eventually(
            lambda: self.plane.api.get(path),
            lambda found: (
                found["status"].get("observedGeneration") == found["metadata"]["generation"]
                and found["status"].get("updatedReplicas") == found["status"].get("replicas") == 2
            ),
            "the deployment is rolled out",
        )

    async def template(self) -> dict[str, Any]:
        """The annotations of the deployment's pod template."""
        path = f"/apis/apps/v1/namespaces/{self.namespace}/deployments/checkout"
        deployment = await self.plane.api.get(path)
        annotations: dict[str, Any] = deployment["spec"]["template"]["metadata"].get("annotations", {})
        return annotations


@pytest.fixture
async def empty_stage(slack: SlackServer, plane: Plane, namespace: str, start_bot: StartBot, tmp_path: Path) -> Stage:
    for person in PEOPLE:
        await plane.users.grant(person, MAY_RESTART, namespace=namespace)
    await start_bot(
        {
            "clusters": [{"name": "prod", "kubeconfig": str(plane.kubeconfig)}],
            "database": {"url": f"sqlite+aiosqlite:///{tmp_path}/token-doctor.db"},
            "policy": [RESTART],
        }
    )
    return Stage(slack, plane, namespace)


@pytest.fixture
async def stage(empty_stage: Stage) -> Stage:
    """With a deployment `checkout` of two pods, and a service account `ci`."""
    plane, namespace = empty_stage.plane, empty_stage.namespace
    await plane.workloads.deployment(namespace, "checkout", replicas=2)
    await Scene(plane, namespace).account("ci")
    return empty_stage
