"""What the documents say is what the program does."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from bot.diagnosis import CAUSES
from tests.docs import deploy, picture

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
COMMANDS = sorted(
    set(
        re.findall(
            r"`token-doctor ((?:check|digest|review|decode|errors|explain|run|requests|audit|preflight|migrate|rbac"
            r"|manifest)[^`]*)`",
            README,
        )
    )
)


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


@pytest.mark.parametrize("name", sorted(deploy.files()))
def test_the_roles_are_those_of_the_table(name: str) -> None:
    assert (deploy.RBAC / name).read_text("utf-8") == deploy.files()[name], "python -m tests.docs.deploy"


def test_there_is_a_switch_for_every_feature_and_all_of_them_are_off() -> None:
    files = {each.name for each in deploy.RBAC.glob("*.yaml")} - {"kustomization.yaml"}
    assert files == set(deploy.files())
    switches = (deploy.RBAC / "kustomization.yaml").read_text("utf-8")
    assert yaml.safe_load(switches)["resources"] == ["reading.yaml"]
    assert set(re.findall(r"^  # - (\S+)$", switches, flags=re.MULTILINE)) == files - {"reading.yaml"}


def test_the_example_s_rights_are_what_its_command_prints() -> None:
    example = ROOT / "deploy" / "overlays" / "example"
    command = re.search(r"^#   token-doctor (.+)$", (example / "kustomization.yaml").read_text("utf-8"), re.MULTILINE)
    assert command
    assert (example / "rbac.yaml").read_text("utf-8") == _run(*shlex.split(command[1])).stdout


def test_the_documents_name_the_files_that_exist() -> None:
    for document in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for place in re.findall(r"\b(deploy/[\w./-]*\w)", document.read_text("utf-8")):
            assert (ROOT / place).exists(), f"{document.name}: {place}"
