"""A token from standard input, freed from what people copy along with it."""

import base64
import binascii
import re
import sys
from typing import BinaryIO

from bot.errors import NotATokenError, WrongUsageError
from bot.tokens import LONGEST, RawToken

_MOST_BYTES = 2 * LONGEST  # base64 makes a token a third longer
_AROUND = " \t\r\n\ufeff\"'`,;“”"
_BEARER = re.compile(r"(?:authorization:\s*)?bearer\s+", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]+={0,2}\s*")
_EXAMPLE = "Pipe it in: kubectl create token NAME | token-doctor decode"


def read_token(stream: BinaryIO | None = None) -> RawToken:
    """The token, once "Bearer", quotes, line ends and a Secret's base64 are taken off.

    Raises WrongUsageError where a terminal would have to be typed into, NotATokenError where the text is too long.
    """
    source = sys.stdin.buffer if stream is None else stream
    if source.isatty():
        raise WrongUsageError("The token is read from standard input, and nothing is piped in.", next_step=_EXAMPLE)
    data = source.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise NotATokenError("The text is far longer than any token.", next_step=_EXAMPLE)
    if not data.strip():
        raise NotATokenError("Nothing came from standard input.", next_step=f"{_EXAMPLE}. Or did what is piped fail?")
    return RawToken(_freed(data.decode("utf-8", "replace")))


def refuse_arguments(words: list[str]) -> None:
    if words:
        raise WrongUsageError(
            "A token is never given as an argument: others see it among the processes and in your shell's history.",
            next_step=f"{_EXAMPLE}. If that was a token, revoke it.",
        )


def _freed(text: str) -> str:
    text = text.strip(_AROUND)
    text = text[len(found.group()) :].strip(_AROUND) if (found := _BEARER.match(text)) else text
    if "." not in text and _BASE64.fullmatch(text):
        try:
            decoded = base64.b64decode("".join(text.split()), validate=True).decode("ascii").strip(_AROUND)
        except (binascii.Error, UnicodeDecodeError):
            return text
        return decoded if "." in decoded else text
    return text
