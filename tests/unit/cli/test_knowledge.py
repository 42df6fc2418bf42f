"""`errors` and `explain` show the catalogue as it is."""

import re

import pytest

from bot.diagnosis import CAUSES, GROUPS, runbook
from bot.diagnosis.runbooks import to_fill_in
from bot.messages import MESSAGES
from tests.runbooks import PAGES, lines_of
from tests.unit.cli.conftest import Run
from tests.unit.cli.goldens import runbook_text


def test_all_known_lines_are_listed_with_their_cause(run: Run) -> None:
    ended = run("errors")
    assert (ended.code, ended.err) == (0, "")
    for message in MESSAGES:
        assert any(message.cause in line and message.example in line for line in ended.out.splitlines())


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.cause)
def test_a_known_line_is_explained_with_its_causes_the_likeliest_first(message: object, run: Run) -> None:
    (known,) = (one for one in MESSAGES if one is message)
    ended = run("errors", known.example)
    assert ended.code == 0
    assert known.meaning in ended.out
    places = [ended.out.index(CAUSES[code].title) for code in known.causes]
    assert places == sorted(places)
    assert f"token-doctor explain {known.cause}" in ended.out


def test_an_unquoted_line_is_understood_too(run: Run) -> None:
    assert run("errors", "service", "account", "token", "has", "expired").code == 0


def test_a_line_that_is_not_known_ends_with_1(run: Run) -> None:
    ended = run("errors", "disk full")
    assert ended.code == 1
    assert ended.out.startswith("No known error line is in this text")


def test_all_causes_are_listed_by_group(run: Run) -> None:
    ended = run("explain")
    assert ended.code == 0
    for group, causes in GROUPS.items():
        assert f"{group[0].upper()}{group[1:]}\n" in ended.out
        for cause in causes:
            assert f"  {cause.code} " in ended.out


@pytest.mark.parametrize("code", CAUSES)
def test_each_cause_is_explained_with_its_runbook(code: str, run: Run) -> None:
    ended = run("explain", code.upper())
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(f"{CAUSES[code].title}  {CAUSES[code].severity}\n{code}\n\n")
    title, _, body = runbook(code).strip().partition("\n")
    assert title.startswith("# ")
    assert f"\n{body.strip()}\n" in ended.out


def test_what_a_reader_fills_in_is_said_once_at_the_end(run: Run) -> None:
    ended = run("explain", "audience-only-foreign")
    assert ended.out.endswith(
        "\n\nTo be filled in: NS (the namespace), POD, CONTAINER, TOKEN_FILE (the token's path in the container).\n"
    )
    assert "To be filled in" not in to_fill_in("`kubectl get nodes -o custom-columns=NODE:.metadata.name`")


@pytest.mark.parametrize("code", CAUSES)
@pytest.mark.parametrize("width", [80, 120])
def test_a_page_on_a_terminal_keeps_its_commands_whole_and_leaves_no_blanks(code: str, width: int) -> None:
    text = runbook_text(runbook(code).partition("\n")[2].strip(), width=width)
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    assert not any(line != line.rstrip() for line in lines), "a blank after a backslash breaks a copied command"
    assert not re.search("[`\ue000]|\\*\\*|^#", text, re.MULTILINE)
    for line, is_code in lines_of(PAGES[code]):
        if is_code:
            assert f"  {line}".rstrip() in lines
        for words in re.findall("`([^`]+)`", "" if is_code else line):
            assert words in text or len(words) >= min(width, 100) - 8


def test_an_unknown_code_gets_the_nearest_ones(run: Run) -> None:
    ended = run("explain", "token-expird")
    assert ended.code == 2
    assert "Did you mean token-expired" in ended.err
    assert "All causes: token-doctor explain" in run("explain", "zzz").err
