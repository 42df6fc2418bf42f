"""What the bot can name: causes, how grave and how certain they are, and what helps."""

from collections.abc import Mapping
from enum import StrEnum

from bot.model.noun import Noun
from bot.versions import Minor, dated, holds


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
    NODE = "every pod of the node"
    SERVICE_ACCOUNT = "every pod of the service account"
    CLUSTER = "every token of the cluster"


class Remedy(Noun, frozen=True, kw_only=True):
    """What helps. `action` is the kind of action the bot can do, None where a person must.

    It holds for API servers from `since` to `until`, both included.
    """

    text: str
    action: str | None = None
    since: Minor | None = None
    until: Minor | None = None

    @property
    def dated(self) -> str:
        """The text, with the versions that it holds for where it does not hold for all."""
        versions = dated(self.since, self.until)
        return f"{self.text} (Kubernetes {versions})" if versions else self.text

    def holds_for(self, version: Minor | None) -> bool:
        """Of an unknown version everything may hold."""
        return holds(version, self.since, self.until)


class Cause(Noun, frozen=True, kw_only=True):
    """An entry of the catalogue: `explains` its symptoms by code, `proof` the certainty by route.

    A `last_resort` holds only where no other critical cause was found. Good `practice` is advice for a target that
    works: never the root, never the headline.
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
    practice: bool = False
