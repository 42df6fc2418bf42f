"""What every action is made of. The table of them is `bot/actions/catalog.py`."""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from bot.errors import DoctorError
from bot.kube.client import Cluster
from bot.model import ActionKind, ObjectRef, Plan, Risk, Rule

Parameters = Mapping[str, str]

UNTOLD_ID = "(this request's id)"
PLANNED_ID = "planned"
"""What stands for the request's id in a dry run: no request is stored yet."""


class CannotActError(DoctorError):
    """The action is not possible on this object, would not help, or is refused; the sentence says why."""

    exit_code = 1


class PlanChangedError(DoctorError):
    """What was approved is not what would be done now: the object was changed, replaced or deleted since."""

    exit_code = 1


class Progress(Struct, frozen=True, kw_only=True):
    """How far the effect has come, in words; `ended` when there is nothing more to wait for, `failed` why not.

    `stuck` is what keeps it up for now, such as a pod whose image cannot be pulled: it may still come right.
    """

    text: str
    ended: bool = False
    failed: str = ""
    stuck: str = ""


class Action(Struct, frozen=True, kw_only=True):
    """A kind of action.

    `plan` reads the object and says what would be done; it changes nothing, and asks the API server by a server-side
    dry run whether it would accept it. Raises CannotActError, PlanChangedError where `ref.uid` is another object's
    than the one that is there, and ClusterUnreachableError. Made again with the parameters of the plan it made, it
    makes the same plan as long as nothing has changed.

    `apply` does it once: it looks again, and acts on that very version of the object. It leaves the request's id on
    the object, and may be called again with the same id after anything, a crash or a lost answer. Raises as `plan`
    does; after ClusterUnreachableError it may have been done all the same, which `is_done` says.

    `is_done` finds the id again: after a crash nothing is done twice. What was deleted carries no id: there it is
    whether that very object is gone, or going. Raises CannotActError (a right is missing) and ClusterUnreachableError.

    `follow` tells the effect's progress until it has ended or `until` has passed, at least every ten seconds; an API
    server that does not answer is waited for. It may begin again at any time. `patience` is how long that is worth.

    `needs` are the rights a person would need to do the same with kubectl.
    """

    kind: ActionKind
    title: str
    of: frozenset[str]
    risk: Risk
    patience: timedelta
    plan: Callable[[Cluster, ObjectRef, Parameters], Awaitable[Plan]]
    apply: Callable[[Cluster, Plan, str], Awaitable[None]]
    is_done: Callable[[Cluster, Plan, str], Awaitable[bool]]
    follow: Callable[[Cluster, Plan, str, datetime], AsyncIterator[Progress]]
    needs: Callable[[Plan], tuple[Rule, ...]]
    asks_for: tuple[str, ...] = ()


def fingerprint(kind: ActionKind, *observed: str) -> str:
    """Of what was observed, in this order."""
    return hashlib.sha256(msgspec.json.encode([kind.value, *observed])).hexdigest()


def unchanged(approved: Plan, present: Plan) -> None:
    """Raises PlanChangedError where the two do not do the same thing to the same object."""
    if (approved.ref.uid, approved.fingerprint) != (present.ref.uid, present.fingerprint):
        raise PlanChangedError(
            f"{here(approved.ref)} is not as it was when this was approved.", next_step="Ask for it anew."
        )


def here(ref: ObjectRef) -> str:
    """The object at the beginning of a sentence: `Deployment shop/checkout`."""
    return f"{ref.kind} {ref.namespace}/{ref.name}"
