"""What the documents say is what the program does."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from bot.diagnosis import CAUSES
from bot.kube.permissions import rules
from bot.model import Routes
from tests.docs import picture

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
COMMANDS = sorted(set(re.findall(r"`token-doctor ((?:check|review|decode|errors|explain|run)[^`]*)`", README)))


def _run(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bot", *words]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=60, cwd=ROOT)


def _help(*words: str) -> str:
    return _run(*words, "--help").stdout


def test_every_command_is_in_the_readme_and_the_other_way_round() -> None:
    listed = set(re.findall(r"^  ([a-z]+)  ", _help(), flags=re.MULTILINE))
    assert {command.split()[0] for command in COMMANDS} == listed


@pytest.mark.parametrize("command", COMMANDS)
def test_the_readmes_options_exist(command: str) -> None:
    name, *words = shlex.split(command.replace("<", " "))
    shown = _help(name)
    assert shown
    assert all(word in shown for word in words if word.startswith("--"))


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith(("errors", "explain"))])
def test_the_readmes_commands_work(command: str) -> None:
    done = _run(*shlex.split(command))
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for document in ("README.md", "CONTRIBUTING.md", "docs/architecture.md"):
        for target in re.findall(r"\bmake ([a-z]+)", (ROOT / document).read_text("utf-8")):
            assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), f"{document}: make {target}"


def test_links_and_pictures_exist() -> None:
    for document in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text("utf-8")):
            assert (document.parent / link).exists(), f"{document.name}: {link}"


def test_the_architectures_places_exist() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    for place in re.findall(r"^\| `([\w/.]+)`", text, flags=re.MULTILINE):
        assert (ROOT / place).exists(), place


def test_causes_named_in_documents_exist() -> None:
    named = re.findall(r"explain ([a-z]+(?:-[a-z]+)+)", README)
    assert named
    assert set(named) <= set(CAUSES)


def test_the_picture_is_what_the_terminal_shows() -> None:
    assert picture.PICTURE.read_text("utf-8") == picture.drawn(), "python -m tests.docs.picture"


def test_the_role_grants_just_what_is_read() -> None:
    """Every rule that the facets declare, and no other; the commented ones are the switched-off routes'."""
    text = (ROOT / "docs" / "setup" / "rbac.yaml").read_text("utf-8")
    everything = re.sub(r"^  # (- \{)", r"  \1", text, flags=re.MULTILINE)
    assert _granted(text) == _declared(Routes())
    assert _granted(everything) == _declared(Routes(exec=True, probe=True, secret_data=True))


def test_the_probe_s_role_grants_just_what_it_takes() -> None:
    text = (ROOT / "docs" / "setup" / "rbac.yaml").read_text("utf-8").partition("\n# ---\n")[2]
    manifests = re.sub(r"^# ?", "", text, flags=re.MULTILINE)
    namespaces = {document["metadata"].get("namespace") for document in yaml.safe_load_all(manifests)}
    assert namespaces == {None, "token-doctor-probe"}
    probing = rules(Routes(controller_probe="token-doctor-probe"), "")
    taken = {(rule.verb, rule.resource, rule.group) for rule in probing if rule.namespace == "token-doctor-probe"}
    assert _granted(manifests, "Role") == taken


def _granted(text: str, kind: str = "ClusterRole") -> set[tuple[str, str, str]]:
    role = next(document for document in yaml.safe_load_all(text) if document["kind"] == kind)
    return {
        (verb, resource, group)
        for rule in role["rules"]
        for verb in rule["verbs"]
        for group in rule.get("apiGroups", [""])
        for resource in (*rule.get("resources", ()), *rule.get("nonResourceURLs", ()))
    }


def _declared(routes: Routes) -> set[tuple[str, str, str]]:
    return {(rule.verb, rule.resource, rule.group) for rule in rules(routes, "")}
