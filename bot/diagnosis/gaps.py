"""How gaps are told: one missing right hides many facets, and is told once."""

from collections.abc import Iterable

from bot.model import Gap


def by_mend(gaps: Iterable[Gap]) -> list[tuple[Gap, ...]]:
    """The gaps that the same step closes together, in the order in which each first comes."""
    alike: dict[str, list[Gap]] = {}
    for gap in gaps:
        alike.setdefault(gap.mend or gap.reason, []).append(gap)
    return [tuple(some) for some in alike.values()]
