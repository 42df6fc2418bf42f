"""What the documents tell people to type works: run here, parsed by the program itself, or listed with the reason."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer import Exit, TyperException

from config.settings import load
from tests.docs import blocks, written
from tests.docs.blocks import LANGUAGES, NOT_RUN, Block, Command

BLOCKS = list(blocks.blocks())
COMMANDS = [*blocks.commands(), *blocks.mentioned()]
EXAMPLES = [
    command
    for name, text in written.helps().items()
    for line in re.findall(r"^ +(?:Example:)? +((?:kubectl .+ )?token-doctor .+)$", text, flags=re.MULTILINE)
    for command in blocks.in_line(f"{name} --help", line)
]
OURS = sorted({command.inner for command in [*COMMANDS, *EXAMPLES] if command.inner})
RUN = [words for words in OURS if words[0] in {"errors", "explain", "manifest", "rbac"} and "CODE" not in words]
KUBECTL_RUN = ("kubectl apply", "kubectl delete", "kubectl create secret", "kubectl create token")
"""By tests/cluster/test_documents.py."""
TARGETS = set(re.findall(r"^([a-z]+):", (written.ROOT / "Makefile").read_text("utf-8"), flags=re.MULTILINE))


def of(language: str) -> list[Block]:
    return [block for block in BLOCKS if block.language == language]


def test_every_block_says_what_it_is() -> None:
    assert {block.language for block in BLOCKS} <= LANGUAGES
    for document in written.documents():
        text = document.read_text("utf-8")
        assert text.count("```") % 2 == 0, document.name
        assert not re.search(r"\n\n {4,}\S", text), f"{document.name}: a block without a fence, which nothing tests"


CONFIGURATIONS = [block for block in of("yaml") if not block.text.startswith("# kustomization.yaml\n")]
"""What else is YAML is built by tests/cluster/test_documents.py."""


@pytest.mark.parametrize("block", CONFIGURATIONS, ids=str)
def test_every_configuration_loads(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "token-doctor.yaml"
    file.write_text(block.text)
    load(file)


@pytest.mark.parametrize("block", of("json"), ids=str)
def test_every_json_is_json(block: Block) -> None:
    json.loads(block.text)


@pytest.mark.parametrize("words", OURS, ids=" ".join)
def test_the_program_knows_every_command(words: tuple[str, ...]) -> None:
    name, *rest = words
    assert name in written.commands(), f"there is no command {name}"
    try:
        written.commands()[name].make_context(name, rest).close()
    except TyperException as error:
        pytest.fail(error.format_message())
    except Exit:
        pass  # --help


@pytest.mark.parametrize("words", RUN, ids=" ".join)
def test_what_needs_nothing_works(words: tuple[str, ...], tmp_path: Path) -> None:
    example = written.ROOT / "config" / "token-doctor.yaml"
    (tmp_path / "token-doctor.yaml").write_text(example.read_text("utf-8"))
    done = subprocess.run(
        [sys.executable, "-m", "bot", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=tmp_path,
        env={"PYTHONPATH": str(written.ROOT), "PATH": ""},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize("command", [each for each in COMMANDS if each.words[0] == "make"], ids=str)
def test_make_has_every_target(command: Command) -> None:
    assert command.words[1] in TARGETS


def test_every_help_has_an_example_of_its_command() -> None:
    """Which the program knows: see above."""
    for name in written.commands():
        assert any(each.where == f"{name} --help" and each.inner[:1] == (name,) for each in EXAMPLES), name


def test_every_other_command_is_run_elsewhere_or_says_why_not() -> None:
    others = [each for each in COMMANDS if each.words[0] not in {"token-doctor", ".venv/bin/token-doctor", "make"}]
    assert others
    for command in others:
        assert any(map(command.is_named, (*NOT_RUN, *KUBECTL_RUN))), command
    for program in (*NOT_RUN, *KUBECTL_RUN):
        assert any(command.is_named(program) for command in others), f"nothing in the documents is {program}"
