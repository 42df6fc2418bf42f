"""Counts by namespace, summed or cut to what a memory and a metric may hold."""

from collections import Counter
from collections.abc import Iterable, Mapping

from bot.model import Due, ItemKind, Tally

MOST_NAMESPACES = 50
OTHER = "other"
"""What the namespaces beyond the largest are counted as, and one that is really called so with them."""


def total(tallies: Iterable[Tally]) -> Tally:
    kinds: Counter[ItemKind] = Counter()
    ends: Counter[Due] = Counter()
    for tally in tallies:
        kinds.update(tally.kinds)
        ends.update(tally.due)
    return Tally(kinds=dict(kinds), due=dict(ends))


def bounded(tallies: Mapping[str, Tally], most: int = MOST_NAMESPACES) -> Mapping[str, Tally]:
    """Those of the largest namespaces; what the others have together is under `OTHER`."""
    named = [name for name in tallies if name != OTHER]
    if len(named) <= most:
        return tallies
    kept = set(sorted(named, key=lambda name: (-sum(tallies[name].kinds.values()), name))[:most])
    rest = total(tally for name, tally in tallies.items() if name not in kept)
    return {**{name: tallies[name] for name in sorted(kept)}, OTHER: rest}
