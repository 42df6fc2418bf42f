"""A credential that was found: a token with its claims, or a client certificate."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from cryptography.x509 import load_pem_x509_certificate

from bot.errors import NotATokenError
from bot.model import Claims, ClientCertificate, Layout
from bot.redact import redact, redact_line
from bot.tokens import RawToken, inspect

_LONGEST_NAME = 100


@dataclass(frozen=True, kw_only=True)
class Found:
    """A credential in a Secret: a token with its claims, or a client certificate; else `problem` says what is wrong.

    `place` says where, for a person; no two of a kind have the same. `server` is where it is to be shown, without a
    user's name in it; `authority` the PEM text that the server is checked with.
    """

    place: str
    layout: Layout
    server: str = ""
    authority: str = ""
    raw: RawToken | None = None
    claims: Claims | None = None
    certificate: ClientCertificate | None = None
    problem: str = ""
    is_certificate: bool = False


def token(seen: Found, text: str) -> Iterator[Found]:
    """A token that is no JSON Web Token (a static one, a cloud's) says nothing of itself."""
    raw = RawToken(text.strip())
    try:
        yield replace(seen, raw=raw, claims=inspect(raw))
    except NotATokenError as error:
        if seen.layout is Layout.TOKEN_SECRET or raw.reveal().startswith("eyJ"):
            yield replace(seen, problem=f"is no token that can be read: {error}")


def certificate(seen: Found, data: str) -> Found:
    seen = replace(seen, is_certificate=True)
    pem = pem_of(data)
    if not pem:
        return replace(seen, problem="has a client certificate that is not base64 of text")
    try:
        read = load_pem_x509_certificate(pem.encode())
    except ValueError:
        return replace(seen, problem="has a client certificate that cannot be read")
    read_certificate = ClientCertificate(
        subject=shown(read.subject.rfc4514_string()),
        not_before=read.not_valid_before_utc,
        not_after=read.not_valid_after_utc,
    )
    return replace(seen, certificate=read_certificate)


def pem_of(data: str) -> str:
    """What base64 holds, "" where it is none."""
    try:
        return base64.b64decode("".join(data.split()), validate=True).decode()
    except ValueError:
        return ""


def address(url: str) -> str:
    """Scheme, host, port and path: a name or password before the host is left out."""
    try:
        parts = urlsplit(url.strip())
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return redact(f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}")


def shown(name: str) -> str:
    """A name out of somebody's document: one line, short, without tokens."""
    return redact_line(name, _LONGEST_NAME)
