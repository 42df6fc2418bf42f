"""docs/architecture.md is true to the code: what it names exists, and no module is left out of it."""

import re

import pytest

from tests.docs.written import ROOT

TEXT = (ROOT / "docs" / "architecture.md").read_text("utf-8")
HOUSE = re.findall(r"^\| (`.+?) \| (.+) \|$", TEXT, flags=re.MULTILINE)
PLACES = {place.rstrip("/"): about for places, about in HOUSE for place in re.findall(r"`([\w/.]+)`", places)}


@pytest.mark.parametrize("place", PLACES)
def test_what_stands_in_the_house_exists(place: str) -> None:
    assert (ROOT / place).exists()
    for inside in re.findall(r"`(\w+(?:\.py|/))`", PLACES[place]):
        assert (ROOT / place / inside).exists(), f"{place}/{inside}"


@pytest.mark.parametrize("place", sorted(set(re.findall(r"\b(?:bot|handlers|config|demo|tests)/[\w./]*\w", TEXT))))
def test_every_module_that_is_named_exists(place: str) -> None:
    assert (ROOT / place).exists()


def test_no_module_of_the_bot_is_left_out() -> None:
    modules = {
        f"bot/{path.name}"
        for path in (ROOT / "bot").iterdir()
        if path.name not in {"__init__.py", "__main__.py", "__pycache__"}
    }
    assert modules <= set(PLACES)
    assert {"handlers", "config", "demo/slack", "demo/cluster", "deploy", "tests", "benchmarks"} <= set(PLACES)


def test_the_functions_in_the_picture_exist() -> None:
    picture = TEXT.split("```text")[1].split("```")[0]
    called = re.findall(r"\b(\w+)\(\w*\)", picture)
    assert called
    sources = "\n".join(path.read_text("utf-8") for path in (ROOT / "bot").rglob("*.py"))
    for name in called:
        assert re.search(rf"\bdef {name}\(", sources), name
