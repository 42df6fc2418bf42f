"""A token: its own words, and what the API servers say of it."""

from datetime import datetime
from enum import StrEnum

from bot.model.noun import Noun


class Binding(Noun, frozen=True, kw_only=True):
    """The object a bound token lives and dies with."""

    kind: str
    name: str
    uid: str = ""


class ClaimsKind(StrEnum):
    BOUND = "bound"
    LEGACY = "legacy"
    FOREIGN = "foreign"


class Claims(Noun, frozen=True, kw_only=True):
    """A token's own words. Nothing here was verified: only the API server can say whether it is true.

    `warn_after` set means an extended token: valid for a year, warned about after an hour.
    """

    kind: ClaimsKind
    algorithm: str
    key_id: str = ""
    issuer: str = ""
    subject: str = ""
    audiences: tuple[str, ...] = ()
    issued_at: datetime | None = None
    not_before: datetime | None = None
    expires_at: datetime | None = None
    warn_after: datetime | None = None
    token_id: str = ""
    namespace: str = ""
    service_account: str = ""
    service_account_uid: str = ""
    secret: str = ""
    pod: Binding | None = None
    node: Binding | None = None
    bound_secret: Binding | None = None


class Review(Noun, frozen=True, kw_only=True):
    """A TokenReview's answer: the API server's own verdict. `audiences` is what was asked for, () its own."""

    endpoint: str
    authenticated: bool
    user: str = ""
    error: str = ""
    audiences: tuple[str, ...] = ()


class TokenSource(StrEnum):
    """Where a token was seen."""

    EXEC = "exec"
    SECRET = "secret data"  # noqa: S105  # a source's name, not a password
    POD_SPEC = "pod spec"
    PROBE = "probe"


class SeenToken(Noun, frozen=True, kw_only=True):
    """A token that was seen, decoded, reviewed and dropped. `place` says where, for a person.

    `problem` says why there are no claims; `malformed` that it was read and is no token. `path` is the file in the
    container, when it was one.
    """

    source: TokenSource
    place: str
    container: str = ""
    path: str = ""
    secret: str = ""
    claims: Claims | None = None
    problem: str = ""
    malformed: bool = False
    reviews: tuple[Review, ...] = ()
