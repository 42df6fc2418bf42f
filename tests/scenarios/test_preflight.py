"""`token-doctor preflight` as a process, beside `token-doctor run` with the same configuration."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from demo.slack import SlackServer
from demo.slack import people as p
from tests.scenarios.conftest import Collected, StartBot
from tests.scenarios.running import environment
from tests.unit.kube.fake_api import FakeApi, says
from tests.unit.preflight.conftest import DIGEST, DOCTOR, NAMESPACES, RULE, WHOAMI, allows_all_but


@dataclass
class Install:
    """A configuration, the environment's tokens and a folder."""

    config: dict[str, object]
    tokens: dict[str, str]
    folder: Path
    collected: Collected

    async def preflight(self, *words: str, **variables: str) -> tuple[int, str]:
        """Its exit code and what it wrote; on standard error it writes nothing."""
        file = self.folder / "preflight.yaml"
        file.write_text(yaml.safe_dump(self.config))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "preflight", "--config", str(file), *words),
            env=environment({**self.tokens, **variables}),
            stdout=PIPE,
            stderr=PIPE,
        )
        out, err = await process.communicate()
        self.collected.keep(out, err)
        assert err == b""
        assert b"demoOnlyNotASecret" not in out
        assert process.returncode is not None
        return process.returncode, out.decode()


@pytest.fixture
def install(slack: SlackServer, api: FakeApi, tmp_path: Path, collected: Collected) -> Install:
    """Everything is in order, with the manifest's scopes."""
    allows_all_but(api)
    api.on(WHOAMI, says({"status": {"userInfo": {"username": DOCTOR}}}))
    api.on(NAMESPACES, says({"metadata": {}, "items": [{"metadata": {"name": "shop-web"}}]}))
    config: dict[str, object] = {
        "slack": {"api_url": slack.api_url},
        "clusters": [{"name": "prod", "kubeconfig": str(api.kubeconfig(tmp_path))}],
        "database": {"url": f"sqlite+aiosqlite:///{tmp_path}/var/doctor.db"},
        "policy": [RULE],
        "digests": [DIGEST],
    }
    tokens = {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token}
    return Install(config, tokens, tmp_path, collected)


async def test_what_preflight_finds_in_order_starts(slack: SlackServer, install: Install, start_bot: StartBot) -> None:
    code, out = await install.preflight("--required")
    assert (code, out.partition(":")[0]) == (0, "token-doctor can start")
    token = slack.workspace.tokens[slack.bot_token]
    token.scopes = tuple({*token.scopes, "channels:read", "groups:read"})
    code, out = await install.preflight()
    assert code == 0, out
    assert out.startswith("token-doctor is ready: all ")
    await start_bot(install.config)
    code, out = await install.preflight()  # while the bot runs, too
    assert code == 0, out
    assert "the tables are this version's, and may be written" in out
    assert slack.messages(p.INCIDENT) == []


@pytest.mark.parametrize("case", ["no token", "wrong token", "no scope", "no kubeconfig", "no database"])
async def test_what_keeps_the_bot_from_starting_is_told_before_in_the_same_words(
    slack: SlackServer, install: Install, start_bot: StartBot, case: str
) -> None:
    match case:
        case "no token":
            install.tokens["SLACK_APP_TOKEN"] = ""
        case "wrong token":
            install.tokens["SLACK_BOT_TOKEN"] = "xoxb-1-unknown"
        case "no scope":
            token = slack.workspace.tokens[slack.bot_token]
            token.scopes = tuple(scope for scope in token.scopes if scope != "users:read")
        case "no kubeconfig":
            install.config["clusters"] = [{"name": "prod", "kubeconfig": "/nowhere"}]
        case _:
            (install.folder / "text").write_text("no database at all, just text " * 100)
            install.config["database"] = {"url": f"sqlite+aiosqlite:///{install.folder}/text"}
    code, out = await install.preflight("--required", "-o", "json")
    assert code == 1
    (wrong,) = [trial for trial in json.loads(out)["trials"] if trial["outcome"] != "ok"]
    bot = await start_bot(install.config, install.tokens, ready=False, may_fail=True)
    assert await bot.exit() in {2, 3}
    said = bot.output.partition("Error: ")[2].splitlines()[0].rstrip(".")
    assert wrong["text"].removeprefix("cluster prod: ") == said
    assert wrong["mend"] in bot.output


async def test_a_kubeconfigs_credential_program_does_not_see_slacks_tokens(install: Install, api: FakeApi) -> None:
    folder = install.folder / "own"
    folder.mkdir()
    seen, program = folder / "environment", folder / "login"
    credential = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "t"}}
    program.write_text(f"#!/bin/sh\nenv > {seen}\necho '{json.dumps(credential)}'\n")
    program.chmod(0o700)
    exec_ = {"apiVersion": credential["apiVersion"], "command": str(program), "interactiveMode": "Never"}
    install.config["clusters"] = [{"name": "prod", "kubeconfig": str(api.kubeconfig(folder, {"exec": exec_}))}]
    await install.preflight(DATABASE_PASSWORD="correct-horse")
    assert "PATH=" in seen.read_text()
    assert "SLACK_" not in seen.read_text()
    assert "DATABASE_PASSWORD" not in seen.read_text()
