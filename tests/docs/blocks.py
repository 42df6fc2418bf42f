"""What stands in the documents' fences, and in backticks: configurations, commands, and which of them are run here."""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from tests.docs.written import ROOT, documents

LANGUAGES = {"sh", "yaml", "json", "text", "sql"}

NOT_RUN: Mapping[str, str] = {
    "docker build": "there is no container engine here; the Dockerfile has tests of its own",
    "docker push": "there is no registry here",
    "uv tool install": "installs from the network; the Dockerfile's tests install the same wheel",
    "pipx install": "the same",
    "export": "sets what the next line needs",
    "kubectl rollout status": "no pod runs on the control plane of the tests: there is neither a kubelet nor an image",
    "kubectl exec": "the same; what is behind -- is tried as a command of its own",
    "kubectl logs": "the same",
    "kubectl token-doctor": "the plugin: what follows is tried as a command of token-doctor",
    "kubectl create configmap": "must be refused: tests/cluster/test_deploy.py runs it as it stands",
}
"""Commands by their first words, and why they are not run."""

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE)
_OPERATORS = {"|", "&&", "||", ";"}
_WITH_A_VALUE = {"-n", "--context"}


@dataclass(frozen=True, slots=True)
class Block:
    document: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"


@dataclass(frozen=True, slots=True)
class Command:
    """One program with its words; `reads` is the command whose output it is given, () for none."""

    where: str
    words: tuple[str, ...]
    reads: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.where}: {' '.join(self.words)}"

    @property
    def inner(self) -> tuple[str, ...]:
        """What token-doctor itself is called with, () where it is not."""
        words = (
            self.words[self.words.index("--") + 1 :]
            if self.words[0] == "kubectl" and "--" in self.words
            else self.words
        )
        words = words[1:] if words[:2] == ("kubectl", "token-doctor") else words
        return words[1:] if words[0].rpartition("/")[2] == "token-doctor" else ()

    def is_named(self, program: str) -> bool:
        """Whether it begins with these words, options and their values left out."""
        values = {place + 1 for place, word in enumerate(self.words) if word in _WITH_A_VALUE}
        plain = [word for place, word in enumerate(self.words) if place not in values and not word.startswith("-")]
        wanted = program.split()
        return plain[: len(wanted)] == wanted


def blocks() -> Iterator[Block]:
    for document in documents():
        text = document.read_text("utf-8")
        for fence in _FENCE.finditer(text):
            line = text.count("\n", 0, fence.start()) + 1
            name = str(document.relative_to(ROOT))
            yield Block(name, line, fence["language"], dedent(fence["text"]))


def commands() -> Iterator[Command]:
    """Those of the fences, one for each program that is called."""
    for block in blocks():
        if block.language == "sh":
            for line in block.text.replace("\\\n", " ").splitlines():
                yield from in_line(str(block), line)


def mentioned() -> Iterator[Command]:
    """Those in backticks, of token-doctor's own and of make's."""
    for document in documents():
        text = _FENCE.sub("", document.read_text("utf-8"))
        for code in re.findall(
            r"`((?:kubectl )?token-doctor [^`]+|make [^`]+|kubectl [^`]+|pipx [^`]+|uv [^`]+)`", text
        ):
            yield from in_line(str(document.relative_to(ROOT)), code.replace("\\|", "|"))


def in_line(where: str, line: str) -> Iterator[Command]:
    """The programs that a line calls, without what they are redirected from and to."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    words: list[str] = []
    before: tuple[str, ...] = ()
    for token in [*lexer, ";"]:
        if token not in _OPERATORS:
            words.append(token)
            continue
        if words:
            command = Command(where, _without_redirections(words), before)
            yield command
            before = command.words if token == "|" else ()
        words = []


def _without_redirections(words: list[str]) -> tuple[str, ...]:
    kept = []
    rest = iter(words)
    for word in rest:
        if word in {"<", ">"}:
            next(rest)
        else:
            kept.append(word)
    return tuple(kept)


def folder(command: Command) -> Path | None:
    """The folder that `-k` names."""
    words = command.words
    return ROOT / words[words.index("-k") + 1] if "-k" in words else None
