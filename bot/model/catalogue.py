"""What the bot can name: causes, how grave and how certain they are, and what helps."""

from collections.abc import Mapping
from enum import StrEnum

from bot.model.noun import Noun


class Route(StrEnum):
    """How a fact was come by: the certainty of a finding depends on it."""

    REVIEW = "TokenReview"
    OBJECT = "object state"
    EVENT = "event"
    LOG = "log line"
    EXEC = "exec"


class Severity(StrEnum):
    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 is the gravest."""
        return ("critical", "warning", "info").index(self.value)


class Certainty(StrEnum):
    PROVEN = "proven"
    LIKELY = "likely"
    POSSIBLE = "possible"

    @property
    def rank(self) -> int:
        """0 is the most certain."""
        return ("proven", "likely", "possible").index(self.value)


class Scope(StrEnum):
    """Who shares a cause."""

    POD = "this pod"
    SERVICE_ACCOUNT = "every pod of the service account"
    CLUSTER = "every token of the cluster"


class Remedy(Noun, frozen=True, kw_only=True):
    """What helps. `action` is the kind of action the bot can do, None where a person must."""

    text: str
    action: str | None = None


class Cause(Noun, frozen=True, kw_only=True):
    """An entry of the catalogue: `explains` its symptoms by code, `proof` the certainty by route.

    A `last_resort` holds only where no other critical cause was found.
    """

    code: str
    severity: Severity
    title: str
    explanation: str
    proof: Mapping[Route, Certainty]
    explains: tuple[str, ...] = ()
    remedies: tuple[Remedy, ...] = ()
    scope: Scope = Scope.POD
    last_resort: bool = False
