"""An approval's life: what would be done, who asked, who agreed, and how it ended."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from bot.model.asked import ObjectRef
from bot.model.noun import Noun


class ActionKind(StrEnum):
    """Everything the bot can do to a cluster."""

    RESTART_WORKLOAD = "restart-workload"
    DELETE_POD = "delete-pod"
    CREATE_TOKEN_SECRET = "create-token-secret"  # noqa: S105  # an action's name
    ROTATE_TOKEN_SECRET = "rotate-token-secret"  # noqa: S105  # the same
    DELETE_LEGACY_SECRET = "delete-legacy-secret"  # noqa: S105  # the same
    REACTIVATE_LEGACY_TOKEN = "reactivate-legacy-token"  # noqa: S105  # the same
    PROBE_TOKEN = "probe-token"  # noqa: S105  # the same


SECRET_NAME = "secret"  # noqa: S105  # a parameter's name
"""A plan's parameter: what a new Secret is called."""


class Risk(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Plan(Noun, frozen=True, kw_only=True):
    """What exactly would be done to which object.

    `ref.uid` is a precondition that the API server enforces. `parameters` are the action's own (a Secret's name).
    `difference` are lines that begin with "+ ", "- " or two spaces; `notes` say what else a person should know.
    `fingerprint` covers the observed fields only: two plans with the same one do the same thing.
    """

    kind: ActionKind
    ref: ObjectRef
    summary: str
    difference: tuple[str, ...]
    fingerprint: str
    risk: Risk
    parameters: Mapping[str, str] = {}
    notes: tuple[str, ...] = ()


class Offer(Noun, frozen=True, kw_only=True):
    """An action that would help, as a button: `label` is what it says, `cause` the code of the finding it mends."""

    kind: ActionKind
    ref: ObjectRef
    label: str
    parameters: Mapping[str, str] = {}
    cause: str = ""


class State(StrEnum):
    """Where a request stands. The last six are ends."""

    PENDING = "pending"
    APPROVED = "approved"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    DENIED = "denied"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    STALE = "stale"

    @property
    def is_final(self) -> bool:
        return not TRANSITIONS[self]


TRANSITIONS: Mapping[State, frozenset[State]] = {
    State.PENDING: frozenset({State.APPROVED, State.DENIED, State.EXPIRED, State.CANCELLED, State.STALE}),
    State.APPROVED: frozenset({State.RUNNING, State.EXPIRED, State.CANCELLED}),
    State.RUNNING: frozenset({State.SUCCEEDED, State.FAILED, State.STALE}),
    **dict.fromkeys(
        (State.SUCCEEDED, State.FAILED, State.DENIED, State.EXPIRED, State.CANCELLED, State.STALE), frozenset[State]()
    ),
}


class Person(Noun, frozen=True, kw_only=True):
    """Somebody who asks or agrees: a Slack user's id, and the name that others know."""

    id: str
    name: str = ""


class Request(Noun, frozen=True, kw_only=True):
    """One row; it changes only through the store's guarded updates, and `version` counts them and its votes.

    `channel` and `thread_ts` are where it was asked, `approval_channel` where it is decided. `cause` is the finding's
    code that it mends, "" where a person asked of their own accord; `evidence` is what that finding quoted. `rule` says
    in words which rule allowed it.
    A running request is its `worker`'s until `lease_until`; `fence` grows with each claim. `step` is how far its
    execution has come, in words. From `applied_at` on it has taken effect, and is never done again; `looks` counts how
    often it was looked since whether it helped.
    """

    id: str
    version: int = 1
    state: State = State.PENDING
    plan: Plan
    requester: Person
    reason: str
    channel: str = ""
    thread_ts: str = ""
    approval_channel: str = ""
    approvals_needed: int = 1
    rule: str = ""
    cause: str = ""
    evidence: str = ""
    created_at: datetime
    changed_at: datetime
    expires_at: datetime
    worker: str = ""
    lease_until: datetime | None = None
    fence: int = 0
    step: str = ""
    applied_at: datetime | None = None
    looks: int = 0
    outcome: str = ""


class Purpose(StrEnum):
    """Which of a request's messages it is: each place has at most one of a purpose.

    DECISION is where the approvers are asked; PROGRESS is where it was asked for, if that is another place; OUTCOME is
    the reply that names those concerned, once it has ended. UNASKED tells the requester alone that the approvers cannot
    be asked.
    """

    DECISION = "decision"
    PROGRESS = "progress"
    OUTCOME = "outcome"
    UNASKED = "unasked"


class Vote(Noun, frozen=True, kw_only=True):
    """One person's word on a request; the first one counts."""

    request: str
    approver: Person
    approves: bool
    at: datetime
    reason: str = ""


class TrailEntry(Noun, frozen=True, kw_only=True):
    """A line of the audit: `was` is None for the first. `who` is a person's id, or the bot's own part that acted."""

    request: str
    at: datetime
    who: str
    was: State | None
    became: State
    why: str = ""
