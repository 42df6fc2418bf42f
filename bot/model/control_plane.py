"""The control plane: who fills token Secrets, and what each API server publishes."""

from collections.abc import Mapping
from datetime import datetime

from bot.model.noun import Noun
from bot.model.read import Discovery, LogLine
from bot.model.tokens import SeenToken


class ControllerManager(Noun, frozen=True, kw_only=True):
    """One pod of the controller manager; with leader election only one of them is at work.

    `trouble` says why it does not run, "" where it does. `flags` are those that decide about tokens, None where no
    command line is visible. `lines` are those of its log that tell of tokens, the newest last.
    """

    pod: str
    node: str = ""
    trouble: str = ""
    restarts: int = 0
    flags: Mapping[str, tuple[str, ...]] | None = None
    lines: tuple[LogLine, ...] = ()

    def flag(self, name: str) -> str:
        """The flag's last value, "" where it is not given."""
        return (self.flags or {}).get(name, ("",))[-1]


class LeaderLease(Noun, frozen=True, kw_only=True):
    """Who leads the controller managers. `written` is the API server's clock at the last renewal, whole seconds."""

    holder: str = ""
    written: datetime | None = None
    duration_seconds: int = 0


class NamespaceDefaults(Noun, frozen=True, kw_only=True):
    """What the controller manager puts into every namespace: whether it is there."""

    default_account: bool
    root_ca: bool


class EndpointDiscovery(Noun, frozen=True, kw_only=True):
    """What one API server says when it is asked at its own address; `discovery` is None where it publishes nothing."""

    endpoint: str
    version: str = ""
    discovery: Discovery | None = None


class IssuerPublication(Noun, frozen=True, kw_only=True):
    """How outside verifiers find the issuer's keys, as the API server answers. A problem is "" where there is none.

    `keys` is None where the answer cannot be read. `readable` says whether the target's own account may read them,
    None where that was not asked: only tokens for others are checked that way.
    """

    issuer: str = ""
    jwks_uri: str = ""
    keys: int | None = None
    configuration_problem: str = ""
    keys_problem: str = ""
    unpublished: bool = False
    readable: bool | None = None


class ControllerProbe(Noun, frozen=True, kw_only=True):
    """A throw-away token Secret: whether it was filled, after how many seconds, and what its token is worth."""

    namespace: str
    filled: bool
    seconds: float
    token: SeenToken | None = None
