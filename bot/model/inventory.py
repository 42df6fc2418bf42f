"""What a census finds in a whole cluster: what never expires, what is about to, and what will go wrong."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase

from bot.model.catalogue import Severity
from bot.model.noun import Noun
from bot.model.requests import Offer

WINDOW = timedelta(days=14)
"""How far ahead an end counts as near, where nobody says otherwise."""


class Due(StrEnum):
    """How soon something ends. What never does is `NEVER`."""

    EXPIRED = "expired"
    TODAY = "within 24 hours"
    WEEK = "within 7 days"
    WINDOW = "within the window"
    LATER = "later"
    NEVER = "never"

    @property
    def is_near(self) -> bool:
        return self not in {Due.LATER, Due.NEVER}

    def within(self, window: timedelta) -> str:
        """In words, of a bucket that is near and ahead; a window is whole days."""
        return f"within {window.days} days" if self is Due.WINDOW else self.value


def due(ends: datetime | None, now: datetime, window: timedelta) -> Due:
    """The bucket of an end, as seen at `now`."""
    if ends is None:
        return Due.NEVER
    if ends < now:
        return Due.EXPIRED
    buckets = ((timedelta(days=1), Due.TODAY), (timedelta(days=7), Due.WEEK), (window, Due.WINDOW))
    return next((bucket for most, bucket in buckets if ends - now <= most), Due.LATER)


class ItemKind(StrEnum):
    """What an item of an inventory is. `LEGACY_SECRET` was made by the token controller, `MANUAL_SECRET` by hand."""

    LEGACY_SECRET = "legacy-secret"  # noqa: S105  # a kind's name, not a secret
    MANUAL_SECRET = "manual-secret"  # noqa: S105  # the same
    UNFILLED_SECRET = "unfilled-secret"  # noqa: S105  # the same
    ORPHANED_SECRET = "orphaned-secret"  # noqa: S105  # the same
    EMBEDDED_TOKEN = "embedded-token"  # noqa: S105  # the same
    KUBECONFIG_CERTIFICATE = "kubeconfig-certificate"
    SUBPATH_MOUNT = "subpath-mount"
    CAPPED_LIFETIME = "capped-lifetime"
    EXTENDED_CLIFF = "extended-cliff"
    DEFAULT_ACCOUNT = "default-account"


class Item(Noun, frozen=True, kw_only=True):
    """One thing to know about. `object_kind` and `name` are its Secret or workload, `place` where in it.

    `owner` is who has to see to it, as a label, an annotation or a managed field names them; "" where none does.
    `ends` is when it stops working, or when the cleaner deletes it; None where nothing is known to end it. `cause` is
    the catalogue's code that `explain` tells more about, "" where there is none. `used` says by whom and when last.
    """

    kind: ItemKind
    namespace: str
    object_kind: str
    name: str
    place: str = ""
    owner: str = ""
    severity: Severity
    why: str
    next_step: str
    used: str = ""
    ends: datetime | None = None
    cause: str = ""
    offers: tuple[Offer, ...] = ()

    @property
    def key(self) -> str:
        """The same from one census to the next."""
        return f"{self.kind}/{self.namespace}/{self.object_kind}/{self.name}/{self.place}"


class Tally(Noun, frozen=True, kw_only=True):
    """Exact counts of one namespace: items by kind, and of those that can end, how many by `Due`."""

    kinds: Mapping[ItemKind, int] = {}
    due: Mapping[Due, int] = {}


class Scanned(Noun, frozen=True, kw_only=True):
    """How many objects were read. `secrets` counts those whose data was read, None where it was not to be."""

    namespaces: int = 0
    token_secrets: int = 0
    service_accounts: int = 0
    pods: int = 0
    secrets: int | None = None


class Unscanned(Noun, frozen=True, kw_only=True):
    """What was not read, and why. `namespaces` are those it is true of, at most twenty by name; () means everywhere.

    `count` is of how many namespaces. `by_choice`: a setting is off, or nobody could read it here (a managed control
    plane's flags); else something went wrong. Either way items of these `kinds` that are missing from the inventory
    are no proof that they are gone.
    """

    what: str
    kinds: tuple[ItemKind, ...] = ()
    reason: str
    mend: str = ""
    namespaces: tuple[str, ...] = ()
    count: int = 0
    by_choice: bool = False

    def may_be_of(self, namespace: str) -> bool:
        """Not all of the namespaces may be named."""
        return not self.namespaces or namespace in self.namespaces or self.count > len(self.namespaces)


class Inventory(Noun, frozen=True, kw_only=True):
    """What one pass over a cluster found.

    `items` are the most urgent first, at most so many of a kind as a census keeps; `tallies`, by namespace, count them
    all. What ends later than that, or is renewed in time, is counted and is no item. `window` is how far ahead an end
    counts as near; `namespaces` are the patterns of those that were asked for. `left_out` says of which kinds not every
    item is among `items`, with how many are not.
    """

    cluster: str
    taken_at: datetime
    window: timedelta
    namespaces: tuple[str, ...] = ("*",)
    items: tuple[Item, ...] = ()
    tallies: Mapping[str, Tally] = {}
    left_out: Mapping[ItemKind, int] = {}
    scanned: Scanned = Scanned()
    unscanned: tuple[Unscanned, ...] = ()
    took_ms: int = 0

    def could_see(self, kind: ItemKind, namespace: str) -> bool:
        """Whether an item of this kind that is there would be among the items: one that is not is gone then."""
        if kind in self.left_out or not any(fnmatchcase(namespace, pattern) for pattern in self.namespaces):
            return False
        return not any(kind in one.kinds and one.may_be_of(namespace) for one in self.unscanned)
