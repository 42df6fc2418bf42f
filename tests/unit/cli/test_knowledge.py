"""`errors` and `explain` show the catalogue as it is."""

import pytest

from bot.diagnosis import CAUSES, GROUPS, runbook
from bot.messages import MESSAGES
from tests.unit.cli.conftest import Run


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
    assert ended.out.endswith(f"\n{body.strip()}\n")


def test_an_unknown_code_gets_the_nearest_ones(run: Run) -> None:
    ended = run("explain", "token-expird")
    assert ended.code == 2
    assert "Did you mean token-expired" in ended.err
    assert "All causes: token-doctor explain" in run("explain", "zzz").err
