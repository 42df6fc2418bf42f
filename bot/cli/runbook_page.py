"""A runbook on a terminal: just the Markdown that runbooks are written in."""

import re
from collections.abc import Iterator

from bot.cli.page import Page, Piece
from bot.diagnosis.runbooks import PLACEHOLDER, PLACEHOLDERS

_CODE, _TO_FILL_IN = "cyan", "yellow"
_ITEM = re.compile(r"(- |\d+\. )(.*)")
_SPAN = re.compile(r"(`[^`]+`|\*\*[^*]+\*\*)")


def runbook_page(out: Page, body: str) -> None:
    """The page below its title. A command stands in one line, however narrow the terminal, and can be copied."""
    inside = False
    for line in body.splitlines():
        if line.startswith("```"):
            inside = not inside
        elif inside:
            out.verbatim(*_command(line), indent=2)
        elif not line:
            out.gap()
        elif line.startswith("## "):
            out.put((line.removeprefix("## "), "bold"))
        elif item := _ITEM.match(line):
            out.put(*_prose(out, item[2]), indent=2, marker=item[1].replace("- ", "• "))
        else:
            out.put(*_prose(out, line))


def _prose(out: Page, line: str) -> Iterator[Piece]:
    for part in _SPAN.split(line):
        if part.startswith("`"):
            yield out.tied(part.strip("`")), _CODE
        elif part.startswith("**"):
            yield part.strip("*"), "bold"
        else:
            yield part


def _command(line: str) -> Iterator[Piece]:
    for part in PLACEHOLDER.split(line):
        yield part, _TO_FILL_IN if part in PLACEHOLDERS else _CODE
