"""Takes tokens out of any text: applied when text enters the program, asserted again at every door out."""

import re

MARK = "[token removed]"

# A JSON Web Token begins with base64url of '{"', which is "eyJ". A line cut in the middle of a token still
# begins with it, so one segment is enough. "ZXlK" is "eyJ" in base64 once more: a Secret's data.
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_=-]*){0,2}")
_ENCODED_JWT = re.compile(r"ZXlK[A-Za-z0-9+/_-]{12,}={0,2}")
_BEARER = re.compile(r"(?i)\b(bearer|basic)(\s+|%20|\+)(?!token\b)[A-Za-z0-9._~+/%-]{12,}=*")
_SLACK = re.compile(r"\b(?:xox[a-z]|xapp)-[A-Za-z0-9-]{8,}")
_ASSIGNED = re.compile(
    r"(?i)((?:token|password|passwd|client-key-data|client_secret|api[_-]?key)[\"']?[ \t]*[:=][ \t]*[\"']?)"
    r"(?!\[token removed\])[A-Za-z0-9+/_.~-]{20,}={0,2}"
)
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)


def redact(text: str) -> str:
    """The text without bearer tokens, Slack tokens, passwords in assignments and private keys."""
    if "eyJ" in text:
        text = _JWT.sub(MARK, text)
    if "ZXlK" in text:
        text = _ENCODED_JWT.sub(MARK, text)
    if "PRIVATE KEY" in text:
        text = _PRIVATE_KEY.sub("[private key removed]", text)
    if "xox" in text or "xapp-" in text:
        text = _SLACK.sub(MARK, text)
    text = _BEARER.sub(rf"\1\2{MARK}", text)
    return _ASSIGNED.sub(rf"\1{MARK}", text)


def holds_token(text: str) -> bool:
    """Whether anything in the text looks like a token: a door that sends text out must never see True."""
    return redact(text) != text
