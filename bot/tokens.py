"""Reads a JSON Web Token's own words. Nothing is verified: only the API server can say whether it is true.

No frame that holds the token or its claims is alive when `NotATokenError` is raised, and no sentence quotes
them.
"""

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NoReturn, final

from jwt import InvalidTokenError
from jwt.api_jws import PyJWS
from msgspec.structs import replace

from bot.errors import NotATokenError
from bot.model import Binding, Claims, ClaimsKind

LONGEST = 16 * 1024
"""In characters: far more than any service account token has."""

_SPACE = re.compile(r"\s")
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")
_LATEST = 253_402_300_799  # 9999-12-31T23:59:59Z, the last second that a datetime holds
_LEGACY_ISSUER = "kubernetes/serviceaccount"
_LEGACY_PREFIX = "kubernetes.io/serviceaccount/"
_PRIVATE_CLAIM = "kubernetes.io"
_PARTS = ("header", "payload", "signature")


@final
class RawToken:
    """A token that cannot slip out: it has no text form and cannot be copied or pickled."""

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """The token itself, for the one call that decodes it or hands it to the API server."""
        return self.__text

    def __repr__(self) -> str:
        return "RawToken(hidden)"

    def __format__(self, format_spec: str) -> NoReturn:
        raise TypeError("A raw token is never put into text.")

    def __getstate__(self) -> NoReturn:
        """Copying and pickling both begin here."""
        raise TypeError("A raw token is never copied or pickled.")


class _RefusedError(Exception):
    """Why a text is no token, in one sentence that quotes nothing of it."""


def inspect(raw: RawToken) -> Claims:
    """The claims, unverified. Raises NotATokenError: one sentence that says what is wrong with the text."""
    claims, refusal = _read(raw)
    if claims is None:
        raise NotATokenError(refusal)
    return claims


def _read(raw: RawToken) -> tuple[Claims | None, str]:
    """The claims or the refusal: the exception ends here, and with it the frames that held the token."""
    try:
        header, payload = _decode(raw.reveal())
        return _claims(header, _Fields(payload, "")), ""
    except _RefusedError as refused:
        return None, str(refused)


# --- from text to JSON --------------------------------------------------------------------------------------


def _decode(text: str) -> tuple["_Fields", Mapping[str, object]]:
    _check_shape(text)
    try:
        decoded = PyJWS().decode_complete(text, options={"verify_signature": False})
    except InvalidTokenError:
        raise _RefusedError("The token's first part is not the header of a JSON Web Token.") from None
    header = _Fields(decoded["header"], "header ")
    algorithm = header.text("alg")
    if not algorithm:
        raise _RefusedError('The token\'s header names no algorithm ("alg").')
    if not decoded["signature"] and algorithm.lower() != "none":
        raise _RefusedError("The token's signature is missing: it was cut off after the last dot.")
    return header, _object(decoded["payload"])


def _check_shape(text: str) -> None:
    if not text:
        raise _RefusedError("The token is empty.")
    if len(text) > LONGEST:
        raise _RefusedError(f"The text has {len(text)} characters, and no token has more than {LONGEST}.")
    if _SPACE.search(text):
        raise _RefusedError("The text has a space or a line break in it, and a token has none.")
    parts = text.split(".")
    if len(parts) == 5:  # noqa: PLR2004  # RFC 7516: an encrypted token has five parts
        raise _RefusedError("The text is an encrypted token (JWE, five parts): Kubernetes never uses them.")
    if len(parts) != len(_PARTS):
        found = "1 part" if len(parts) == 1 else f"{len(parts)} parts"
        raise _RefusedError(f"A token has three parts with a dot between them, and the text has {found}.")
    for name, part in zip(_PARTS, parts, strict=True):
        if not _BASE64URL.fullmatch(part):
            raise _RefusedError(f"The token's {name} holds characters that are not base64url.")
        if len(part) % 4 == 1:
            raise _RefusedError(f"The token's {name} is cut off: its length is impossible in base64url.")
    if not parts[0] or not parts[1]:
        raise _RefusedError(f"The token's {'header' if not parts[0] else 'payload'} is empty.")


def _object(payload: bytes) -> Mapping[str, object]:
    try:
        value: object = json.loads(
            payload.decode(), object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant
        )
    except UnicodeDecodeError:
        raise _RefusedError("The token's payload is not UTF-8 text.") from None
    except RecursionError:
        raise _RefusedError("The token's payload is nested too deeply.") from None
    except ValueError:
        raise _RefusedError("The token's payload is not JSON.") from None
    if not isinstance(value, dict):
        raise _RefusedError(f"The token's payload is {_kind_of(value)} and not an object with claims.")
    return value


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """As in the API server (go-jose), a name that stands twice is an error: readers would differ on it."""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise _RefusedError("A claim stands twice in the token's payload.")
    return fields


def _refuse_constant(_: str) -> NoReturn:
    raise _RefusedError("The token's payload holds NaN or Infinity, which JSON does not have.")


# --- from JSON to claims ------------------------------------------------------------------------------------


class _Fields:
    """An object of the token, read by name and type; a null counts as absent, as it does in Go."""

    def __init__(self, fields: Mapping[str, object], path: str) -> None:
        self._fields = fields
        self._path = path

    def has_prefix(self, prefix: str) -> bool:
        return any(name.startswith(prefix) for name in self._fields)

    def text(self, name: str) -> str:
        value = self._fields.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self._wrong(name, value, "text")
        return _checked(value)

    def texts(self, name: str) -> tuple[str, ...]:
        """One text or a list of them: RFC 7519 allows both for an audience."""
        value = self._fields.get(name)
        if value is None:
            return ()
        if isinstance(value, str):
            return (_checked(value),)
        if not isinstance(value, list):
            raise self._wrong(name, value, "text or a list of texts")
        for item in value:
            if not isinstance(item, str):
                raise self._wrong(name, item, "a list of texts", found="a list with ")
        return tuple(_checked(item) for item in value)

    def time(self, name: str) -> datetime | None:
        """RFC 7519 allows fractions of a second; they are cut off, as the API server does."""
        value = self._fields.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._wrong(name, value, "a number of seconds since 1970")
        if isinstance(value, float) and not math.isfinite(value):
            raise _RefusedError(f'The token\'s "{self._path}{name}" is too large for a time.')
        if value < 0:
            raise _RefusedError(f'The token\'s "{self._path}{name}" is a time before 1970.')
        if value > _LATEST:
            raise _RefusedError(f'The token\'s "{self._path}{name}" is a time after the year 9999.')
        return datetime.fromtimestamp(int(value), UTC)

    def nested(self, name: str) -> "_Fields | None":
        value = self._fields.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self._wrong(name, value, "an object")
        return _Fields(value, f"{self._path}{name}.")

    def _wrong(self, name: str, value: object, wanted: str, *, found: str = "") -> _RefusedError:
        return _RefusedError(f'The token\'s "{self._path}{name}" is {found}{_kind_of(value)} and should be {wanted}.')


def _claims(header: _Fields, payload: _Fields) -> Claims:
    private = payload.nested(_PRIVATE_CLAIM)
    issuer = payload.text("iss")
    base = Claims(
        kind=ClaimsKind.FOREIGN,
        algorithm=header.text("alg"),
        key_id=header.text("kid"),
        issuer=issuer,
        subject=payload.text("sub"),
        audiences=payload.texts("aud"),
        issued_at=payload.time("iat"),
        not_before=payload.time("nbf"),
        expires_at=payload.time("exp"),
        token_id=payload.text("jti"),
    )
    if private is not None:
        return _bound(base, private)
    if issuer == _LEGACY_ISSUER or payload.has_prefix(_LEGACY_PREFIX):
        return _legacy(base, payload)
    return base


def _bound(base: Claims, private: _Fields) -> Claims:
    account = private.nested("serviceaccount")
    return replace(
        base,
        kind=ClaimsKind.BOUND,
        namespace=private.text("namespace"),
        service_account=account.text("name") if account else "",
        service_account_uid=account.text("uid") if account else "",
        warn_after=private.time("warnafter"),
        pod=_binding(private, "Pod"),
        node=_binding(private, "Node"),
        bound_secret=_binding(private, "Secret"),
    )


def _legacy(base: Claims, payload: _Fields) -> Claims:
    return replace(
        base,
        kind=ClaimsKind.LEGACY,
        namespace=payload.text(f"{_LEGACY_PREFIX}namespace"),
        service_account=payload.text(f"{_LEGACY_PREFIX}service-account.name"),
        service_account_uid=payload.text(f"{_LEGACY_PREFIX}service-account.uid"),
        secret=payload.text(f"{_LEGACY_PREFIX}secret.name"),
    )


def _binding(private: _Fields, kind: str) -> Binding | None:
    """The object's kind is spelled as in a TokenRequest's `boundObjectRef`."""
    fields = private.nested(kind.lower())
    if fields is None:
        return None
    return Binding(kind=kind, name=fields.text("name"), uid=fields.text("uid"))


def _checked(text: str) -> str:
    """Refuses half a surrogate pair, which JSON can hold and no output can."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _RefusedError("A claim of the token holds half a character (a lone surrogate).") from None
    return text


def _kind_of(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "an object"
