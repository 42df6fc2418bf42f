"""What could not be read, in words: an aspect of some namespaces, or of all. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.census.aspects import READS, Aspect
from bot.census.scope import Scope, place_of
from bot.kube.gaps import DeniedError, UnreadableError, denied_sentence, how_to_allow
from bot.model import Unscanned

_MOST_NAMES = 20


@dataclass(slots=True)
class Trouble:
    """Of one aspect: the namespaces that could not be read, and `rest`, from where on none could, with its reason."""

    namespaces: dict[str, UnreadableError] = field(default_factory=dict)
    rest: str | None = None
    error: UnreadableError | None = None

    def covers(self, namespace: str) -> bool:
        return namespace in self.namespaces or (self.rest is not None and place_of(namespace) >= self.rest)


def told(aspect: Aspect, trouble: Trouble, scope: Scope) -> Iterator[Unscanned]:
    """A line for what is not allowed, one for each other reason, and one for the rest of a list that broke off."""
    denied = [name for name, error in trouble.namespaces.items() if isinstance(error, DeniedError)]
    if denied:
        where = denied[0] if len(denied) == 1 else ""
        rule = READS[aspect].operation.rule(where)
        sentence = denied_sentence(READS[aspect].operation.rule())
        yield _unscanned(aspect, sentence, how_to_allow(rule), denied)
    others: dict[tuple[str, str], list[str]] = {}
    for name, error in trouble.namespaces.items():
        if not isinstance(error, DeniedError):
            others.setdefault((str(error), error.mend), []).append(name)
    for (reason, mend), names in others.items():
        yield _unscanned(aspect, reason, mend, names)
    if trouble.error is not None:
        rest = [name for name in scope.names or () if trouble.covers(name)]
        yield _unscanned(aspect, str(trouble.error), trouble.error.mend, rest if trouble.rest else ())


def _unscanned(aspect: Aspect, reason: str, mend: str, names: "list[str] | tuple[str, ...]") -> Unscanned:
    return Unscanned(
        what=aspect.value,
        kinds=READS[aspect].kinds,
        reason=reason,
        mend=mend,
        namespaces=tuple(sorted(names)[:_MOST_NAMES]),
        count=len(names),
    )


def switched_off(aspect: Aspect, mend: str) -> Unscanned:
    return Unscanned(what=aspect.value, kinds=READS[aspect].kinds, reason="switched off", mend=mend, by_choice=True)


def absent(names: tuple[str, ...]) -> Iterator[Unscanned]:
    """Namespaces that were named in full and do not exist."""
    if names:
        yield Unscanned(
            what="everything",
            reason="there is no such namespace",
            mend="check how the name is written",
            namespaces=names[:_MOST_NAMES],
            count=len(names),
        )
