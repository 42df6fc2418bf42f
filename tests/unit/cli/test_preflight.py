"""`preflight` in the terminal: how it looks, as JSON, and its exit codes."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from bot.cli.page import Page
from bot.cli.preflight import show
from bot.preflight.trial import Section, Trial, failed, not_tried, ok, warning
from tests.unit.cli.conftest import Run

COMMAND = (
    "token-doctor rbac --features restart-workload --service-account token-doctor/token-doctor | kubectl apply -f -"
)
TRIALS = (
    ok(Section.CONFIGURATION, "token-doctor.yaml: read, without mistakes"),
    failed(Section.SLACK, "channel #random C0RANDOM001 (digest daily): @token-doctor is not in it", "Invite it."),
    not_tried(Section.CLUSTERS, "cluster away: no answer from https://10.0.0.1: Connection refused", "Look there."),
    failed(
        Section.CLUSTERS, "cluster prod, restart-workload: it may not", "Let an administrator run:", command=COMMAND
    ),
    warning(Section.POLICY, "rule 1: no namespace shpo is in prod", "Check the name."),
)
NOBODY = {"SLACK_BOT_TOKEN": "", "SLACK_APP_TOKEN": "xoxp-1-demoOnlyNotASecret"}


def shown(trials: tuple[Trial, ...], *, width: int | None) -> str:
    """On a terminal that wide, None for a pipe; without colours."""
    out = io.StringIO()
    console = Console(file=out, width=width or 80, force_terminal=width is not None, color_system=None)
    show(Page(console), trials, only_required=False)
    return out.getvalue()


def test_in_a_terminal_the_mends_stand_under_their_lines() -> None:
    assert (
        shown(TRIALS, width=60)
        == f"""\
token-doctor is not ready: 2 of 5 preconditions failed, 1
warning, 1 could not be tried.

Configuration
  ok         token-doctor.yaml: read, without mistakes

Slack
  failed     channel #random C0RANDOM001 (digest daily):
             @token-doctor is not in it
             → Invite it.

Clusters
  not tried  cluster away: no answer from https://10.0.0.1:
             Connection refused
             → Look there.
  failed     cluster prod, restart-workload: it may not
             → Let an administrator run:
               {COMMAND}

Policy
  warning    rule 1: no namespace shpo is in prod
             → Check the name.
"""
    )


def test_in_a_pipe_each_is_one_line_that_grep_finds() -> None:
    lines = shown(TRIALS, width=None).splitlines()
    assert "  failed     channel #random C0RANDOM001 (digest daily): @token-doctor is not in it" in lines
    assert "  warning    rule 1: no namespace shpo is in prod" in lines


def configuration(folder: Path, text: str = "") -> str:
    """Nothing that it names answers."""
    file = folder / "token-doctor.yaml"
    file.write_text(text or "slack: {api_url: 'http://127.0.0.1:1/api/'}\n")
    return str(file)


def test_wrong_configuration_is_told_as_run_tells_it(run: Run, tmp_path: Path) -> None:
    file = configuration(tmp_path, "checks: {deadline_second: 5}\n")
    ended = run("preflight", "--config", file)
    assert (ended.code, ended.out) == (2, "")
    assert "did you mean deadline_seconds?" in ended.err
    assert run("run", "--config", file).err == ended.err


def test_what_is_missing_is_told_without_a_traceback_and_without_a_token(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in NOBODY.items():
        monkeypatch.setenv(name, value)
    ended = run("preflight", "--config", configuration(tmp_path))
    assert (ended.code, ended.err) == (1, "")
    assert ended.out.startswith("token-doctor is not ready: 3 of 5 preconditions failed.\n")
    assert "SLACK_BOT_TOKEN is not set" in ended.out
    assert "SLACK_APP_TOKEN holds a user token (xoxp-…), and it must begin with xapp-" in ended.out
    assert "the cluster: No kubeconfig was found" in ended.out
    assert "demoOnlyNotASecret" not in ended.out


def test_the_json_says_the_same(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in NOBODY.items():
        monkeypatch.setenv(name, value)
    file = configuration(tmp_path)
    ended = run("preflight", "--config", file, "-o", "json")
    document = json.loads(ended.out)
    assert list(document) == ["schema", "outcome", "verdict", "trials", "took_ms"]
    assert (document["schema"], document["outcome"], ended.code) == (1, "failed", 1)
    assert document["trials"][0] == {
        "section": "configuration",
        "outcome": "ok",
        "text": f"{file}: read, without mistakes",
        "mend": "",
        "command": "",
    }


def test_where_nothing_answers_there_is_no_verdict(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1-demoOnlyNotASecret")
    monkeypatch.setenv("SLACK_APP_TOKEN", "xapp-1-demoOnlyNotASecret")
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(
        "current-context: a\ncontexts: [{name: a, context: {cluster: a, user: a}}]\n"
        "clusters: [{name: a, cluster: {server: 'https://127.0.0.1:1'}}]\nusers: [{name: a, user: {token: t}}]\n"
    )
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    for words in ((), ("--required",)):
        monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1-demoOnlyNotASecret")
        monkeypatch.setenv("SLACK_APP_TOKEN", "xapp-1-demoOnlyNotASecret")
        ended = run("preflight", "--config", configuration(tmp_path), *words)
        assert (ended.code, ended.err) == (3, "")
        assert ended.out.startswith("No verdict: ")
        assert "demoOnlyNotASecret" not in ended.out
