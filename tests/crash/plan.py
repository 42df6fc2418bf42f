"""All that happens in a campaign, from one seed: who asks for what, what becomes of it, and who dies when. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from bot.actions.executor import CHECKPOINTS
from bot.model import ActionKind, State

STORIES_A_ROUND = 3
DEEDS = (ActionKind.RESTART_WORKLOAD, ActionKind.CREATE_TOKEN_SECRET, ActionKind.DELETE_POD)


class Fate(StrEnum):
    """What people, or time, make of a request."""

    APPROVED = "approved"
    DENIED = "denied"
    CANCELLED = "cancelled"
    CANCELLED_LATE = "cancelled late"  # once it is approved: the executor may be quicker
    EXPIRED = "expired"
    EXPIRED_LATE = "expired late"  # the same
    UNDECIDED = "undecided"  # only those try whom the policy does not let
    CHANGED = "changed"  # somebody changes the object before it is approved


ENDS: Mapping[Fate, frozenset[State]] = {
    Fate.APPROVED: frozenset({State.SUCCEEDED}),
    Fate.DENIED: frozenset({State.DENIED}),
    Fate.CANCELLED: frozenset({State.CANCELLED}),
    Fate.CANCELLED_LATE: frozenset({State.CANCELLED, State.SUCCEEDED}),
    Fate.EXPIRED: frozenset({State.EXPIRED}),
    Fate.EXPIRED_LATE: frozenset({State.EXPIRED, State.SUCCEEDED, State.FAILED}),
    Fate.UNDECIDED: frozenset({State.PENDING}),
    Fate.CHANGED: frozenset({State.STALE}),
}
"""How a request may stand at the end."""

_ODDS = {
    Fate.APPROVED: 60,
    Fate.DENIED: 6,
    Fate.CANCELLED: 5,
    Fate.CANCELLED_LATE: 6,
    Fate.EXPIRED: 5,
    Fate.EXPIRED_LATE: 6,
    Fate.UNDECIDED: 6,
    Fate.CHANGED: 6,
}


class Way(StrEnum):
    """How a process goes."""

    CHECKPOINT = "at a checkpoint"  # kill -9, where an execution passes it
    WRITE = "at a write to the API server"  # kill -9 just before it arrives, or when it has taken effect
    MESSAGE = "at a message"  # kill -9 of all replicas, just before Slack has it or when Slack has made it
    MOMENT = "at any moment"  # kill -9
    STOP = "asked to stop"  # SIGTERM
    FREEZE = "frozen"  # SIGSTOP for longer than its lease, and then it goes on


@dataclass(frozen=True, slots=True)
class Death:
    """`at` names the checkpoint or the call. After `seconds` comes what comes at any moment; `pause` is its absence."""

    way: Way
    at: str
    replica: int
    seconds: float
    pause: float

    def __str__(self) -> str:
        return f"{self.way}: {self.at}" if self.at else str(self.way)


@dataclass(frozen=True, slots=True)
class Story:
    """One request, its own people and its own object. Whoever is `hasty` presses everything twice."""

    number: int
    deed: ActionKind
    fate: Fate
    hasty: bool

    @property
    def name(self) -> str:
        """Of the object."""
        return f"{self.deed.value.split('-')[0]}-{self.number:03}"


@dataclass(frozen=True, slots=True)
class Round:
    """`drops`: Slack cuts the websockets, too."""

    stories: tuple[Story, ...]
    death: Death
    drops: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """`may_look`: the bot has the scope to look for a message of its own that it does not know of."""

    seed: int
    replicas: int
    may_look: bool
    rounds: tuple[Round, ...]

    @property
    def stories(self) -> tuple[Story, ...]:
        return tuple(story for each in self.rounds for story in each.stories)


def planned(seed: int, rounds: int, replicas: int) -> Plan:
    """Each twenty rounds know every kind of death."""
    dice = Random(f"plan {seed}")  # noqa: S311  # a plan is to be made the same way again
    deaths = _deaths(dice, replicas)
    may_look = dice.random() < 0.5
    return Plan(seed, replicas, may_look, tuple(_round(dice, index, next(deaths)) for index in range(rounds)))


def _round(dice: Random, index: int, death: Death) -> Round:
    numbers = range(index * STORIES_A_ROUND, (index + 1) * STORIES_A_ROUND)
    return Round(tuple(_story(dice, number) for number in numbers), death, drops=dice.random() < 0.1)


def _story(dice: Random, number: int) -> Story:
    fates = list(_ODDS)
    (fate,) = dice.choices(fates, weights=list(_ODDS.values()))
    # A pod that somebody else deletes is gone as it was wanted: nothing about it can be changed.
    deed = dice.choice(DEEDS[:2] if fate is Fate.CHANGED else DEEDS)
    return Story(number, deed, fate, hasty=dice.random() < 0.2)


def _deaths(dice: Random, replicas: int) -> Iterator[Death]:
    kinds = [
        *((Way.CHECKPOINT, name) for name in CHECKPOINTS),
        *((Way.WRITE, when) for when in ("before", "after")),
        *((Way.MESSAGE, call) for call in ("before chat.postMessage", "after chat.postMessage", "after chat.update")),
        *[(Way.MOMENT, "")] * 2,
        (Way.STOP, ""),
        (Way.FREEZE, "") if replicas > 1 else (Way.MOMENT, ""),
    ]
    while True:
        dice.shuffle(kinds)
        for way, at in kinds:
            pause = dice.choice((0.0, 0.0, 0.5, 4.0 if replicas > 1 else 1.0))
            yield Death(way, at, dice.randrange(replicas), round(dice.uniform(0.3, 2.5), 2), pause)
