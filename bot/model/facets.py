"""What was read, or the reason why it was not."""

from enum import StrEnum
from typing import Any, Generic, TypeVar

from bot.model.noun import Noun

T = TypeVar("T")


class Rule(Noun, frozen=True, kw_only=True):
    """One RBAC rule. An empty namespace means that a ClusterRole is needed."""

    verb: str
    resource: str
    group: str = ""
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        group = f".{self.group}" if self.group else ""
        where = f"in namespace {self.namespace}" if self.namespace else "in a ClusterRole"
        return f"{self.verb} {self.resource}{group} {where}"

    def as_yaml(self) -> str:
        """The line to put under `rules:` of a Role or ClusterRole; a resource with a slash first is a bare path."""
        if self.resource.startswith("/"):
            return f'- {{nonResourceURLs: ["{self.resource}"], verbs: ["{self.verb}"]}}'
        only = f', resourceNames: ["{self.name}"]' if self.name else ""
        return f'- {{apiGroups: ["{self.group}"], resources: ["{self.resource}"]{only}, verbs: ["{self.verb}"]}}'


class GapKind(StrEnum):
    """Why a facet was not read. The first three spoil a healthy verdict, the others do not.

    What does not apply to a kind of target is not read for it, and not told either: a Secret has no containers.
    """

    DENIED = "denied"
    TIMED_OUT = "timed out"
    UNAVAILABLE = "unavailable"
    SWITCHED_OFF = "switched off"
    UNOBSERVABLE = "unobservable"
    NOT_APPLICABLE = "does not apply"

    @property
    def spoils(self) -> bool:
        return self in {GapKind.DENIED, GapKind.TIMED_OUT, GapKind.UNAVAILABLE}


class Gap(Noun, frozen=True, kw_only=True):
    """A facet that was not read: never taken for absent or healthy."""

    facet: str
    kind: GapKind
    reason: str
    mend: str = ""
    rule: Rule | None = None


class UnreadError(Exception):
    """Raised by `Facet.read()` when the facet is a Gap; the engine turns it into a skipped check."""

    def __init__(self, gap: Gap) -> None:
        super().__init__(gap.reason)
        self.gap = gap


class Facet(Noun, Generic[T], frozen=True, kw_only=True):
    """One thing read about the target: a value, or the Gap that says why there is none.

    `T` may include None where absence is itself an answer (a service account that does not exist). `missing` is what
    a value that was read lacks, such as one container's log: a finding holds all the same, finding nothing proves
    nothing.
    """

    value: T | None = None
    gap: Gap | None = None
    missing: Gap | None = None

    @property
    def unread(self) -> Gap | None:
        """Why not all of it was read."""
        return self.gap or self.missing

    def read(self) -> T:
        """The value; raises UnreadError where there is a Gap."""
        if self.gap is not None:
            raise UnreadError(self.gap)
        return self.value  # type: ignore[return-value]  # without a Gap the value is a T, which may include None


NOT_READ: Facet[Any] = Facet(gap=Gap(facet="", kind=GapKind.NOT_APPLICABLE, reason="not read for this kind of target"))
