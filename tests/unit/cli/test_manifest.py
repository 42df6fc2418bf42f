"""`manifest` prints what Slack makes the app from."""

import json
from pathlib import Path

import pytest
import yaml

from bot.cli import main
from bot.cli.manifest import manifest
from bot.slack.verify import LOOKUP_SCOPES, POLICY_SCOPES, SCOPES

ADDRESS = "https://token-doctor.example.com"
ALL = (*SCOPES, *POLICY_SCOPES, *LOOKUP_SCOPES)
POLICY = """
policy:
  - {actions: [restart-workload], namespaces: [shop], requesters: [S012USERGROUP], approvers: [S034USERGROUP]}
"""
HTTP = "slack: {mode: http}\nweb: {port: 8080}\n"


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOKEN_DOCTOR_SLACK__MODE", raising=False)


def printed(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert main(["manifest", *words]) == code
    return capsys.readouterr().out


def config(folder: Path, text: str) -> str:
    path = folder / "token-doctor.yaml"
    path.write_text(text, "utf-8")
    return str(path)


def test_without_a_word_it_is_the_whole_one_for_socket_mode(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys)
    assert yaml.safe_load(text) == manifest(ALL)
    assert "SLACK_APP_TOKEN" in text
    assert "SLACK_SIGNING_SECRET" not in text
    assert json.loads(printed(capsys, "-o", "json")) == manifest(ALL)


@pytest.mark.parametrize("url", [ADDRESS, f"{ADDRESS}/", f"{ADDRESS}/slack/events", f"{ADDRESS}/slack/events/"])
def test_an_address_makes_it_one_for_http(capsys: pytest.CaptureFixture[str], url: str) -> None:
    text = printed(capsys, "--url", url)
    assert yaml.safe_load(text) == manifest(ALL, f"{ADDRESS}/slack/events")
    assert "SLACK_SIGNING_SECRET" in text
    assert "SLACK_APP_TOKEN" not in text


def test_an_address_may_have_a_path_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    found = yaml.safe_load(printed(capsys, "--url", f"{ADDRESS}:8443/tools"))
    assert found["settings"]["interactivity"]["request_url"] == f"{ADDRESS}:8443/tools/slack/events"


@pytest.mark.parametrize(
    "url", ["http://x", "x", "https://", "https://a:b@x", "https://x?a=b", "https://x/#a", "https://[", "ftp://x"]
)
def test_an_address_that_slack_does_not_take_is_refused(capsys: pytest.CaptureFixture[str], url: str) -> None:
    assert main(["manifest", "--url", url]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "it must be a plain https:// address" in told.err


def test_a_configuration_says_which_scopes_are_needed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for text, scopes in ((POLICY, ALL), ("checks: {exec: true}\n", (*SCOPES, *LOOKUP_SCOPES))):
        found = yaml.safe_load(printed(capsys, "--config", config(tmp_path, text)))
        assert set(found["oauth_config"]["scopes"]["bot"]) == set(scopes)


def test_a_configuration_for_http_needs_the_address(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = config(tmp_path, HTTP)
    assert main(["manifest", "--config", file]) == 2
    assert "--url https://token-doctor.example.com" in capsys.readouterr().err
    assert "socket_mode_enabled: false" in printed(capsys, "--config", file, "--url", ADDRESS)


def test_a_wrong_configuration_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["manifest", "--config", config(tmp_path, "slack: {mode: http}\n")]) == 2
    assert "line 1: slack.mode: http needs web.port" in capsys.readouterr().err
