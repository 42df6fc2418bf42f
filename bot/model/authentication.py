"""How the API servers authenticate: their flags, and the file that the flags may name."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.model.noun import Noun

_TRUE = frozenset({"1", "t", "true"})
_UNITS = {"h": "hours", "m": "minutes", "s": "seconds", "ms": "milliseconds"}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")


class JwtIssuer(Noun, frozen=True, kw_only=True):
    """An issuer whose JSON Web Tokens are accepted beside the cluster's own; `username` says from which claim."""

    url: str
    audiences: tuple[str, ...] = ()
    username: str = ""
    groups: str = ""


class AuthenticationFile(Noun, frozen=True, kw_only=True):
    """What an API server's `--authentication-config` says. `anonymous` is None where it says nothing.

    `anonymous_paths` are the only ones that take a request without a token; () means all.
    """

    pod: str
    issuers: tuple[JwtIssuer, ...] = ()
    anonymous: bool | None = None
    anonymous_paths: tuple[str, ...] = ()


class ApiServer(Noun, frozen=True, kw_only=True):
    """One API server. `flags` are those of authentication only, redacted, each with its values in their order.

    Defaults are those of `pkg/kubeapiserver/options/authentication.go`.
    """

    pod: str
    flags: Mapping[str, tuple[str, ...]] = {}

    @property
    def issuers(self) -> tuple[str, ...]:
        """The first signs, all are accepted."""
        return self.flags.get("service-account-issuer", ())

    @property
    def audiences(self) -> tuple[str, ...]:
        return self._listed("api-audiences") or self.issuers

    @property
    def longest(self) -> timedelta | None:
        """The ceiling of a token's life, None where there is none."""
        return duration(self._last("service-account-max-token-expiration")) or None

    @property
    def extends(self) -> bool:
        """Whether the default token of a pod is extended to a year: not where its 3607 s are cut."""
        asked = self._is_on("service-account-extend-token-expiration", default=True)
        return asked and (self.longest is None or self.longest >= timedelta(seconds=3607))

    @property
    def anonymous(self) -> bool:
        return self._is_on("anonymous-auth", default=True)

    @property
    def looks_up(self) -> bool:
        return self._is_on("service-account-lookup", default=True)

    @property
    def keys(self) -> int:
        """How many files of public keys it was given; 0: it takes its own serving key's (`--tls-private-key-file`)."""
        return len(self.flags.get("service-account-key-file", ()))

    @property
    def oidc(self) -> JwtIssuer | None:
        url = self._last("oidc-issuer-url")
        if not url:
            return None
        return JwtIssuer(
            url=url,
            audiences=self.flags.get("oidc-client-id", ())[-1:],
            username=f"claim {self._last('oidc-username-claim') or 'sub'}",
            groups=f"claim {claim}" if (claim := self._last("oidc-groups-claim")) else "",
        )

    @property
    def webhook(self) -> str:
        """The file that names a webhook for tokens, "" where there is none."""
        return self._last("authentication-token-webhook-config-file")

    @property
    def configuration(self) -> str:
        """The path of the authentication configuration, "" where there is none."""
        return self._last("authentication-config")

    def as_flags(self, *names: str) -> str:
        """These flags as they stand on its command line; one that is not there is said to be so."""
        return " ".join(
            " ".join(f"--{name}={value}" for value in self.flags[name]) if name in self.flags else f"(no --{name})"
            for name in names
        )

    def _last(self, name: str) -> str:
        return self.flags.get(name, ("",))[-1]

    def _listed(self, name: str) -> tuple[str, ...]:
        return tuple(part.strip() for value in self.flags.get(name, ()) for part in value.split(",") if part.strip())

    def _is_on(self, name: str, *, default: bool) -> bool:
        return self._last(name).lower() in _TRUE if name in self.flags else default


def duration(text: str) -> timedelta:
    """Go's `1h30m0s`; what is no duration, or 0, is none."""
    return sum((timedelta(**{_UNITS[unit]: float(number)}) for number, unit in _PART.findall(text)), timedelta())


class TokenCounts(Noun, frozen=True, kw_only=True):
    """What one API server has counted since it started: requests by the kind of their token, of all its clients.

    `stale` ones were past their hour, and lived on the extension. A count that it does not keep is None.
    """

    endpoint: str
    started_at: datetime | None = None
    valid: int | None = None
    stale: int | None = None
    legacy: int | None = None
    invalidated: int | None = None
    refused: int | None = None
