"""What is in the code is in the documents, and what is in the documents is in the code."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import pytest
from msgspec import Struct
from msgspec.structs import fields

from bot.actions.catalog import ACTIONS
from bot.blocks.knowledge import HELP
from bot.cli.audit import AuditDocument
from bot.cli.inventory_json import InventoryDocument
from bot.cli.report_json import ReportDocument
from bot.diagnosis import CAUSES
from bot.kube.client import utc_now
from bot.metrics import Metrics
from bot.store import open_store
from config import credentials, policy
from config.settings import load
from handlers.words import COMMANDS, Unclear, of_slash_command
from tests.docs import figures, settings, written

ROOT = written.ROOT
TEXTS = {str(path.relative_to(ROOT)): path.read_text("utf-8") for path in written.documents()}
ALL = "\n".join(text for name, text in TEXTS.items() if name != "CHANGELOG.md")
CODE = re.findall(r"`([^`\n]+)`", ALL)
SETTINGS = {one.name: one for section in settings.sections().values() for one in section}


@pytest.mark.parametrize("name", TEXTS)
def test_what_comes_from_the_code_is_as_the_code_has_it(name: str) -> None:
    assert TEXTS[name] == written.renewed(TEXTS[name]), written.COMMAND


def test_every_part_that_the_code_can_write_stands_once() -> None:
    assert sorted(name for text in TEXTS.values() for name in written.names(text)) == sorted(written.PARTS)


def rows(document: str, heading: str) -> list[list[str]]:
    """The cells of the first table under a heading, without its head."""
    section = TEXTS[document].split(f"\n{heading}\n", 1)[1]
    table = re.search(r"(?:^\|.*\n)+", section, flags=re.MULTILINE)
    assert table, heading
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))] for line in table[0].splitlines()[2:]]


# --- commands -----------------------------------------------------------------------------------------------


def test_the_table_of_commands_has_each() -> None:
    listed = {cells[0].strip("`").split()[1] for cells in rows("docs/commands.md", "## In the terminal")}
    assert listed == set(written.commands())


def test_slack_s_help_has_each_command() -> None:
    """Two answer with the terminal's command, and the document says so."""
    assert {command.split()[1] for command, _ in HELP} | {"decode", "review"} == set(COMMANDS)
    assert {"/token decode", "/token review"} <= set(CODE)


@pytest.mark.parametrize("command", sorted({code for code in CODE if code.startswith("/token ")}))
def test_slack_s_commands_are_understood(command: str) -> None:
    meant = of_slash_command(command.removeprefix("/token ").replace("CODE", "token-expired"))
    assert not isinstance(meant, Unclear), meant


# --- settings and variables -----------------------------------------------------------------------------------


def test_every_setting_has_a_meaning() -> None:
    for section, known in settings.sections().items():
        cells = rows("docs/configuration.md", f"## {section}")
        assert [row[0] for row in cells] == [f"`{one.name}`" for one in known]
        assert all(row[-1] for row in cells), f"what does {[row[0] for row in cells if not row[-1]]} mean?"


def looks_like_a_setting(code: str) -> bool:
    section = re.match(r"([a-z]+)(?:\[\])?\.[a-z]", code)
    return section is not None and section[1] in settings.sections() and not code.endswith((".py", ".env"))


@pytest.mark.parametrize("code", sorted(filter(looks_like_a_setting, set(CODE))))
def test_the_settings_that_are_named_exist(code: str) -> None:
    assert code.split(":", maxsplit=1)[0] in SETTINGS


def test_the_example_has_every_section() -> None:
    example = (ROOT / "config" / "token-doctor.yaml").read_text("utf-8")
    assert set(re.findall(r"^([a-z]+):", example, flags=re.MULTILINE)) == set(settings.sections())
    for name in SETTINGS:
        assert re.search(rf"\b{re.split(r'[.]', name)[-1]}:", example), f"{name} is not in config/token-doctor.yaml"


@pytest.mark.parametrize("cells", rows("docs/configuration.md", "## From the environment"), ids=lambda row: row[1])
def test_the_examples_of_variables_work(cells: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "token-doctor.yaml"
    file.write_text("clusters: [{name: prod}]\nchannels: {C0INCIDENT1: {namespaces: [shop]}}\n")
    before = load(file)
    variable, value = shlex.split(cells[1].strip("`"))[0].split("=", 1)
    monkeypatch.setenv(variable, value)
    changed = load(file)
    assert (changed != before) or variable == "TOKEN_DOCTOR_CLUSTERS"
    named = re.match(r"`(.+?)`", cells[0])
    assert named
    assert named[1] in settings.sections() or SETTINGS[named[1]].variable == variable


SECRETS = {name for name in vars(credentials).values() if isinstance(name, str) and re.fullmatch(r"[A-Z_]{6,}", name)}
ELSEWHERE = {
    "HTTPS_PROXY": ("bot/kube/proxies.py", "_proxy"),
    "HTTP_PROXY": ("bot/kube/proxies.py", "_proxy"),
    "SSL_CERT_FILE": ("bot/slack/verify.py", "SSL_CERT_FILE"),
}
"""Read by a name that is put together, or by a library; and where that is to be seen."""


def read_by_the_code() -> set[str]:
    found = set(ELSEWHERE)
    for folder in ("bot", "config", "handlers"):
        for path in (ROOT / folder).rglob("*.py"):
            found |= set(re.findall(r"environ(?:\.get\(|\[)\"([A-Z_]+)\"(?!\] =)", path.read_text("utf-8")))
    return found


def test_the_secrets_are_those_of_the_code() -> None:
    cells = rows("docs/configuration.md", "## Secrets")
    assert {cell.strip("`") for row in cells for cell in row[:2]} == {
        f"{name}{ending}" for name in SECRETS for ending in ("", "_FILE")
    }


def test_the_other_variables_are_those_of_the_code() -> None:
    cells = rows("docs/configuration.md", "## Other variables")
    assert {name for row in cells for name in re.findall(r"`([A-Z_]+)`", row[0])} == read_by_the_code()
    for file, words in ELSEWHERE.values():
        assert words in (ROOT / file).read_text("utf-8")


def test_every_variable_that_is_named_exists() -> None:
    known = {f"{name}{ending}" for name in SECRETS for ending in ("", "_FILE")} | read_by_the_code()
    known |= {one.variable for one in SETTINGS.values()} | {
        f"TOKEN_DOCTOR_{name.upper()}" for name in settings.sections()
    }
    named = {name for code in CODE for name in re.findall(r"^([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?:=|$)", code)}
    assert named
    assert named <= known


# --- figures, causes, actions, scopes -------------------------------------------------------------------------


async def test_every_figure_is_described(tmp_path: Path) -> None:
    store = await open_store(f"sqlite+aiosqlite:///{tmp_path}/token-doctor.db", password="")
    try:
        shown = await Metrics(store, (), now=utc_now, clusters=tuple, refused=dict).text()
    finally:
        await store.close()
    own = {name.removesuffix("_total") for name in re.findall(r"^# HELP (token_doctor_\w+)", shown, re.MULTILINE)}
    assert own == {name.removesuffix("_total") for name, _ in figures.described()}
    assert set(re.findall(r"\btoken_doctor_\w+", ALL)) == {name for name, _ in figures.described()}


def test_the_causes_that_are_named_exist() -> None:
    named = re.findall(r"\bexplain ([a-z]+(?:-[a-z]+)+)", ALL)
    assert named
    assert set(named) <= set(CAUSES)


def test_the_actions_are_those_of_the_code() -> None:
    cells = rows("docs/security.md", "## What it can do to a cluster")
    told = {name for row in cells for name in re.findall(r"`([a-z-]+)`", row[0])}
    assert told == {kind.value for kind in ACTIONS} == set(policy.ACTIONS)
    switches = {name for row in cells for name in re.findall(r"`(checks\.\w+)`", row[0])}
    assert switches == {"checks.probe", "checks.exec", "checks.controller_probe"}
    may = next(row[-1] for row in rows("docs/configuration.md", "## policy") if row[0] == "`policy[].actions`")
    assert set(re.findall(r"`([a-z-]+)`", may)) == set(policy.ACTIONS)


# --- JSON -----------------------------------------------------------------------------------------------------

DOCUMENTS: Mapping[str, type[Struct]] = {"check": ReportDocument, "digest": InventoryDocument, "audit": AuditDocument}


def shown_in(command: str) -> object:
    section = TEXTS["docs/commands.md"].split("## JSON for programs")[1].split(f"`token-doctor {command} ")[1]
    shown: object = json.loads(section.split("```json\n")[1].split("```")[0])
    return shown


@pytest.mark.parametrize("command", DOCUMENTS)
def test_the_json_has_the_keys_that_the_program_writes(command: str) -> None:
    _same_keys(shown_in(command), DOCUMENTS[command])


def test_preflight_s_json_has_the_keys_that_the_program_writes() -> None:
    """Without a single token, so that nobody is asked anything."""
    words = [sys.executable, "-m", "bot", "preflight", "--required", "-o", "json"]
    env = {"PYTHONPATH": str(ROOT), "PATH": "", "KUBECONFIG": os.devnull}
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60, cwd=ROOT, env=env)
    told, shown = json.loads(done.stdout), shown_in("preflight")
    assert isinstance(shown, dict)
    assert shown.keys() == told.keys()
    assert shown["trials"][0].keys() == told["trials"][0].keys()


def _same_keys(shown: object, declared: object) -> None:
    """As far down as structs go; what a mapping is keyed by is data."""
    inside = get_args(declared)
    if isinstance(shown, list):
        for each in shown:
            _same_keys(each, inside[0])
    elif isinstance(shown, dict) and isinstance(declared, type) and issubclass(declared, Struct):
        assert set(shown) == {field.encode_name for field in fields(declared)}
        for field in fields(declared):
            _same_keys(shown[field.encode_name], field.type)
    elif isinstance(shown, dict):
        for each in shown.values():
            _same_keys(each, inside[1])
