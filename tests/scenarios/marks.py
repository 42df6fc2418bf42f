"""Marked tokens, planted wherever a token can be, and the search that must find none of them."""

import base64
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote

WINDOW = 24
"""Secrets are cut into pieces of this many characters, which overlap: a leak of 36 in a row holds one whole."""

_NEEDLE = 20
"""Each form of a piece is known by its first bytes, all of one length: so a search is one pass over the data."""


@dataclass
class Marks:
    """`plant` remembers a token; `found` says which of them are in the data, whole, in part or encoded."""

    needles: dict[bytes, str] = field(default_factory=dict)

    def token(self, name: str) -> str:
        """A marked token that looks like a service account's and that nobody would accept."""
        header = _segment({"alg": "RS256", "kid": "kA9WLxVhYQ5lkYVJ8aTJqA1hdbPrV2hTXW7rQyhq0mM"})
        payload = _segment({"iss": "https://kubernetes.default.svc", "mark": secrets.token_hex(24)})
        return self.plant(name, f"{header}.{payload}.{secrets.token_urlsafe(256)}")

    def password(self, name: str) -> str:
        """A secret of no known form: only its place says what it is."""
        return self.plant(name, secrets.token_hex(32))

    def plant(self, name: str, secret: str) -> str:
        """A JWT's header is the same for all and no secret: it is left out."""
        parts = secret.split(".")[1:] if secret.startswith("eyJ") else [secret]
        for part in parts:
            for start in range(0, len(part) - WINDOW + 1, WINDOW // 2):
                for form in _forms(part[start : start + WINDOW]):
                    self.needles[form[:_NEEDLE]] = name
        return secret

    def found(self, data: bytes) -> set[str]:
        pieces = (data[start : start + _NEEDLE] for start in range(len(data) - _NEEDLE + 1))
        return {self.needles[piece] for piece in pieces if piece in self.needles}


def _segment(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _forms(text: str) -> Iterator[bytes]:
    """As it is, URL-encoded, in hexadecimal, and in base64 at each of the three places it can begin at."""
    raw = text.encode()
    yield raw
    yield quote(text, safe="").encode()
    yield raw.hex().encode()
    for shift in range(3):
        encoded = base64.b64encode(b"x" * shift + raw).rstrip(b"=")
        # The first and the last characters depend on what stands beside it.
        inner = encoded[4 if shift else 0 : -2]
        yield inner
        yield inner.replace(b"+", b"-").replace(b"/", b"_")
