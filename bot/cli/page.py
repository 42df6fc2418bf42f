"""Text for a terminal or a pipe: the one place where a line is wrapped, coloured and made safe to show."""

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from bot.visible import visible

Piece = str | tuple[str, str]
"""Words, or words with a rich style."""

_WIDEST = 100  # longer lines are hard to follow, however wide the terminal
_NARROWEST = 24  # a column narrower than that is hard to read
_HANGING = 8  # a paragraph that is indented deeper has no tied words
_SECOND = 1000
_TIE = "\ue000"  # stands for a space at which no line is broken: a private letter, which no text of ours has


class Page:
    """Writes paragraphs. On a terminal they are wrapped with a hanging indent; in a pipe a line stays whole."""

    def __init__(self, console: Console) -> None:
        self.console = console
        fancy = console.is_terminal
        self.width = min(console.width, _WIDEST) if fancy else None
        self.bullet, self.quote, self.arrow, self.hook = ("●", "│ ", "→ ", "↳ ") if fancy else ("*", "> ", "- ", "")

    def put(self, *pieces: Piece, indent: int = 0, marker: str = "", style: str = "") -> None:
        """A paragraph; `marker` stands before its first line only, and `style` is the marker's too."""
        self._write(pieces, " " * indent + marker, " " * (indent + len(marker)), style)

    def cite(self, *pieces: Piece, indent: int = 0) -> None:
        """A paragraph with the quotation mark before each of its lines."""
        margin = " " * indent + self.quote
        self._write(pieces, margin, margin, "dim")

    def verbatim(self, *pieces: Piece, indent: int = 0) -> None:
        """A line as it is, however long: what is copied from it can be typed."""
        text = Text.assemble(" " * indent, *((visible(words(piece)), style_of(piece)) for piece in pieces))
        self.console.print(text, soft_wrap=True)

    def tied(self, text: str) -> str:
        """The text, to be kept in one line where one can hold it."""
        return text.replace(" ", _TIE) if self.width is not None and len(text) < self.width - _HANGING else text

    def gap(self) -> None:
        self.console.print()

    def rows(self, rows: Sequence[tuple[Piece, tuple[Piece, ...]]], *, indent: int = 0) -> None:
        """Two columns, the second wrapped; on a narrow terminal the second stands below the first."""
        margin = indent + max((len(words(first)) for first, _ in rows), default=0) + 2
        narrow = self.width is not None and self.width - margin < _NARROWEST
        for first, second in rows:
            if narrow:
                self.put(first, indent=indent)
                self.put(*second, indent=indent + 2)
            else:
                start = (" " * indent + words(first)).ljust(margin)
                self._write(second, start, " " * margin, style_of(first))

    def _write(self, pieces: tuple[Piece, ...], first: str, rest: str, style: str) -> None:
        text = Text.assemble(*((visible(words(piece)), style_of(piece)) for piece in pieces))
        margin = max(len(first), len(rest))
        lines = text.split(allow_blank=True)
        if self.width is not None:
            lines = text.wrap(self.console, max(self.width - margin, _NARROWEST), overflow="fold")
        for index, line in enumerate(lines):
            line.plain = line.plain.replace(_TIE, " ")
            line.rstrip()
            whole = Text.assemble((visible(rest if index else first), style), line)
            whole.rstrip()
            self.console.print(whole, soft_wrap=True)


def page() -> Page:
    return Page(Console(file=sys.stdout, highlight=False, markup=False, emoji=False))


def sentence(text: str) -> str:
    """With a full stop, where it has none."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def took(milliseconds: int) -> str:
    """`840 ms`, `2.4 s`."""
    return f"{milliseconds} ms" if milliseconds < _SECOND else f"{milliseconds / _SECOND:.1f} s"


def words(piece: Piece) -> str:
    return piece if isinstance(piece, str) else piece[0]


def style_of(piece: Piece) -> str:
    return "" if isinstance(piece, str) else piece[1]
