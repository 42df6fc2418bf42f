"""What a digest tells: since the last one, of each cluster, in one channel."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.model.inventory import Item, ItemKind, Scanned, Tally, Unscanned
from bot.model.noun import Noun
from bot.model.requests import Person


class Snooze(Noun, frozen=True, kw_only=True):
    """Somebody wants to hear no more of an item until then; it lapses by itself.

    `acknowledged`: they have taken it on themselves, and `reason` says how it stands; else it is only put off.
    """

    until: datetime
    by: Person
    reason: str
    acknowledged: bool = False


class Sighting(Noun, frozen=True, kw_only=True):
    """What digests remember of an item, by its `Item.key`. `resolved_at` is when a digest first found it gone."""

    key: str
    first_seen: datetime
    last_seen: datetime
    resolved_at: datetime | None = None
    snooze: Snooze | None = None

    def is_quiet(self, at: datetime) -> bool:
        return self.snooze is not None and at < self.snooze.until


class Resolved(Noun, frozen=True, kw_only=True):
    """An item that is gone, or mended: what its key says of it. `first_seen` is when a digest first told of it."""

    kind: ItemKind
    namespace: str
    object_kind: str
    name: str
    place: str = ""
    first_seen: datetime


class Snoozed(Noun, frozen=True, kw_only=True):
    """An item and the snooze that keeps it out of what is told, or did until it lapsed."""

    item: Item
    snooze: Snooze


class TrendPoint(Noun, frozen=True, kw_only=True):
    """How much there was at an earlier digest. Not `complete`: not everything could be read, it may have been more."""

    at: datetime
    totals: Tally
    complete: bool = True


class ClusterDigest(Noun, frozen=True, kw_only=True):
    """One cluster's part. Each item of the inventory is in exactly one of `new`, `due`, `lapsed`, `snoozed`, `rest`.

    `new` was never told of before; `due` was, and ends within the window or has ended; `lapsed` are those whose snooze
    ended since the last digest; `rest` is what was known and is not due. All are the most urgent first.
    `is_first`: there is nothing to compare with, so nothing is called new.
    `resolved` names only what was looked for and is gone. `totals` counts all items, also those that `left_out` counts
    and those snoozed. `trend` is the past, oldest first, and ends with this digest.

    `unreachable` says why nothing at all could be read (then everything else is empty), and `mend` what to do.
    """

    cluster: str
    taken_at: datetime
    window: timedelta
    is_first: bool = False
    new: tuple[Item, ...] = ()
    due: tuple[Item, ...] = ()
    lapsed: tuple[Snoozed, ...] = ()
    snoozed: tuple[Snoozed, ...] = ()
    rest: tuple[Item, ...] = ()
    resolved: tuple[Resolved, ...] = ()
    totals: Tally = Tally()
    trend: tuple[TrendPoint, ...] = ()
    left_out: Mapping[ItemKind, int] = {}
    scanned: Scanned = Scanned()
    unscanned: tuple[Unscanned, ...] = ()
    unreachable: str = ""
    mend: str = ""

    @property
    def is_quiet(self) -> bool:
        """Nothing changed, nothing is due, and everything that should be read was read."""
        told = self.new or self.due or self.lapsed or self.resolved or self.unreachable
        return not told and not self.is_first and all(one.by_choice for one in self.unscanned)


class Digest(Noun, frozen=True, kw_only=True):
    """What one channel is told of one slot of a schedule, or on demand (`minute` is "").

    `id` is what the store keeps it by, "" where it does not.
    `schedule` is the digest's name in the configuration, "" where none belongs to it: nothing can be snoozed then.
    `minute` is the slot, local wall time in `timezone` such as 2026-03-29T09:00, and `due_at` its instant; `at` is when
    it was made, later where it was caught up with. `missed` are earlier slots that nobody will catch up with, the
    newest last and at most twenty; `missed_count` is how many. Without `clusters` it came too late itself, and says
    only that. `elsewhere` is how many items other channels are told, by channel. `next_at` is the next slot's instant.

    `heartbeat`: there is nothing to tell, and this is the sign of life; `quiet_since` is when the channel last heard
    anything.

    On demand, `asker` is the Slack id of the person who asked, and `about` says for what.
    """

    id: str = ""
    schedule: str
    channel: str
    at: datetime
    timezone: str = "UTC"
    minute: str = ""
    due_at: datetime | None = None
    clusters: tuple[ClusterDigest, ...] = ()
    missed: tuple[str, ...] = ()
    missed_count: int = 0
    elsewhere: Mapping[str, int] = {}
    next_at: datetime | None = None
    heartbeat: bool = False
    quiet_since: datetime | None = None
    asker: str = ""
    about: str = ""

    @property
    def is_quiet(self) -> bool:
        """Whether nobody needs to hear it."""
        return not self.missed_count and all(cluster.is_quiet for cluster in self.clusters)
