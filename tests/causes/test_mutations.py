"""The deliberate breaks of `make mutate`: all of them are noticed, and the committed table tells of each."""

import pytest

from bot.diagnosis import CAUSES
from bot.diagnosis.checks import CHECKS
from tests import mutate


@pytest.fixture(scope="module")
def outcomes() -> list[mutate.Outcome]:
    before = dict(CAUSES)
    found = mutate.run()
    assert before == CAUSES, "something stays broken"
    return found


def test_every_break_is_noticed(outcomes: list[mutate.Outcome]) -> None:
    assert [str(outcome) for outcome in outcomes if not outcome.red] == []


def test_every_check_and_every_explanation_is_broken_once(outcomes: list[mutate.Outcome]) -> None:
    broken = {(outcome.cause, outcome.symptom) for outcome in outcomes}
    explanations = {(cause.code, symptom) for cause in CAUSES.values() for symptom in cause.explains}
    assert broken == {(check.name, "") for check in CHECKS} | explanations


def test_the_table_is_the_present_one(outcomes: list[mutate.Outcome]) -> None:
    assert mutate.TABLE.read_text() == mutate.table(outcomes), "write it anew: make mutate"
