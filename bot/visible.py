"""Untrusted text made safe for a terminal."""

import unicodedata

from bot.redact import redact


def visible(text: str) -> str:
    """The text without tokens, without escape sequences and without what reorders letters; lines stay."""
    clean = text.replace("\r\n", "\n")
    if not clean.replace("\n", "").isprintable():  # nearly all text is: nothing to look at letter by letter
        clean = "".join(map(_shown, clean))
    return redact(clean)


def _shown(character: str) -> str:
    """Cc holds the escape sequences' controls, Cf the bidirectional overrides, Cs half characters."""
    if character == "\n" or unicodedata.category(character) not in {"Cc", "Cf", "Cs"}:
        return character
    return " " if character == "\t" else "\ufffd"
