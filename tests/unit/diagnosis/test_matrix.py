"""The truth matrix as a list: long enough, and of things that there are. tests/cluster runs it."""

from bot.diagnosis import CAUSES
from tests.cluster.faults import by_name
from tests.cluster.matrix import MATRIX, of_version


def test_it_is_long_enough() -> None:
    assert len(MATRIX.faults) >= 60
    assert len(MATRIX.healthy) >= 30
    assert len([*of_version("old", MATRIX.faults), *of_version("old", MATRIX.healthy)]) >= 12


def test_every_row_names_what_there_is() -> None:
    """KeyError where no theme has the function."""
    for row in (*MATRIX.faults, *MATRIX.healthy):
        by_name(row.inject)
    for fault in MATRIX.faults:
        assert {fault.root, *fault.symptoms, *fault.also, *fault.never} <= set(CAUSES)
        assert not {fault.root, *fault.symptoms, *fault.also} & set(fault.never)


def test_no_row_stands_there_twice() -> None:
    rows = [(str(row), version) for row in (*MATRIX.faults, *MATRIX.healthy) for version in row.versions]
    assert len(rows) == len(set(rows))
