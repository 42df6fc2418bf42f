"""A start that cannot work ends at once, with a sentence and exit code 2."""

import json
from pathlib import Path

import pytest

from demo.slack import SlackServer
from demo.slack import people as p
from tests.scenarios.conftest import StartBot
from tests.unit.kube.fake_api import FakeApi

CASES = {
    "no bot token": ({}, {"SLACK_BOT_TOKEN": ""}, "SLACK_BOT_TOKEN is not set."),
    "tokens swapped": (
        {},
        {"SLACK_BOT_TOKEN": p.APP_TOKEN, "SLACK_APP_TOKEN": p.BOT_TOKEN},
        "SLACK_BOT_TOKEN holds an app-level token",
    ),
    "unknown token": ({}, {"SLACK_BOT_TOKEN": "xoxb-1-unknown"}, "Slack does not know the token in SLACK_BOT_TOKEN."),
    "unreachable": ({"slack": {"api_url": "http://127.0.0.1:1/api/"}}, {}, "127.0.0.1 cannot be reached"),
    "wrong setting": ({"checks": {"deadline_second": 5}}, {}, "did you mean deadline_seconds?"),
    "no kubeconfig": ({"clusters": [{"name": "prod", "kubeconfig": "/nowhere"}]}, {}, "/nowhere"),
    "no context": ({"clusters": [{"name": "prod", "context": "nowhere"}]}, {"KUBECONFIG": "/nowhere"}, "/nowhere"),
}


@pytest.mark.parametrize("case", sorted(CASES))
async def test_a_start_that_cannot_work_says_why(start_bot: StartBot, case: str) -> None:
    config, variables, sentence = CASES[case]
    bot = await start_bot(config, variables, ready=False, may_fail=True)
    assert await bot.exit() == 2, bot.output
    assert sentence in bot.output
    assert "Traceback" not in bot.output
    assert "demoOnlyNotASecret" not in bot.output


async def test_a_missing_scope_stops_the_start(slack: SlackServer, start_bot: StartBot) -> None:
    token = slack.workspace.tokens[slack.bot_token]
    token.scopes = tuple(scope for scope in token.scopes if scope != "users:read")
    bot = await start_bot(ready=False, may_fail=True)
    assert await bot.exit() == 2
    assert "lacks a scope: users:read" in bot.output


async def test_bolts_own_variables_change_nothing(slack: SlackServer, start_bot: StartBot) -> None:
    """With both of these in the environment bolt turns OAuth on and drops the token."""
    await start_bot(variables={"SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "s", "SLACK_SIGNING_SECRET": "s"})
    await slack.command("/token", "help", user=p.ENGINEER, channel=p.INCIDENT)
    await slack.wait_for(lambda: slack.ephemerals(p.ENGINEER), 10)


async def test_a_kubeconfigs_credential_program_does_not_see_slacks_tokens(
    api: FakeApi, tmp_path: Path, start_bot: StartBot
) -> None:
    seen = tmp_path / "environment"
    credential = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "t"}}
    program = tmp_path / "login"
    program.write_text(f"#!/bin/sh\nenv > {seen}\necho '{json.dumps(credential)}'\n")
    program.chmod(0o700)
    exec_ = {"apiVersion": credential["apiVersion"], "command": str(program), "interactiveMode": "Never"}
    folder = tmp_path / "own"
    folder.mkdir()
    kubeconfig = api.kubeconfig(folder, {"exec": exec_})
    clusters = [{"name": "prod", "kubeconfig": str(kubeconfig)}]
    await start_bot({"clusters": clusters}, {"DATABASE_PASSWORD": "correct-horse"})
    assert "PATH=" in seen.read_text()
    assert "SLACK_" not in seen.read_text()
    assert "DATABASE_PASSWORD" not in seen.read_text()


async def test_tokens_may_come_from_files(
    slack: SlackServer, start_bot: StartBot, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("tokens")
    (folder / "bot").write_text(f"{slack.bot_token}\n")
    (folder / "app").write_text(f"{slack.app_token}\n")
    files = {"SLACK_BOT_TOKEN_FILE": str(folder / "bot"), "SLACK_APP_TOKEN_FILE": str(folder / "app")}
    bot = await start_bot(variables={"SLACK_BOT_TOKEN": "", "SLACK_APP_TOKEN": "", **files})
    assert "ready: workspace Shop, clusters: prod" in bot.output


POLICY = [
    {"actions": ["restart-workload"], "namespaces": ["shop"], "requesters": [p.ON_CALL], "approvers": [p.APPROVERS]}
]


async def test_a_policy_needs_its_database_and_without_one_nothing_is_stored(
    start_bot: StartBot, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("database")
    (folder / "doctor.db").write_bytes(b"no database at all, just text " * 100)
    database = {"url": f"sqlite+aiosqlite:///{folder}/doctor.db"}
    bot = await start_bot({"policy": POLICY, "database": database}, ready=False, may_fail=True)
    assert await bot.exit() == 3, bot.output
    assert "is not an SQLite database" in bot.output
    assert "Traceback" not in bot.output
    await start_bot({"database": database})


async def test_a_policy_needs_the_scopes_that_tell_who_is_in_a_group(slack: SlackServer, start_bot: StartBot) -> None:
    token = slack.workspace.tokens[slack.bot_token]
    token.scopes = tuple(scope for scope in token.scopes if scope != "usergroups:read")
    bot = await start_bot({"policy": POLICY}, ready=False, may_fail=True)
    assert await bot.exit() == 2
    assert "lacks a scope: usergroups:read (to know who may ask for a remedy" in bot.output


async def test_with_a_policy_the_bot_makes_its_database_and_stops_cleanly(start_bot: StartBot, tmp_path: Path) -> None:
    file = tmp_path / "var" / "doctor.db"
    bot = await start_bot({"policy": POLICY, "database": {"url": f"sqlite+aiosqlite:///{file}"}})
    assert file.exists()
    assert await bot.stop() == 0
