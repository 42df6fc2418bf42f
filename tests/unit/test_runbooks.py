"""The runbooks: each cause has its page, and nothing on a page leads astray or prints a token.

What the commands do is proved on the real control plane (tests/cluster/test_runbooks.py).
"""

import re
import shlex
from itertools import chain

import pytest
import typer
import yaml

from bot.cli import app
from bot.diagnosis.causes import CAUSES
from bot.diagnosis.runbooks import PLACEHOLDERS, placeholders_in
from tests.runbooks import (
    ELSEWHERE,
    KEEP,
    KUBECTL,
    MEND,
    PAGES,
    SEE,
    WRONG,
    Command,
    commands_of,
    lines_of,
    manifests_of,
    sections_of,
)

TOKEN_DOCTOR = frozenset({"check", "review", "decode", "errors", "explain", "run"})
OTHERS = frozenset({"base64", "cat", "cut", "date", "grep", "head", "jq", "openssl", "sort", "tail", "tr", "wc"})
TAKES_A_VALUE = frozenset({"-n", "-c", "-l", "-o", "-p", "--context"})

LINES = 60
CHARACTERS = 3_400  # a third of what a Slack message holds
COLUMNS = 78  # a command that a terminal of 80 columns does not tear
PARAGRAPH = 400  # five lines of such a terminal

VERSIONED = {
    r"kubectl .*create token|`kubectl create token`": r"1\.24",
    r"no keys found": r"1\.31",
    r"error in cryptographic primitive": r"1\.30|1\.31|1\.33",
    r"issued in the future": r"1\.27",
    r"several issuers|`--service-account-issuer` twice": r"1\.22",
    r"legacy-token-last-used": r"1\.28",
    r"legacy-token-invalid-since|[Cc]leaner": r"1\.(?:28|29|30)",
    r"apiserver\.kubernetes\.io/identity": r"1\.26",
    r"regenerates|created for each service account|do not come back|nothing creates it": r"1\.24",
    r"\bor its node\b|\bmay be the node\b": r"1\.31",
    r"byte for byte|very same token": r"1\.36",
    r"auth whoami": r"1\.2[678]",
}
"""What holds from some version on only, and that version: a page that says the one says the other."""

Pipeline = tuple[tuple[str, ...], ...]


@pytest.fixture(params=sorted(PAGES))
def code(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_cause_has_its_page_and_every_page_its_cause() -> None:
    assert set(PAGES) == set(CAUSES)


def test_a_page_is_headed_as_the_catalogue_says_and_says_what_it_is(code: str) -> None:
    title, blank, about, below = PAGES[code].splitlines()[:4]
    assert title == f"# {CAUSES[code].title}"
    assert not blank
    assert about.endswith((".", "?"))
    assert not below


def test_a_page_has_its_sections_in_order_and_none_is_empty(code: str) -> None:
    sections = sections_of(PAGES[code])
    assert list(sections) in ([SEE, MEND, KEEP], [SEE, MEND, KEEP, WRONG])
    assert all(sections.values())


def test_to_see_it_by_hand_begins_with_at_least_two_commands(code: str) -> None:
    assert sections_of(PAGES[code])[SEE].startswith(("```sh\n", "On the "))
    assert len([command for command in commands_of(PAGES[code]) if command.section == SEE]) >= 2


def test_what_common_advice_gets_wrong_is_quoted_and_answered(code: str) -> None:
    for line in sections_of(PAGES[code]).get(WRONG, "").splitlines():
        assert re.match(r'- "[^"]+"(?: or "[^"]+")*: ', line), line


def test_a_page_says_what_a_restart_is_worth(code: str) -> None:
    if CAUSES[code].severity.value == "critical":
        assert re.search(r"\b[Rr]estart", sections_of(PAGES[code])[MEND])


def test_a_page_ends_with_links_to_other_causes_that_exist(code: str) -> None:
    assert re.fullmatch(r"See also: `[a-z-]+`(, `[a-z-]+`)*", PAGES[code].splitlines()[-1])
    linked = linked_from(code)
    assert set(linked) <= set(CAUSES) - {code}
    assert len(linked) == len(set(linked)) <= 5


def test_the_nearest_relative_comes_first_and_links_back(code: str) -> None:
    assert code in linked_from(linked_from(code)[0])


def test_a_page_is_found_from_another(code: str) -> None:
    assert code in chain.from_iterable(linked_from(other) for other in PAGES if other != code)


def test_a_page_is_short(code: str) -> None:
    page = PAGES[code]
    assert len(page.splitlines()) <= LINES
    assert len(page) <= CHARACTERS
    assert max(len(line) for line, _ in lines_of(page)) <= PARAGRAPH


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


def test_no_line_ends_with_a_blank(code: str) -> None:
    assert not [line for line, _ in lines_of(PAGES[code]) if line != line.rstrip()]


@pytest.mark.parametrize("claim", VERSIONED)
def test_what_depends_on_the_version_says_on_which(code: str, claim: str) -> None:
    if re.search(claim, PAGES[code]):
        assert re.search(VERSIONED[claim], PAGES[code]), f"since which version? {VERSIONED[claim]}"


def test_its_manifests_are_yaml(code: str) -> None:
    for manifest in manifests_of(PAGES[code]):
        assert isinstance(yaml.safe_load(manifest), dict)


def test_its_blocks_are_commands_or_manifests(code: str) -> None:
    assert set(re.findall(r"^```(.*)\n(?:[^`]|`(?!``))*?^```$", PAGES[code], re.MULTILINE)) <= {"sh", "yaml"}


def test_its_placeholders_are_the_usual_ones(code: str) -> None:
    """And each word in capitals that stands for something is one: no page has words of its own."""
    for command in commands_of(PAGES[code]):
        bare = re.sub(r"'[^'{]*'|\"[^\"]*\"|[A-Z]+:\.\S+|AADSTS", "", command.text)
        capitals = set(re.findall(r"(?<![\w.-])[A-Z][A-Z_]+(?![\w-])", bare))
        assert capitals <= set(PLACEHOLDERS), command.text


def test_each_placeholder_is_used() -> None:
    assert {word for page in PAGES.values() for word in placeholders_in(page)} == set(PLACEHOLDERS)


def test_its_commands_are_known_and_each_is_run_where_it_can_be(code: str) -> None:
    for command in commands_of(PAGES[code]):
        programs = [program for program, *_ in split(command)]
        assert bool(command.place) == bool(ELSEWHERE & set(programs)), f"where? {command.text}"
        for program, *words in split(command):
            if program == "kubectl":
                assert spoken(words) & KUBECTL, words
            elif program == "token-doctor":
                assert words[0] in TOKEN_DOCTOR, words
            else:
                assert program in OTHERS | ELSEWHERE, program


def test_its_token_doctor_commands_parse(code: str) -> None:
    program = typer.main.get_group(app())
    for pipeline in map(split, commands_of(PAGES[code])):
        for name, *words in pipeline:
            if name == "token-doctor":
                program.commands[words[0]].make_context(words[0], words[1:])


def test_its_commands_mean_the_same_in_every_shell(code: str) -> None:
    """Unquoted, `[*]` is a pattern for file names: zsh stops there."""
    for command in commands_of(PAGES[code]):
        assert not re.search(r"[*?\[{~!]", re.sub(r"'[^']*'|\"[^\"]*\"", "", command.text)), command.text


def test_no_command_prints_a_token_or_takes_one_as_an_argument(code: str) -> None:
    for command in commands_of(PAGES[code]):
        pipeline = split(command)
        words = {word for each in pipeline for word in each}
        assert not any(word.startswith(("--token", "eyJ")) or "Bearer" in word for word in words), pipeline
        assert not ("describe" in words and {"secret", "secrets"} & words), f"it prints the token: {pipeline}"
        assert not ("get" in words and {"secret", "secrets"} & words and {"yaml", "json"} & words), pipeline
        if reveals(pipeline[0]):
            assert swallows(pipeline), pipeline


def linked_from(page: str) -> list[str]:
    return re.findall(r"`([a-z-]+)`", PAGES[page].splitlines()[-1])


def reveals(command: tuple[str, ...]) -> bool:
    """Whether a command's output is a token, or may be."""
    program, *words = command
    if program != "kubectl":
        return False
    of_a_secret = {"secret", "secrets"} & set(words) and any(".data" in word for word in words)
    return "cat" in words or "create token" in spoken(words) or bool(of_a_secret)


def swallows(pipeline: Pipeline) -> bool:
    """Whether what follows shows no more of it than four characters, a length, its claims or a certificate's."""
    undone = pipeline[1:]
    while undone and undone[0][0] in {"base64", "jq", "grep", "cut", "tr"} and len(undone) > 1:
        undone = undone[1:]
    if not undone:
        return False
    program, *words = undone[0]
    into_a_secret = program == "kubectl" and "create secret" in spoken(words) and "=/dev/stdin" in " ".join(words)
    if into_a_secret and "yaml" in words:  # "apply" would write the token into an annotation, too
        return undone[1:] == (("kubectl", "replace", "-f", "-"),)
    return (
        (program == "token-doctor" and words[0] in {"decode", "review"})
        or [program, *words] in (["head", "-c", "4"], ["wc", "-c"])
        or (program == "openssl" and words[0] == "x509" and "-noout" in words)
        or into_a_secret
    )


def split(command: Command) -> Pipeline:
    lexer = shlex.shlex(command.text, posix=True, punctuation_chars=True)
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
