"""Who is told of what: each item goes to exactly one channel, by its namespace; the first route that fits takes it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from msgspec.structs import replace

from bot.digest.tallies import total
from bot.model import ClusterDigest, Item, ItemKind, Resolved, Snoozed, Tally, Unscanned
from config.digests import Digest as Schedule


def channels(schedule: Schedule) -> tuple[str, ...]:
    """All that hear of it, the schedule's own channel first."""
    return tuple(dict.fromkeys([schedule.channel, *(route.channel for route in schedule.routes)]))


def channel_of(schedule: Schedule, namespace: str) -> str:
    for route in schedule.routes:
        if any(fnmatchcase(namespace, pattern) for pattern in route.namespaces):
            return route.channel
    return schedule.channel


def covered(patterns: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """The clusters among `names` that the patterns fit."""
    return tuple(name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns))


def part(whole: ClusterDigest, tallies: Mapping[str, Tally], schedule: Schedule, channel: str) -> ClusterDigest:
    """What of one cluster this channel is told.

    What could not be read is told everywhere where it may matter: silence would look like health.
    """
    here = {namespace: tally for namespace, tally in tallies.items() if channel_of(schedule, namespace) == channel}

    def is_here(item: Item | Resolved | Snoozed) -> bool:
        namespace = item.item.namespace if isinstance(item, Snoozed) else item.namespace
        return channel_of(schedule, namespace) == channel

    told = replace(
        whole,
        new=tuple(filter(is_here, whole.new)),
        due=tuple(filter(is_here, whole.due)),
        lapsed=tuple(filter(is_here, whole.lapsed)),
        snoozed=tuple(filter(is_here, whole.snoozed)),
        rest=tuple(filter(is_here, whole.rest)),
        resolved=tuple(filter(is_here, whole.resolved)),
        totals=total(here.values()),
        unscanned=tuple(_unscanned(whole.unscanned, schedule, channel)),
    )
    return replace(told, left_out=_left_out(told))


def items(told: ClusterDigest) -> Iterator[Item]:
    """All items, in whatever part they are."""
    yield from (*told.new, *told.due, *told.rest, *(one.item for one in (*told.lapsed, *told.snoozed)))


def elsewhere(wholes: Sequence[ClusterDigest], schedule: Schedule, channel: str) -> Mapping[str, int]:
    """How many items each other channel is told."""
    counts = Counter(channel_of(schedule, item.namespace) for whole in wholes for item in items(whole))
    return {other: count for other, count in counts.items() if other != channel}


def _unscanned(unscanned: Sequence[Unscanned], schedule: Schedule, channel: str) -> Iterator[Unscanned]:
    for one in unscanned:
        is_told_elsewhere = (
            channel != schedule.channel
            and one.namespaces
            and one.count <= len(one.namespaces)
            and all(channel_of(schedule, namespace) != channel for namespace in one.namespaces)
        )
        if not is_told_elsewhere:
            yield one


def _left_out(told: ClusterDigest) -> Mapping[ItemKind, int]:
    """How many items of the kinds that are not all here are missing from this channel's part, at most."""
    shown = Counter(item.kind for item in items(told)) if told.left_out else Counter()
    counts = {kind: min(most, told.totals.kinds.get(kind, 0) - shown[kind]) for kind, most in told.left_out.items()}
    return {kind: count for kind, count in counts.items() if count > 0}
