"""What the API server's no means to somebody who wanted something done."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

from bot.actions.action import CannotActError, PlanChangedError, here
from bot.errors import ClusterUnreachableError
from bot.kube.access import may
from bot.kube.client import Cluster
from bot.kube.gaps import (
    AbsentError,
    ConflictError,
    DeniedError,
    RefusedError,
    UnreadableError,
    denied_sentence,
    how_to_allow,
)
from bot.kube.permissions import Operation, rule_in
from bot.kube.together import all_of
from bot.model import ObjectRef

_ANEW = "Ask for it anew."


@contextmanager
def explained(ref: ObjectRef) -> Iterator[None]:
    """A failed read or effect of this object, in words."""
    try:
        yield
    except DeniedError as error:
        raise CannotActError(f"{error}.", next_step=_sentence(error.mend)) from None
    except AbsentError:
        if not ref.uid:
            raise CannotActError(f"{here(ref)} does not exist.", next_step="Check its name.") from None
        raise PlanChangedError(f"{here(ref)} does not exist any more.") from None
    except ConflictError as error:
        raise PlanChangedError(f"{here(ref)} was changed meanwhile: {error}.", next_step=_ANEW) from None
    except RefusedError as error:
        raise CannotActError(f"The API server refuses it: {_stopped(str(error))}") from None
    except UnreadableError as error:
        raise ClusterUnreachableError(
            f"Cluster {ref.cluster} gave no clear answer: {error}.", next_step="Try again in a moment."
        ) from None


@asynccontextmanager
async def unless_done(is_done: Callable[[], Awaitable[bool]]) -> AsyncIterator[None]:
    """What is not possible any more may have been done by another worker just now: that is then no error."""
    try:
        yield
    except (CannotActError, PlanChangedError):
        if not await is_done():
            raise


async def permitted(cluster: Cluster, ref: ObjectRef, operations: Sequence[Operation]) -> None:
    """That the bot may do all of this in the object's namespace, asked before anybody approves anything.

    For what a dry run does not show: the reads that come after the effect. Raises CannotActError with every rule that
    is missing.
    """
    rules = tuple(rule_in(operation, ref.namespace) for operation in operations)
    with explained(ref):
        allowed = await all_of(may(cluster.main, rule) for rule in rules)
    missing = [rule for rule, is_allowed in zip(rules, allowed, strict=True) if not is_allowed]
    if missing:
        inside = [rule for rule in missing if rule.namespace == missing[0].namespace]
        raise CannotActError(f"{denied_sentence(*missing)}.", next_step=_sentence(how_to_allow(*inside)))


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}." if words else ""


def _stopped(words: str) -> str:
    return words if words.endswith((".", "…")) else f"{words}."
