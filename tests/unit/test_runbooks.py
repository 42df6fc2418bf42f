"""The runbooks: each cause has its page, and nothing on a page leads astray or prints a token."""

import re
import shlex
from importlib.resources import files

import pytest
import typer
import yaml

from bot.cli import app
from bot.diagnosis.causes import CAUSES

PAGES = {
    entry.name.removesuffix(".md"): entry.read_text("utf-8")
    for entry in files("bot.diagnosis.runbooks").iterdir()
    if entry.name.endswith(".md")
}
REQUIRED = ["See it by hand", "Mend it", "Keep it from coming back"]
OPTIONAL = "What common advice gets wrong"

TOKEN_DOCTOR = frozenset({"check", "review", "decode", "errors", "explain", "run"})
KUBECTL = frozenset({
    "auth can-i",
    "cordon",
    "create role",
    "create rolebinding",
    "create secret",
    "create serviceaccount",
    "create token",
    "delete pod",
    "delete secret",
    "describe node",
    "describe pod",
    "exec",
    "get",
    "label",
    "logs",
    "patch",
    "rollout restart",
    "set serviceaccount",
})  # fmt: skip
OTHERS = frozenset({"cat", "chronyc", "date", "grep", "head", "journalctl", "tail", "wc"})
TAKES_A_VALUE = frozenset({"-n", "-c", "-l", "-o", "-p", "--context"})

LINES = 60
CHARACTERS = 3_000  # a third of what a Slack message holds
COLUMNS = 78  # a command that a terminal of 80 columns does not tear

Pipeline = tuple[tuple[str, ...], ...]


@pytest.fixture(params=sorted(PAGES))
def code(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_cause_has_its_page_and_every_page_its_cause() -> None:
    assert set(PAGES) == set(CAUSES)


def test_a_page_is_headed_as_the_catalogue_says(code: str) -> None:
    title, blank, about = PAGES[code].splitlines()[:3]
    assert title == f"# {CAUSES[code].title}"
    assert not blank
    assert about.endswith((".", "?"))


def test_a_page_has_its_sections_in_order_and_none_is_empty(code: str) -> None:
    sections = sections_of(PAGES[code])
    assert list(sections) in (REQUIRED, [*REQUIRED, OPTIONAL])
    assert all(sections.values())


def test_a_page_shows_at_least_two_commands_to_see_it_by_hand(code: str) -> None:
    assert len(list(pipelines(sections_of(PAGES[code])["See it by hand"]))) >= 2


def test_a_page_says_what_a_restart_is_worth(code: str) -> None:
    if CAUSES[code].severity.value == "critical":
        assert re.search(r"\b[Rr]estart", sections_of(PAGES[code])["Mend it"])


def test_a_page_ends_with_links_to_other_causes_that_exist(code: str) -> None:
    last = PAGES[code].splitlines()[-1]
    assert re.fullmatch(r"See also: `[a-z-]+`(, `[a-z-]+`)*", last)
    linked = re.findall(r"`([a-z-]+)`", last)
    assert set(linked) <= set(CAUSES) - {code}
    assert len(linked) == len(set(linked))


def test_a_page_is_short(code: str) -> None:
    page = PAGES[code]
    assert len(page.splitlines()) <= LINES
    assert len(page) <= CHARACTERS


def test_only_code_breaks_its_lines(code: str) -> None:
    """Slack shows each line break of Markdown, so a paragraph stays whole; what wraps it is the terminal."""
    assert PAGES[code].endswith("\n")
    before = ""
    for line, is_code in lines_of(PAGES[code]):
        if is_code:
            assert len(line) <= COLUMNS, line
        elif not line.startswith("```"):
            is_item = re.match(r"- |\d\. ", line) and re.match(r"- |\d\. ", before)
            assert not line or not before or is_item, line
        before = "" if is_code else line


def test_its_manifests_are_yaml(code: str) -> None:
    for manifest in re.findall(r"^```yaml\n(.*?)^```", PAGES[code], re.MULTILINE | re.DOTALL):
        assert isinstance(yaml.safe_load(manifest), dict | list)


def test_its_blocks_are_commands_or_manifests(code: str) -> None:
    assert set(re.findall(r"^```(.*)\n(?:[^`]|`(?!``))*?^```$", PAGES[code], re.MULTILINE)) <= {"sh", "yaml"}


def test_its_commands_are_known(code: str) -> None:
    for pipeline in pipelines(PAGES[code]):
        for program, *words in pipeline:
            if program == "kubectl":
                assert spoken(words) & KUBECTL, words
            elif program == "token-doctor":
                assert words[0] in TOKEN_DOCTOR, words
            else:
                assert program in OTHERS, program


def test_its_token_doctor_commands_parse(code: str) -> None:
    program = typer.main.get_group(app())
    for pipeline in pipelines(PAGES[code]):
        for name, *words in pipeline:
            if name == "token-doctor":
                program.commands[words[0]].make_context(words[0], words[1:])


def test_no_command_prints_a_token_or_takes_one_as_an_argument(code: str) -> None:
    for pipeline in pipelines(PAGES[code]):
        words = {word for command in pipeline for word in command}
        assert not any(word.startswith(("--token", "eyJ")) or "Bearer" in word for word in words), pipeline
        assert not {"describe", "secret"} <= words, f"describe prints a Secret's token: {pipeline}"
        assert not (bool({"secret", "secrets"} & words) and {"yaml", "json"} & words), pipeline
        if reveals(pipeline[0]):
            assert swallows(pipeline), pipeline


def reveals(command: tuple[str, ...]) -> bool:
    """Whether a command's output is a token, or may be."""
    program, *words = command
    if program != "kubectl":
        return False
    return "cat" in words or "create token" in spoken(words) or any(".data" in word for word in words)


def swallows(pipeline: Pipeline) -> bool:
    """Whether what follows shows no more of it than four characters, a length, or its claims."""
    if len(pipeline) < 2:
        return False
    program, *words = pipeline[1]
    into_a_secret = (
        program == "kubectl" and "create secret" in spoken(words) and words[-1] == "--from-file=token=/dev/stdin"
    )
    return (
        (program == "token-doctor" and words[0] in {"decode", "review"})
        or [program, *words] in (["head", "-c", "4"], ["wc", "-c"])
        or into_a_secret
    )


def lines_of(page: str) -> list[tuple[str, bool]]:
    """Each line, and whether it stands inside a block of code."""
    inside, found = False, []
    for line in page.splitlines():
        fence = line.startswith("```")
        found.append((line, inside and not fence))
        inside ^= fence
    assert not inside, "a block of code is not closed"
    return found


def sections_of(page: str) -> dict[str, str]:
    body = page.rsplit("\nSee also:", 1)[0]
    _, *parts = re.split(r"^## (.+)$", body, flags=re.MULTILINE)
    return {title: text.strip() for title, text in zip(parts[::2], parts[1::2], strict=True)}


def pipelines(text: str) -> list[Pipeline]:
    """Every command of the blocks, and those that stand in a sentence."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    inline = [
        words
        for words in re.findall(r"`([^`\n]+)`", prose)
        if re.match(r"(?:kubectl|token-doctor|chronyc|journalctl) ", words) and not is_a_name(words)
    ]
    commands = [line for block in blocks for line in joined(block)]
    return [split(command) for command in (*commands, *inline)]


def is_a_name(words: str) -> bool:
    """A command's bare name in a sentence, such as `kubectl create token`, is not run."""
    program, *rest = words.split()
    return program == "kubectl" and " ".join(rest) in KUBECTL


def joined(block: str) -> list[str]:
    """One line a pipeline, as the shell reads it."""
    whole = block.replace("\\\n", "")
    return re.sub(r"\|\n\s*", "| ", whole).splitlines()


def split(command: str) -> Pipeline:
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    commands: list[list[str]] = [[]]
    for word in lexer:
        assert word not in {";", "&&", "||", ">", ">>", "<", "&"}, command
        if word == "|":
            commands.append([])
        else:
            commands[-1].append(word)
    assert all(commands), command
    return tuple(tuple(words) for words in commands)


def spoken(words: list[str]) -> set[str]:
    """A kubectl command's sub-command, as one word and as two."""
    plain: list[str] = []
    rest = iter(words)
    for word in rest:
        if word == "--":
            break
        if word in TAKES_A_VALUE:
            next(rest)
        elif not word.startswith("-"):
            plain.append(word)
    return {plain[0], " ".join(plain[:2])}
