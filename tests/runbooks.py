"""A runbook's sections, commands and manifests, as the tests read them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

PAGES = {
    entry.name.removesuffix(".md"): entry.read_text("utf-8")
    for entry in files("bot.diagnosis.runbooks").iterdir()
    if entry.name.endswith(".md")
}
SEE, MEND, KEEP, WRONG = "See it by hand", "Mend it", "Keep it from coming back", "What common advice gets wrong"

KUBECTL = frozenset({
    "annotate",
    "auth can-i",
    "auth whoami",
    "cordon",
    "create namespace",
    "create role",
    "create rolebinding",
    "create secret",
    "create serviceaccount",
    "create token",
    "delete pod",
    "delete rolebinding",
    "delete secret",
    "describe node",
    "describe pod",
    "exec",
    "get",
    "label",
    "logs",
    "patch",
    "replace",
    "rollout restart",
    "set serviceaccount",
    "uncordon",
})  # fmt: skip
ELSEWHERE = frozenset({"aws", "az", "chronyc", "gcloud", "journalctl", "systemctl", "timedatectl"})
"""Programs of a node or a vendor: a page says where to run them, and a test only whether a shell can read them."""

_PROGRAMS = "|".join(sorted({"kubectl", "token-doctor", "openssl", *ELSEWHERE}))
_PLACE = re.compile(r"\b(on (?:the|each) (?:node|control plane machine)|at the vendor)\b[^.`]*:\s*$", re.IGNORECASE)
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$\n?", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Command:
    """One pipeline in one line; `place` is where else than in the reader's terminal it is to be run."""

    section: str
    text: str
    place: str = ""


def sections_of(page: str) -> dict[str, str]:
    body = page.rsplit("\nSee also:", 1)[0]
    _, *parts = re.split(r"^## (.+)$", body, flags=re.MULTILINE)
    return {title: text.strip() for title, text in zip(parts[::2], parts[1::2], strict=True)}


def lines_of(page: str) -> list[tuple[str, bool]]:
    """Each line, and whether it stands inside a block of code."""
    inside, found = False, []
    for line in page.splitlines():
        fence = line.startswith("```")
        found.append((line, inside and not fence))
        inside ^= fence
    assert not inside, "a block of code is not closed"
    return found


def manifests_of(page: str) -> list[str]:
    return [text for kind, text in _BLOCK.findall(page) if kind == "yaml"]


def commands_of(page: str) -> list[Command]:
    """Every command of the blocks, and those that stand in a sentence, as a reader meets them."""
    return [command for section, text in sections_of(page).items() for command in _commands(section, text)]


def _commands(section: str, text: str) -> Iterator[Command]:
    prose, *rest = _BLOCK.split(text)
    yield from _inline(section, prose)
    for kind, block, after in zip(rest[::3], rest[1::3], rest[2::3], strict=True):
        if kind == "sh":
            place = _place(prose.rstrip())
            yield from (Command(section, line, place) for line in joined(block))
        yield from _inline(section, after)
        prose = after


def _inline(section: str, prose: str) -> Iterator[Command]:
    for found in re.finditer(r"`([^`\n]+)`", prose):
        if re.match(rf"(?:{_PROGRAMS}) ", found[1]) and not _is_a_name(found[1]):
            yield Command(section, found[1], _place(prose[: found.start()]))


def _place(before: str) -> str:
    found = _PLACE.search(before.rpartition("\n")[2])
    return found[1].lower() if found else ""


def _is_a_name(words: str) -> bool:
    """A command's bare name in a sentence, such as `kubectl create token`, is not run."""
    program, *rest = words.split()
    return " ".join(rest) in {"kubectl": KUBECTL, "token-doctor": {"decode", "review"}}.get(program, set())


def joined(block: str) -> list[str]:
    """One line a pipeline, as the shell reads it."""
    whole = re.sub(r"\\\n", "", block)
    return re.sub(r"\|\n\s*", "| ", whole).splitlines()
