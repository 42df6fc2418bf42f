"""Takes tokens out of any text: applied when text enters the program, asserted again at every door out."""

import re
from collections.abc import Callable, Mapping

MARK = "[token removed]"

# A JSON Web Token begins with base64url of '{"', which is "eyJ". A line cut in the middle of a token still
# begins with it, so one segment is enough.
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_=-]*){0,2}")
# A Secret's data, or a kubeconfig in it: "eyJ" in base64 once more, at each of the three alignments.
_ENCODED_STARTS = ("ZXlK", "V5S", "leU")
_ENCODED_JWT = re.compile(r"(?:ZXlK|V5S[j-n]|leU[op])[A-Za-z0-9+/_-]{32,}={0,2}|ZXlK[A-Za-z0-9+/_-]{12,}={0,2}")
# Not the words "bearer token" and "basic authentication": a credential is long, or has digits or mixed case.
_BEARER = re.compile(
    r"\b([Bb]earer|BEARER|[Bb]asic|BASIC)(\s+|%20|\+)(?![Tt]oken(?:[\s,.;:)\]\"']|$))"
    r"(?=\S{0,99}\d|\S{0,99}[a-z]\S{0,99}[A-Z]|\S{24})[A-Za-z0-9._~+/%:-]{12,}=*"
)
_BEARER_WORDS = ("bearer", "basic")
_BEARER_BEGINS = re.compile(r"\b(?:bearer|basic)(?:\s|%20|\+)")
_SLACK = re.compile(r"\b(?:xox[a-z]|xapp)-[A-Za-z0-9-]{8,}")
_ASSIGNED = re.compile(
    r"(?i)((?:token|password|passwd|client-key-data|client_secret|api[_-]?key)[\"']?[ \t]*[:=][ \t]*[\"']?)"
    r"(?!\[token removed\]|/(?:var|etc|run|tmp|home|root|opt|usr|secrets)/)[A-Za-z0-9+/_.~-]{20,}={0,2}"
)
_ASSIGNED_WORDS = ("token", "passw", "client-key-data", "client_secret", "api")
_ASSIGNED_BEGINS = re.compile(r"token|passw|client-key-data|client_secret|api[_-]?key")
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)


def redact(text: str) -> str:
    """The text without bearer tokens, Slack tokens, passwords in assignments and private keys."""
    if "eyJ" in text:
        text = _JWT.sub(MARK, text)
    if any(start in text for start in _ENCODED_STARTS):
        text = _ENCODED_JWT.sub(MARK, text)
    if "PRIVATE KEY" in text:
        text = _PRIVATE_KEY.sub("[private key removed]", text)
    if "xox" in text or "xapp-" in text:
        text = _SLACK.sub(MARK, text)
    text = _substituted(_BEARER, _BEARER_WORDS, _BEARER_BEGINS, rf"\1\2{MARK}", text)
    return _substituted(_ASSIGNED, _ASSIGNED_WORDS, _ASSIGNED_BEGINS, rf"\1{MARK}", text)


def redact_line(text: str, most: int) -> str:
    """Somebody else's words, fit to be quoted: without tokens, on one line, of at most so many letters."""
    line = " ".join(redact(text).split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def holds_token(text: str) -> bool:
    """Whether anything in the text looks like a token: a door that sends text out must never see True."""
    return redact(text) != text


def redact_each(value: object, *, keys: bool, text: Callable[[str], str] = redact) -> object:
    """Plain data with each text in it redacted by itself: to redact its JSON could break it.

    Without `keys` those of its objects stay: they are then the names of fields that somebody looks for.
    """
    match value:
        case str():
            return text(value)
        case list() | tuple():
            return [redact_each(item, keys=keys, text=text) for item in value]
        case Mapping():
            return {
                text(key) if keys and isinstance(key, str) else key: redact_each(item, keys=keys, text=text)
                for key, item in value.items()
            }
        case _:
            return value


def _substituted(
    pattern: re.Pattern[str], words: tuple[str, ...], begins: re.Pattern[str], template: str, text: str
) -> str:
    """What `pattern.sub(template, text)` gives, tried only where it can begin; without any of the words, nowhere."""
    lowered = text.lower()
    if len(lowered) != len(text):  # a letter that is longer in lower case: places do not correspond
        return pattern.sub(template, text)
    if not any(word in lowered for word in words):
        return text
    pieces: list[str] = []
    done = 0
    for place in begins.finditer(lowered):
        if place.start() >= done and (found := pattern.match(text, place.start())):
            pieces += (text[done : found.start()], found.expand(template))
            done = found.end()
    return "".join((*pieces, text[done:])) if pieces else text
