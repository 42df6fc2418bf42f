"""What the documents have people type into kubectl, at a real API server, by a dry run."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster.installed import DEPLOY, install, kubectl
from tests.cluster.plane import Plane
from tests.docs import blocks
from tests.docs.blocks import NOT_RUN, Command
from tests.docs.written import ROOT

pytestmark = pytest.mark.cluster

COMMANDS = [
    command
    for command in blocks.commands()
    if command.words[0] == "kubectl" and not any(map(command.is_named, NOT_RUN))
]
FILES = {
    "slack.env": "SLACK_BOT_TOKEN=one\nSLACK_APP_TOKEN=two\n",
    "database.env": "DATABASE_PASSWORD=three\n",
    "staging": "apiVersion: v1\nkind: Config\n",
}
"""What the reader is told to have made."""


@pytest.fixture(scope="module", autouse=True)
async def installed(plane: Plane, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The documents begin with deploy/base."""
    await install(plane, tmp_path_factory.mktemp("install"))


def here(command: Command, folder: Path) -> list[str]:
    """The words, with this machine's files, and without effect."""
    words = list(command.words[1:])
    if "--context" in words:
        del words[(at := words.index("--context")) : at + 2]
    found = blocks.folder(command)
    words = [str(found) if found and word == str(found.relative_to(ROOT)) else word for word in words]
    for name, text in FILES.items():
        (folder / name).write_text(text)
        words = [f"{word.removesuffix(name)}{folder / name}" if word.endswith(f"={name}") else word for word in words]
    if "delete" in words:
        words.append("--ignore-not-found")
    return words if "token" in words else [*words, "--dry-run=server"]


@pytest.mark.parametrize("command", COMMANDS, ids=str)
async def test_kubectl_takes_it(command: Command, plane: Plane, tmp_path: Path) -> None:
    stdin = ""
    if command.reads:
        shutil.copy(ROOT / "config" / "token-doctor.yaml", tmp_path)
        program = [sys.executable, "-m", "bot", *command.reads[1:]]
        done = subprocess.run(  # noqa: ASYNC221  # it is over in a second
            program, capture_output=True, text=True, check=True, cwd=tmp_path, env={"PYTHONPATH": str(ROOT), "PATH": ""}
        )
        stdin = done.stdout
    assert await kubectl(plane, *here(command, tmp_path), stdin=stdin)


async def test_the_patch_for_other_clusters_fits(plane: Plane, tmp_path: Path) -> None:
    (block,) = [each for each in blocks.blocks() if each.text.startswith("# kustomization.yaml\n")]
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "kustomization.yaml").write_text(f"resources: [../deploy/overlays/sqlite]\n{block.text}")
    built = await kubectl(plane, "kustomize", str(mine))
    assert built.count("secretName: token-doctor-clusters") == 1
    assert built.count("mountPath: /etc/token-doctor-clusters") == 2
    await kubectl(plane, "apply", "--dry-run=server", "-f", "-", stdin=built)
