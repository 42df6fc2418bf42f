"""The bounded tally: exact counts by namespace, and of each kind the most urgent items. Pure."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import itemgetter
from typing import NamedTuple

from msgspec import Struct

from bot.model import Due, Item, ItemKind, Offer, Severity, Tally

MOST_ITEMS = 500
"""Of each kind so many are kept: the rest is counted."""

_DUES = {due: place for place, due in enumerate(Due)}
_NEVER = datetime.max.replace(tzinfo=UTC)
_Key = tuple[int, int, datetime, str, str, str, str]


class Words(NamedTuple):
    """What an item says: why it matters, the next step, and the catalogue's code of it, "" where it has none."""

    why: str
    next_step: str
    cause: str = ""


class Seen(Struct, frozen=True, kw_only=True, gc=False):
    """Something that counts. `make` makes its item, which most never become; None: it is counted only.

    `due` is None where it has no end that counts.
    """

    kind: ItemKind
    name: str
    severity: Severity
    object_kind: str = "Secret"
    place: str = ""
    ends: datetime | None = None
    due: Due | None = None
    make: Callable[["Seen"], Item] | None = None

    def key(self, namespace: str) -> _Key:
        """The smaller, the more urgent; no two have the same."""
        due = _DUES[self.due or Due.NEVER]
        return (self.severity.rank, due, self.ends or _NEVER, namespace, self.name, self.object_kind, self.place)

    def item(self, namespace: str, words: Words, *, owner: str, used: str = "", offers: tuple[Offer, ...] = ()) -> Item:
        """What is told of it."""
        return Item(
            kind=self.kind,
            namespace=namespace,
            object_kind=self.object_kind,
            name=self.name,
            place=self.place,
            owner=owner,
            severity=self.severity,
            why=words.why,
            next_step=words.next_step,
            used=used,
            ends=self.ends,
            cause=words.cause,
            offers=offers,
        )


@dataclass(slots=True)
class _Urgent:
    """The `most` smallest by key of all that are added; `bar` is the greatest key that is worth keeping."""

    most: int
    count: int = 0
    bar: _Key | None = None
    kept: list[tuple[_Key, Item]] = field(default_factory=list)

    def add(self, key: _Key, seen: Seen, make: Callable[[Seen], Item]) -> None:
        self.count += 1
        if self.bar is not None and key >= self.bar:
            return
        self.kept.append((key, make(seen)))
        if len(self.kept) >= 2 * self.most:
            self.trim()

    def trim(self) -> None:
        self.kept.sort(key=itemgetter(0))
        del self.kept[self.most :]
        if len(self.kept) == self.most:
            self.bar = self.kept[-1][0]


@dataclass(slots=True)
class Tallying:
    """Counts, in whatever order things come."""

    most: int = MOST_ITEMS
    _kinds: defaultdict[str, Counter[ItemKind]] = field(default_factory=lambda: defaultdict(Counter))
    _due: defaultdict[str, Counter[Due]] = field(default_factory=lambda: defaultdict(Counter))
    _urgent: dict[ItemKind, _Urgent] = field(default_factory=dict)

    def add(self, namespace: str, seen: Seen) -> None:
        self._kinds[namespace][seen.kind] += 1
        if seen.due is not None:
            self._due[namespace][seen.due] += 1
        if seen.make is not None:
            urgent = self._urgent.get(seen.kind)
            if urgent is None:
                urgent = self._urgent[seen.kind] = _Urgent(self.most)
            urgent.add(seen.key(namespace), seen, seen.make)

    def items(self) -> tuple[Item, ...]:
        """Of all kinds together, the most urgent first."""
        for urgent in self._urgent.values():
            urgent.trim()
        kept = [entry for kind in ItemKind if kind in self._urgent for entry in self._urgent[kind].kept]
        return tuple(item for _, item in sorted(kept, key=itemgetter(0)))

    def left_out(self) -> Mapping[ItemKind, int]:
        found = {kind: one.count - min(one.count, one.most) for kind, one in self._urgent.items()}
        return {kind: found[kind] for kind in ItemKind if found.get(kind)}

    def tallies(self) -> Mapping[str, Tally]:
        """Of the namespaces where there is anything."""
        return {
            name: Tally(
                kinds={kind: self._kinds[name][kind] for kind in ItemKind if self._kinds[name][kind]},
                due={one: count for one in Due if (count := self._due[name][one])},
            )
            for name in sorted(self._kinds)
        }
