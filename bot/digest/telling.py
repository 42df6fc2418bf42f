"""The digests of one slot, one a channel; and which of them somebody should hear."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from bot.digest import routing
from bot.digest.comparison import Comparison, Unreached
from bot.digest.slots import Slot
from bot.model import ClusterDigest, Digest, Noun, TrendPoint
from config.digests import Digest as Schedule

MOST_MISSED = 20
_EARLY = timedelta(hours=12)  # a heartbeat every seven days is not put off to the eighth because of some seconds


class Memory(Noun, frozen=True, kw_only=True):
    """What earlier digests left: totals by channel and cluster, and when each channel last heard anything."""

    history: Mapping[str, Mapping[str, tuple[TrendPoint, ...]]] = {}
    last_told: Mapping[str, datetime] = {}


def tell(
    schedule: Schedule,
    found: Sequence[Comparison | Unreached],
    memory: Memory,
    *,
    slot: Slot,
    missed: Sequence[str],
    at: datetime,
    next_at: datetime | None,
    new_id: Callable[[], str],
) -> Iterator[tuple[Digest, bool]]:
    """Each channel's digest, and whether it is told. `missed` are the minutes of slots, oldest first."""
    for channel in routing.channels(schedule):
        wholes = [one.digest for one in found if isinstance(one, Comparison)]
        digest = Digest(
            id=new_id(),
            schedule=schedule.name,
            channel=channel,
            at=at,
            timezone=slot.zone,
            minute=slot.minute,
            due_at=slot.at,
            clusters=tuple(cluster(one, schedule, channel, memory.history.get(channel, {})) for one in found),
            missed=tuple(missed[-MOST_MISSED:]),
            missed_count=len(missed),
            elsewhere=routing.elsewhere(wholes, schedule, channel),
            next_at=next_at,
        )
        yield _heard(digest, schedule, memory.last_told.get(channel))


def cluster(
    one: Comparison | Unreached, schedule: Schedule, channel: str, history: Mapping[str, tuple[TrendPoint, ...]]
) -> ClusterDigest:
    """One cluster's part of what the channel is told, with the past before it."""
    if isinstance(one, Unreached):
        return unread(one, timedelta(days=schedule.window_days))
    return with_trend(routing.part(one.digest, one.tallies, schedule, channel), history)


def unread(one: Unreached, window: timedelta) -> ClusterDigest:
    """Why nothing is told of a cluster."""
    return ClusterDigest(cluster=one.cluster, taken_at=one.at, window=window, unreachable=one.why, mend=one.mend)


def with_trend(told: ClusterDigest, history: Mapping[str, tuple[TrendPoint, ...]]) -> ClusterDigest:
    """The present totals, after those of the past."""
    complete = all(part.by_choice for part in told.unscanned)
    now = TrendPoint(at=told.taken_at, totals=told.totals, complete=complete)
    return replace(told, trend=(*history.get(told.cluster, ()), now))


def _heard(digest: Digest, schedule: Schedule, last_told: datetime | None) -> tuple[Digest, bool]:
    if not digest.is_quiet or not schedule.quiet:
        return digest, True
    if last_told is not None and digest.at - last_told < timedelta(days=schedule.heartbeat_days) - _EARLY:
        return digest, False
    return replace(digest, heartbeat=True, quiet_since=last_told), True
