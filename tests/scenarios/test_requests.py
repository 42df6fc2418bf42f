"""From a check over a button and an approval to the rollout and its outcome: the whole bot on a real control plane."""

import base64
import json
from copy import copy

import pytest

from demo.slack import people as p
from tests.cluster.faults.scene import Scene
from tests.cluster.faults.workload import one_stale_pod
from tests.scenarios.marks import Marks
from tests.scenarios.stage import SECONDS, Stage, actions_of, empty_stage, quotes_in, shown, stage

pytestmark = pytest.mark.cluster

__all__ = ["empty_stage", "stage"]


async def test_an_answer_has_a_button_that_leads_to_its_remedy(empty_stage: Stage) -> None:
    stage, slack = empty_stage, empty_stage.slack
    sick = await one_stale_pod(Scene(stage.plane, stage.namespace))
    name = sick["metadata"]["name"]
    await slack.command("/token", f"check {stage.namespace}/deployment/{name}", user=p.ENGINEER, channel=p.INCIDENT)
    answer = await stage.message(p.INCIDENT, f"Restart deployment {name} …")
    assert actions_of(answer)[0] == "act:0"
    await slack.click(answer, "act:0", user=p.ENGINEER)
    form = await stage.modal(p.ENGINEER, "Policy rule 1 wants 1 approval")
    assert "restartedAt" in shown(form)
    await slack.submit(form, {"reason": "it serves 401s"}, user=p.ENGINEER)
    asked = await stage.message(p.APPROVALS, "it serves 401s")
    (quote, *_) = quotes_in(answer)
    link = f"https://shop.slack.com/archives/{p.INCIDENT}/p{answer.ts.replace('.', '')}"
    for words in ("It would mend: ", json.dumps(quote, ensure_ascii=False).strip('"'), link):
        assert words in shown(asked), words
    origin = await stage.message(p.INCIDENT, "Waiting for approval")
    assert origin.thread_ts == answer.ts


async def test_a_restart_is_asked_for_approved_done_and_watched(stage: Stage) -> None:
    asked = await stage.asked()
    for words in ("Waiting for approval", "Restart deployment", "restartedAt", "0 of 1 approval", "401 since nine"):
        assert words in shown(asked), words
    assert actions_of(asked) == ["approve", "deny", "cancel"]
    assert await stage.template() == {}
    origin = await stage.message(p.INCIDENT, "Waiting for approval")
    assert actions_of(origin) == ["cancel"]
    heard = await stage.decided(asked, "approve", p.APPROVER)
    assert "Your approval counts" in shown(heard)
    watched = "Done, looking whether it helped"
    await stage.slack.wait_for(lambda: watched in asked.text and watched in origin.text, SECONDS)
    for message in (asked, origin):
        assert "2 of 2 new pods are ready. No new evidence yet" in shown(message)
        assert f'"user_id": "{p.APPROVER}"' in shown(message)
        assert actions_of(message) == []
    assert "kubectl.kubernetes.io/restartedAt" in await stage.template()
    assert len(stage.slack.messages(p.INCIDENT)) == len(stage.slack.messages(p.APPROVALS)) == 1


async def test_a_secret_is_created_and_those_concerned_are_named_in_the_thread(stage: Stage, marks: Marks) -> None:
    """The new Secret's token is a mark: it may not leave the bot."""
    await stage.slack.command("/token", f"create-secret {stage.namespace}/ci", user=p.ENGINEER, channel=p.INCIDENT)
    form = await stage.modal(p.ENGINEER, "Policy rule 1 wants 1 approval")
    await stage.slack.submit(form, {"reason": "for the build"}, user=p.ENGINEER)
    asked = await stage.message(p.APPROVALS, "for the build")
    origin = await stage.message(p.INCIDENT, "Waiting for approval")
    await stage.decided(asked, "approve", p.APPROVER, "the build needs one")
    outcome = await stage.outcome("Done")
    assert outcome.thread_ts == origin.ts
    assert not outcome.history
    await stage.slack.wait_for(lambda: "✅ Done" in asked.text and "✅ Done" in origin.text, SECONDS)
    assert "the build needs one" in shown(asked)
    assert len([m for m in stage.slack.messages(p.INCIDENT) if m.thread_ts]) == 1
    secrets = (await stage.plane.api.get(f"/api/v1/namespaces/{stage.namespace}/secrets"))["items"]
    (secret,) = [each for each in secrets if each["type"] == "kubernetes.io/service-account-token"]
    marks.plant("a created Secret", base64.b64decode(secret["data"]["token"]).decode())


async def test_who_may_not_approve_is_told_the_rule_and_what_they_see_is_the_present(stage: Stage) -> None:
    asked = await stage.asked()
    await stage.slack.click(asked, "approve", user=p.ENGINEER)
    refused = await stage.modal(p.ENGINEER, "none of the approvers of policy rule 1")
    assert "submit" not in refused.definition
    assert "Waiting for approval" in shown(refused)
    await stage.slack.click(asked, "approve", user=p.OUTSIDER)
    assert "its own workspace" in shown(await stage.modal(p.OUTSIDER, "workspace"))
    await stage.slack.click(asked, "deny", user=p.FORMER)
    assert "deactivated" in shown(await stage.modal(p.FORMER, "deactivated"))
    assert await stage.template() == {}
    assert "0 of 1 approval" in shown(asked)


async def test_a_denial_needs_a_reason_and_ends_it(stage: Stage) -> None:
    asked = await stage.asked()
    await stage.slack.click(asked, "deny", user=p.APPROVER)
    form = await stage.modal(p.APPROVER, "", which=lambda view: "submit" in view.definition)
    await stage.slack.submit(form, {"reason": "   "}, user=p.APPROVER)
    assert "Say why" in form.errors["reason"]
    await stage.slack.submit(form, {"reason": "in the middle of the sale"}, user=p.APPROVER)
    assert "Your denial counts" in shown(await stage.answer(form))
    outcome = await stage.outcome("Denied")
    assert "in the middle of the sale" in shown(outcome)
    await stage.slack.wait_for(lambda: "Denied" in asked.text, SECONDS)
    assert actions_of(asked) == []
    assert await stage.template() == {}


async def test_old_and_doubled_clicks_get_the_present_state(stage: Stage) -> None:
    asked = await stage.asked()
    old = copy(asked)
    first = await stage.decided(asked, "approve", p.APPROVER)
    assert "Your approval counts" in shown(first)
    for user in (p.APPROVER, p.SECOND_APPROVER):
        await stage.slack.click(old, "approve", user=user)
        late = await stage.modal(user, "already", which=lambda view: view is not first)
        assert "submit" not in late.definition
        assert "approved by" in shown(late)


async def test_a_second_identical_request_joins_the_first(stage: Stage) -> None:
    asked = await stage.asked()
    command = f"restart {stage.namespace}/deployment/checkout"
    await stage.slack.command("/token", command, user=p.APPROVER, channel=p.SHARED)
    form = await stage.modal(p.APPROVER, "Policy rule 1")
    await stage.slack.submit(form, {"reason": "the same here"}, user=p.APPROVER)
    assert "It was asked for already" in shown(await stage.answer(form))
    await stage.message(p.SHARED, "Waiting for approval")
    assert len(stage.slack.messages(p.APPROVALS)) == 1
    cancelled = await stage.decided(asked, "cancel", p.APPROVER, "not needed")
    assert "It is cancelled" in shown(cancelled)
    for channel in (p.INCIDENT, p.SHARED):
        await stage.outcome("Cancelled", channel)


async def test_the_requester_cancels(stage: Stage) -> None:
    asked = await stage.asked()
    origin = await stage.message(p.INCIDENT, "Waiting for approval")
    assert "It is cancelled" in shown(await stage.decided(origin, "cancel", p.ENGINEER))
    await stage.slack.wait_for(lambda: "Cancelled" in asked.text and "Cancelled" in origin.text, SECONDS)


async def test_what_policy_forbids_is_refused_before_a_reason_is_written(stage: Stage) -> None:
    await stage.slack.command(
        "/token", f"restart {stage.namespace}/checkout", user=p.SECOND_APPROVER, channel=p.INCIDENT
    )
    refused = await stage.modal(p.SECOND_APPROVER, "none of its requesters")
    assert "submit" not in refused.definition
    await stage.slack.command("/token", f"restart {stage.namespace}/chekout", user=p.ENGINEER, channel=p.INCIDENT)
    assert f"{stage.namespace}/checkout" in shown(await stage.modal(p.ENGINEER, "There is no"))


async def test_a_token_in_a_reason_is_neither_kept_nor_shown(stage: Stage, marks: Marks) -> None:
    """The search for the marks is in the fixtures."""
    await stage.slack.command("/token", f"restart {stage.namespace}/checkout", user=p.ENGINEER, channel=p.INCIDENT)
    form = await stage.modal(p.ENGINEER, "Policy rule 1")
    await stage.slack.submit(form, {"reason": f"it has {marks.token('a reason')}"}, user=p.ENGINEER)
    assert "looks like a token" in form.errors["reason"]
    assert stage.slack.messages(p.APPROVALS) == []


async def test_the_home_tab_shows_what_waits_and_changes_with_it(stage: Stage) -> None:
    await stage.asked()
    await stage.slack.open_home(p.APPROVER)
    home = await stage.slack.wait_for(lambda: stage.slack.home(p.APPROVER), SECONDS)
    assert home is not None
    assert "Restart deployment" in shown(home)
    assert "prod" in shown(home)
    assert actions_of(home) == ["approve", "deny"]
    await stage.decided(home, "approve", p.APPROVER)
    await stage.slack.wait_for(
        lambda: "Nothing waits for your approval" in shown(stage.slack.home(p.APPROVER)), SECONDS
    )
    await stage.slack.open_home(p.ENGINEER)
    mine = await stage.slack.wait_for(lambda: stage.slack.home(p.ENGINEER), SECONDS)
    assert "Your requests" in shown(mine)
    assert "Restart deployment" in shown(mine)


async def test_the_lists_are_for_the_asker_only(stage: Stage) -> None:
    asked = await stage.asked()
    await stage.decided(asked, "deny", p.APPROVER, "not now")
    for text, words in {"requests": "Denied", f"audit {stage.namespace}/checkout": "not now", "audit": "asked"}.items():
        stage.slack.workspace.ephemerals.clear()
        await stage.slack.command("/token", text, user=p.ENGINEER, channel=p.INCIDENT)
        await stage.slack.wait_for(lambda: stage.slack.ephemerals(p.ENGINEER), SECONDS)
        assert words in json.dumps(stage.slack.ephemerals(p.ENGINEER)[0].blocks), text


async def test_a_shortcut_checks_what_an_alert_names_in_its_thread(stage: Stage) -> None:
    fields = [{"title": "namespace", "value": stage.namespace}, {"title": "deployment", "value": "checkout"}]
    attachment = {"fallback": "[FIRING:1] TokenRefused", "fields": fields}
    alert = await stage.slack.say(p.INCIDENT, p.OTHER_BOT, "", blocks=[], attachments=[attachment])
    await stage.slack.shortcut(alert, "check_here", user=p.ENGINEER)
    form = await stage.modal(p.ENGINEER, f"{stage.namespace}/deployment/checkout")
    await stage.slack.submit(form, {"target": "0"}, user=p.ENGINEER)
    assert not form.open
    answer = await stage.message(p.INCIDENT, "took")
    assert answer.thread_ts == alert.ts
    silent = await stage.slack.say(p.INCIDENT, p.OTHER_BOT, "all is well")
    await stage.slack.shortcut(silent, "check_here", user=p.ENGINEER)
    await stage.modal(p.ENGINEER, "is named in this message")


async def test_slack_away_for_a_while_loses_nothing(stage: Stage) -> None:
    asked = await stage.asked()
    await stage.slack.click(asked, "deny", user=p.APPROVER)
    form = await stage.modal(p.APPROVER, "", which=lambda view: "submit" in view.definition)
    for method in ("chat.update", "chat.postMessage"):
        stage.slack.fail(method, status=503, times=5)
    await stage.slack.submit(form, {"reason": "no"}, user=p.APPROVER)
    await stage.outcome("Denied")
    await stage.slack.wait_for(lambda: "Denied" in asked.text, SECONDS)
    assert len([m for m in stage.slack.messages(p.INCIDENT) if m.thread_ts]) == 1


async def test_a_mention_gets_a_button_for_the_asker_only(stage: Stage) -> None:
    """A mention brings no trigger, and so can open no form."""
    question = await stage.slack.say(p.INCIDENT, p.ENGINEER, "checkout fails")
    text = f"restart {stage.namespace}/checkout"
    await stage.slack.mention(p.INCIDENT, p.ENGINEER, text, thread_ts=question.ts)
    await stage.slack.wait_for(lambda: stage.slack.ephemerals(p.ENGINEER), SECONDS)
    (told,) = stage.slack.ephemerals(p.ENGINEER)
    await stage.slack.click(told, "act:0", user=p.ENGINEER)
    form = await stage.modal(p.ENGINEER, "Policy rule 1")
    await stage.slack.submit(form, {"reason": "it fails"}, user=p.ENGINEER)
    assert (await stage.message(p.INCIDENT, "Waiting for approval")).thread_ts == question.ts


async def test_a_token_in_the_cluster_reaches_no_form_and_no_home(stage: Stage, marks: Marks) -> None:
    """The difference shows what would be replaced. The search itself is in the fixtures."""
    token = marks.token("the annotation that a restart replaces")
    template = {
        "metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": token, "note": marks.token("a note")}}
    }
    path = f"/apis/apps/v1/namespaces/{stage.namespace}/deployments/checkout"
    await stage.plane.api.patch(path, {"spec": {"template": template}})
    await stage.rolled_out()
    asked = await stage.asked()
    assert "[token removed]" in shown(asked)
    await stage.slack.open_home(p.APPROVER)
    home = await stage.slack.wait_for(lambda: stage.slack.home(p.APPROVER), SECONDS)
    assert "Restart deployment" in shown(home)
    await stage.slack.command("/token", "audit", user=p.ENGINEER, channel=p.INCIDENT)
    await stage.slack.wait_for(lambda: stage.slack.ephemerals(p.ENGINEER), SECONDS)
    assert "Your denial counts" in shown(await stage.decided(asked, "deny", p.APPROVER, "only a look"))


async def test_a_form_that_was_tampered_with_does_nothing(stage: Stage) -> None:
    await stage.slack.command("/token", f"restart {stage.namespace}/checkout", user=p.ENGINEER, channel=p.INCIDENT)
    form = await stage.modal(p.ENGINEER, "Policy rule 1")
    form.definition["private_metadata"] = '{"kind":"drop-everything"}'
    await stage.slack.submit(form, {"reason": "please"}, user=p.ENGINEER)
    assert "another version" in shown(await stage.answer(form))
    asked = await stage.asked()
    buttons = next(block for block in asked.blocks if block["type"] == "actions")
    buttons["elements"][0]["value"] = "f00dfeedff"
    await stage.slack.click(asked, "approve", user=p.APPROVER)
    await stage.modal(p.APPROVER, "no such request")
    assert await stage.template() == {}


async def test_what_changed_while_the_reason_was_written_is_shown_anew(stage: Stage) -> None:
    await stage.slack.command("/token", f"restart {stage.namespace}/checkout", user=p.ENGINEER, channel=p.INCIDENT)
    form = await stage.modal(p.ENGINEER, "Policy rule 1")
    path = f"/apis/apps/v1/namespaces/{stage.namespace}/deployments/checkout"
    template = {"metadata": {"labels": {"tier": "front"}}}
    await stage.plane.api.patch(path, {"spec": {"template": template}})
    await stage.rolled_out()
    await stage.slack.submit(form, {"reason": "401 since nine"}, user=p.ENGINEER)
    await stage.modal(p.ENGINEER, "It changed while you wrote")
    assert stage.slack.messages(p.APPROVALS) == []
    assert '"initial_value": "401 since nine"' in shown(form)
    await stage.slack.submit(form, {}, user=p.ENGINEER)
    await stage.message(p.APPROVALS, "401 since nine")


async def test_to_restart_a_pod_is_to_restart_what_makes_it(stage: Stage) -> None:
    root = f"/api/v1/namespaces/{stage.namespace}/pods"
    pod = (await stage.plane.api.get(root))["items"][0]["metadata"]["name"]
    await stage.slack.command("/token", f"restart {stage.namespace}/{pod}", user=p.ENGINEER, channel=p.INCIDENT)
    await stage.modal(p.ENGINEER, f"Deployment {stage.namespace}/checkout")
    await stage.plane.workloads.run_pod(stage.namespace, "alone")
    await stage.slack.command("/token", f"restart {stage.namespace}/alone", user=p.ENGINEER, channel=p.INCIDENT)
    refused = await stage.modal(p.ENGINEER, "nothing that can be restarted")
    assert "submit" not in refused.definition
