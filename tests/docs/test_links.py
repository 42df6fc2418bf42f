"""Every document leads somewhere, and somebody leads to it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.written import ROOT, documents

DOCUMENTS = list(documents())
_LINK = re.compile(r"\[[^\]]*\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")


def links(document: Path) -> Iterator[tuple[Path, str]]:
    """Where each leads to, and to which heading of that."""
    for place, anchor in _LINK.findall(document.read_text("utf-8")):
        yield ((document.parent / place).resolve() if place else document), anchor


def anchors(document: Path) -> set[str]:
    """The headings as GitHub names them in links."""
    text = re.sub(r"^```.*?^```$", "", document.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    heads = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: str(each.relative_to(ROOT)))
def test_links_and_pictures_lead_somewhere(document: Path) -> None:
    for place, anchor in links(document):
        assert place.exists(), place
        assert not anchor or anchor in anchors(place), f"{place.relative_to(ROOT)} has no heading {anchor}"


def test_every_picture_is_shown_somewhere() -> None:
    shown = {place for document in DOCUMENTS for place, _ in links(document)}
    assert set((ROOT / "docs" / "images").iterdir()) <= shown


def test_a_stranger_finds_every_document_from_the_readme() -> None:
    found: set[Path] = set()
    new = {ROOT / "README.md"}
    while new:
        found |= new
        new = {place for each in new for place, _ in links(each) if place.suffix == ".md"} - found
    assert set(DOCUMENTS) <= found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: str(each.relative_to(ROOT)))
def test_the_files_that_are_named_exist(document: Path) -> None:
    text = document.read_text("utf-8")
    for place in re.findall(r"`((?:bot|config|demo|deploy|docs|handlers|tests|benchmarks)/[\w./-]*)`", text):
        assert "CODE" in place or (ROOT / place).exists(), place
    for place in set(re.findall(r"\b(deploy/[\w./-]*\w)", text)) - {"deploy/token-doctor"}:  # kubectl's short form
        assert (ROOT / place).exists(), place
