"""Slack's part: each way in which a token, a scope, a channel, a user group or a person can be wrong."""

from pathlib import Path

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.kube.client import utc_now
from bot.preflight.slack import look
from bot.preflight.trial import Outcome, exit_code
from config.settings import load
from demo.slack import SlackServer
from demo.slack import people as p
from tests.unit.preflight.conftest import DIGEST, RULE, Preflight, but_ok, only

NONE = "(digest daily): there is none of this id, or it is private and @token-doctor is not in it"
NO_LOOKUPS = "They are looked up once the bot token is taken."


def without(slack: SlackServer, *scopes: str) -> None:
    token = slack.workspace.tokens[slack.bot_token]
    token.scopes = tuple(scope for scope in token.scopes if scope not in scopes)


@pytest.mark.parametrize(
    ("token", "sentence"),
    [
        ("", "SLACK_BOT_TOKEN is not set"),
        (p.APP_TOKEN, "SLACK_BOT_TOKEN holds an app-level token (xapp-…), and it must begin with xoxb-"),
        ("xoxb-1-demoOnlyNotASecret", "Slack does not know the token in SLACK_BOT_TOKEN"),
    ],
)
async def test_a_wrong_bot_token(
    preflight: Preflight, monkeypatch: pytest.MonkeyPatch, token: str, sentence: str
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", token)
    trials = await preflight()
    wrong, unnamed, policy = but_ok(trials)
    assert (wrong.outcome, wrong.text) == (Outcome.FAILED, sentence)
    assert wrong.mend.startswith("Copy the Bot User OAuth Token (xoxb-…)")
    assert (unnamed.outcome, unnamed.mend) == (Outcome.NOT_TRIED, NO_LOOKUPS)
    assert policy.text == "rule 1 (restart-workload): Slack did not tell who S012USERGROUP, S034USERGROUP are"
    assert exit_code(trials) == 1
    assert exit_code(await preflight(only_required=True)) == 1


@pytest.mark.parametrize(
    ("token", "sentence"),
    [
        ("", "SLACK_APP_TOKEN is not set"),
        ("xapp-1-demoOnlyNotASecret", "Slack does not know the token in SLACK_APP_TOKEN"),
    ],
)
async def test_a_wrong_app_token(
    preflight: Preflight, monkeypatch: pytest.MonkeyPatch, token: str, sentence: str
) -> None:
    monkeypatch.setenv("SLACK_APP_TOKEN", token)
    found = only(await preflight())
    assert (found.outcome, found.text) == (Outcome.FAILED, sentence)
    assert only(await preflight(only_required=True)) == found


async def test_an_app_token_without_socket_mode(preflight: Preflight, slack: SlackServer) -> None:
    slack.fail("apps.connections.open", error="missing_scope")
    found = only(await preflight())
    assert found.text == "The token in SLACK_APP_TOKEN lacks the scope connections:write, which Socket Mode needs"


async def test_each_missing_scope_has_its_line(preflight: Preflight, slack: SlackServer) -> None:
    without(slack, "app_mentions:read", "users:read.email")
    found = but_ok(await preflight())
    assert [trial.text for trial in found] == [
        "The token in SLACK_BOT_TOKEN lacks a scope: app_mentions:read (to hear @token-doctor in threads)",
        "The token in SLACK_BOT_TOKEN lacks a scope: users:read.email (to ask Kubernetes what they may do)",
    ]
    assert all(trial.mend.startswith("Add it under OAuth & Permissions") for trial in found)
    assert but_ok(await preflight(only_required=True)) == found


async def test_a_slack_that_is_not_there_is_told_once_and_is_no_failure(preflight: Preflight) -> None:
    trials = await preflight({"slack": {"api_url": "http://127.0.0.1:1/api/"}, "policy": []})
    slack, unnamed = but_ok(trials)
    assert slack.text == "127.0.0.1 cannot be reached: the connection is refused or breaks"
    assert unnamed.mend == NO_LOOKUPS
    assert {trial.outcome for trial in but_ok(trials)} == {Outcome.NOT_TRIED}
    assert exit_code(trials) == 3


async def test_a_slack_that_is_slow_is_left_after_the_deadline(preflight: Preflight, slack: SlackServer) -> None:
    slack.fail("*", times=2, delay=30)
    trials = await preflight({"checks": {"deadline_seconds": 1}}, only_required=True)
    assert only(trials).text == "Slack did not answer within 1 seconds"
    assert exit_code(trials) == 3


async def test_one_slow_answer_spoils_one_line(preflight: Preflight, slack: SlackServer) -> None:
    slack.fail("conversations.info", delay=30, when=lambda arguments: arguments["channel"] == p.APPROVALS)
    found = only(await preflight({"checks": {"deadline_seconds": 1}}))
    assert found.outcome is Outcome.NOT_TRIED
    assert found.text == "channel C0APPROVALS: Slack did not answer within 1 seconds"


async def test_slack_s_own_failure_is_no_refusal_of_the_token(preflight: Preflight, slack: SlackServer) -> None:
    slack.fail("auth.test", error="internal_error")
    found = but_ok(await preflight(only_required=True))
    assert [(trial.outcome, trial.text) for trial in found] == [
        (Outcome.NOT_TRIED, "Slack failed itself (internal_error)")
    ]


@pytest.mark.parametrize(
    ("channel", "sentence"),
    [
        (p.ARCHIVED, "channel #old-incident C0ARCHIVED1 (digest daily) is archived"),
        (p.RANDOM, "channel #random C0RANDOM001 (digest daily): @token-doctor is not in it"),
        (p.PRIVATE, f"channel C0PRIVATE01 {NONE}"),
        ("C0NOSUCH0001", f"channel C0NOSUCH0001 {NONE}"),
    ],
)
async def test_a_channel_where_nothing_can_be_posted(preflight: Preflight, channel: str, sentence: str) -> None:
    found = only(await preflight({"digests": [{**DIGEST, "channel": channel}]}))
    assert (found.outcome, found.text) == (Outcome.FAILED, sentence)
    assert found.mend


async def test_a_channel_of_a_route_of_a_rule_and_of_approvals_is_looked_up(preflight: Preflight) -> None:
    routes = [{"namespaces": ["shop-*"], "channel": p.RANDOM}]
    rule = {**RULE, "channels": [p.RANDOM], "approval_channel": p.RANDOM}
    found = only(await preflight({"digests": [{**DIGEST, "routes": routes}], "policy": [rule]}))
    assert found.text.startswith("channel #random C0RANDOM001 (digest daily, approvals of rule 1, rule 1): ")
    assert found.mend == "Write `/invite @token-doctor` there."


async def test_without_the_scopes_to_look_a_channel_is_there_or_not_and_membership_is_not_guessed(
    preflight: Preflight, slack: SlackServer
) -> None:
    without(slack, "channels:read", "groups:read")
    digests = [{**DIGEST, "routes": [{"namespaces": ["x"], "channel": "C0NOSUCH0001"}]}]
    incident, missing, approvals = but_ok(await preflight({"digests": digests}))
    assert (incident.outcome, missing.outcome, approvals.outcome) == (
        Outcome.NOT_TRIED,
        Outcome.FAILED,
        Outcome.NOT_TRIED,
    )
    assert "whether @token-doctor is in it takes another scope to see" in incident.text
    assert "channels:read" in incident.mend


async def test_without_groups_read_a_private_channel_is_not_said_to_be_missing(
    preflight: Preflight, slack: SlackServer
) -> None:
    without(slack, "groups:read")
    slack.workspace.channels[p.PRIVATE].members.append(p.BOT_USER)
    found = only(await preflight({"digests": [{**DIGEST, "channel": p.PRIVATE}]}))
    assert found.outcome is Outcome.NOT_TRIED
    assert "channel C0PRIVATE01 (digest daily) is there" in found.text


async def test_a_user_group_that_slack_does_not_know(preflight: Preflight) -> None:
    group, policy = but_ok(await preflight({"policy": [{**RULE, "approvers": ["S0NOSUCHGRP"]}]}))
    assert (group.outcome, group.text) == (Outcome.FAILED, "user group S0NOSUCHGRP: Slack knows none of this id")
    assert policy.text == "rule 1 (restart-workload): it takes 1 approval, and has 0 approvers"


async def test_a_user_group_that_is_disabled_or_empty(preflight: Preflight, slack: SlackServer) -> None:
    slack.workspace.user_groups[p.APPROVERS].deleted = True
    slack.workspace.user_groups[p.ON_CALL].users.clear()
    empty, disabled, policy = but_ok(await preflight())
    assert empty.text == "user group @on-call S012USERGROUP is empty"
    assert disabled.text == "user group @approvers S034USERGROUP is disabled"
    assert policy.text == "rule 1 (restart-workload): nobody may ask, for its requesters are nobody"


async def test_a_group_that_only_the_identity_section_names_is_looked_up(preflight: Preflight) -> None:
    found = only(await preflight({"identity": {"groups": {"S0OTHERGRP1": ["sre"]}}}))
    assert found.text == "user group S0OTHERGRP1: Slack knows none of this id"


@pytest.mark.parametrize(
    ("person", "why"),
    [
        ("U0NOSUCHONE", "Slack knows nobody of this id"),
        (p.FORMER, "This account is deactivated, so token-doctor does not answer it"),
        (p.OTHER_BOT, "token-doctor does not answer bots"),
        (p.OUTSIDER, "token-doctor answers only people of its own workspace"),
    ],
)
async def test_a_person_who_would_be_refused(preflight: Preflight, person: str, why: str) -> None:
    found = only(await preflight({"policy": [{**RULE, "approvers": [p.APPROVERS, person]}]}))
    assert (found.outcome, found.text) == (Outcome.FAILED, f"person {person}: {why}")


async def test_a_person_whom_kubernetes_could_not_know(preflight: Preflight, slack: SlackServer) -> None:
    slack.workspace.users[p.APPROVER].email = ""
    policy = [{**RULE, "approvers": [p.APPROVERS, p.APPROVER]}]
    found = only(await preflight({"policy": policy}))
    assert found.outcome is Outcome.WARNING
    assert found.text.startswith("person Avery Approver U0APPROVER1 has no address in Slack")
    assert but_ok(await preflight({"policy": policy, "identity": {"subject_access_review": False}})) == []
    assert but_ok(await preflight({"policy": policy, "identity": {"kubernetes_user": "slack:{id}"}})) == []


async def test_an_answer_that_does_not_name_the_scopes_is_not_taken_for_none(preflight: Preflight) -> None:
    """A proxy may take the header out; the bot starts all the same."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"ok": True, "team": "Shop", "user": "token-doctor"})

    application = web.Application()
    application.router.add_post("/api/{method}", answer)
    proxy = TestServer(application)
    await proxy.start_server()
    try:
        changes = {"slack": {"api_url": str(proxy.make_url("/api/"))}, "policy": [], "digests": [], "channels": {}}
        assert but_ok(await preflight(changes, only_required=True)) == []
        found = only(await preflight(changes))
    finally:
        await proxy.close()
    assert found.outcome is Outcome.NOT_TRIED
    assert found.text == "the bot token's scopes: Slack's answer does not name them"


@pytest.mark.parametrize(
    ("secret", "outcome", "words"),
    [
        ("", Outcome.FAILED, "SLACK_SIGNING_SECRET is not set"),
        ("demoOnlyNotASecret", Outcome.OK, "SLACK_SIGNING_SECRET is set; whether it is the app's shows with"),
    ],
)
async def test_over_http_it_is_the_signing_secret_that_counts(
    configured: dict[str, object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    secret: str,
    outcome: Outcome,
    words: str,
) -> None:
    monkeypatch.setenv("SLACK_APP_TOKEN", "")
    monkeypatch.setenv("SLACK_SIGNING_SECRET", secret)
    file = tmp_path / "token-doctor.yaml"
    file.write_text(yaml.safe_dump(configured))
    settings = load(file)
    over_http = settings.model_copy(update={"slack": settings.slack.model_copy(update={"mode": "http"})})
    _, signing, *others = (await look(over_http, utc_now, 5, required=True)).trials
    assert signing.outcome is outcome
    assert signing.text.startswith(words)
    assert "demoOnlyNotASecret" not in repr(signing)
    assert {trial.outcome for trial in others} == {Outcome.OK}
