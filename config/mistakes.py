"""What is wrong with a configuration: every mistake, with its place and the nearest right key."""

from dataclasses import dataclass
from difflib import get_close_matches

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Mistake:
    """`where` is `line 7` or the name of an environment variable; `line` orders the list."""

    where: str
    path: Path
    sentence: str
    line: int = 0

    def __str__(self) -> str:
        setting = f"{dotted(self.path)}: " if self.path else ""
        return f"{self.where}: {setting}{self.sentence}"


class WrongConfigurationError(Exception):
    """The configuration cannot be used. `str()` lists every mistake, a line each."""

    def __init__(self, mistakes: tuple[Mistake, ...], *, source: str = "") -> None:
        self.mistakes = tuple(sorted(set(mistakes), key=lambda mistake: (mistake.line, str(mistake))))
        self.source = source
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


def dotted(path: Path) -> str:
    """`clusters[0].name`."""
    words = ""
    for part in path:
        words += f"[{part}]" if isinstance(part, int) else f".{part}"
    return words.removeprefix(".")


def nearest(word: str, known: tuple[str, ...]) -> str:
    """The known word that was probably meant, "" when none is near."""
    found = get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    return found[0] if found else ""


def unknown(key: str, beside: tuple[str, ...], elsewhere: tuple[str, ...] = ()) -> str:
    """The sentence for a key that is none: `beside` are the keys of this level, `elsewhere` dotted ones."""
    near = nearest(key, beside)
    if not near:
        near = next((path for path in elsewhere if path.rsplit(".", 1)[-1] == key.lower()), "")
    if near:
        return f"no such setting; did you mean {near}?"
    return f"no such setting; the settings here are {', '.join(beside)}"
