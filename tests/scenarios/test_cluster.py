"""The whole bot between the Slack stand-in and a real control plane."""

import json

import pytest

from demo.slack import Message, SlackServer
from demo.slack import people as p
from tests.cluster.faults.scene import Scene
from tests.cluster.faults.workload import namespace_with_one_sick
from tests.cluster.plane import Plane
from tests.scenarios.conftest import StartBot
from tests.scenarios.marks import Marks

pytestmark = pytest.mark.cluster

SECONDS = 40


def shown(messages: list[Message]) -> str:
    return json.dumps([message.blocks for message in messages], ensure_ascii=False)


async def answered(slack: SlackServer) -> Message:
    def found() -> list[Message]:
        return [message for message in slack.messages(p.INCIDENT) if message.history]

    return (await slack.wait_for(found, SECONDS))[-1]


async def replies(slack: SlackServer, parent: Message) -> list[Message]:
    def found() -> list[Message]:
        return [message for message in slack.messages(p.INCIDENT) if message.thread_ts == parent.ts]

    await slack.wait_for(lambda: "Checks" in shown(found()), SECONDS)
    return found()


async def test_an_expired_token_gets_the_critical_answer_with_its_proof(
    slack: SlackServer, plane: Plane, namespace: str, marks: Marks, start_bot: StartBot
) -> None:
    scene = Scene(plane, namespace)
    pod = await scene.pod()
    claims = await plane.tokens.bound_claims(namespace, "checkout", pod=pod)
    late = {**claims, **{name: claims[name] - 7_200 for name in ("iat", "nbf", "exp")}}
    token = marks.plant("the cached token", plane.tokens.sign(late))
    await scene.refused(pod, token)
    await start_bot({"clusters": [{"name": "prod", "kubeconfig": str(plane.kubeconfig)}]})
    await slack.command("/token", f"check {namespace}/app", user=p.ENGINEER, channel=p.INCIDENT)
    message = await answered(slack)
    assert len([m for m in slack.messages(p.INCIDENT) if not m.thread_ts]) == 1
    assert message.text.startswith("🔴 Critical: ")
    assert "service account token has expired" in shown([message, *await replies(slack, message)])


async def test_a_target_with_a_typo_gets_the_real_names(
    slack: SlackServer, plane: Plane, namespace: str, start_bot: StartBot
) -> None:
    await Scene(plane, namespace).pod()
    await start_bot({"clusters": [{"name": "prod", "kubeconfig": str(plane.kubeconfig)}]})
    await slack.command("/token", f"check {namespace}/pod/ap", user=p.ENGINEER, channel=p.INCIDENT)
    message = await answered(slack)
    assert message.text.startswith("⚪ No verdict")
    assert f"{namespace}/app" in shown([message])


async def test_a_bot_without_rights_names_the_rule(
    slack: SlackServer, plane: Plane, namespace: str, start_bot: StartBot
) -> None:
    await Scene(plane, namespace).pod()
    kubeconfig = await plane.users.kubeconfig_for(f"nobody-{namespace}", [])
    await start_bot({"clusters": [{"name": "prod", "kubeconfig": str(kubeconfig)}]})
    await slack.command("/token", f"check {namespace}/pod/app", user=p.ENGINEER, channel=p.INCIDENT)
    message = await answered(slack)
    assert 'resources: [\\"pods\\"], verbs: [\\"get\\"]' in shown([message])


async def test_a_namespace_is_answered_by_its_workloads(
    slack: SlackServer, plane: Plane, namespace: str, start_bot: StartBot
) -> None:
    await namespace_with_one_sick(Scene(plane, namespace))
    await start_bot({"clusters": [{"name": "prod", "kubeconfig": str(plane.kubeconfig)}]})
    await slack.command("/token", f"check ns/{namespace}", user=p.ENGINEER, channel=p.INCIDENT)
    message = await answered(slack)
    assert message.text.startswith("🔴 Critical: The service account was deleted and created again: 1 of 3 workloads")
    for part in ("All 3 workloads were examined.", "deployment checkout", "🟢 2: ", "statefulset db", "deployment web"):
        assert part in shown([message]), part
