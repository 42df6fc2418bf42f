"""What is drawn and written by programs for deploy/ and docs/images is as these would do it now."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.docs import deploy, picture

ROOT = Path(__file__).parents[2]


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
    done = subprocess.run(
        [sys.executable, "-m", "bot", *shlex.split(command[1])],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=ROOT,
    )
    assert (example / "rbac.yaml").read_text("utf-8") == done.stdout
