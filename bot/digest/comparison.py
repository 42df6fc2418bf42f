"""An inventory beside what was seen before: what is new, due, gone, and asked to be left in peace."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase

from bot.digest.tallies import total
from bot.model import ClusterDigest, Inventory, Item, ItemKind, Noun, Resolved, Sighting, Snoozed, Tally, due


class Comparison(Noun, frozen=True, kw_only=True):
    """`found` and `gone` are keys of items: what is there, and what was and is proven not to be there any more."""

    digest: ClusterDigest
    tallies: Mapping[str, Tally]
    found: tuple[str, ...]
    gone: tuple[str, ...]


class Unreached(Noun, frozen=True, kw_only=True):
    """A cluster of which nothing could be read: why, and what to do."""

    cluster: str
    at: datetime
    why: str
    mend: str = ""


class _Place(StrEnum):
    NEW = "new"
    DUE = "due"
    LAPSED = "lapsed"
    SNOOZED = "snoozed"
    REST = "rest"


def compare(
    inventory: Inventory, sightings: Mapping[str, Sighting], *, last: datetime | None, watched: Sequence[str] = ("*",)
) -> Comparison:
    """`sightings` are those not resolved, by key; `last` is when the cluster was last compared, None for never.

    `watched` are the patterns of the namespaces that are compared: elsewhere nothing is known, so nothing is new.
    """
    places: dict[_Place, list[Item]] = {place: [] for place in _Place}
    for item in inventory.items:
        knows = last is not None and any(fnmatchcase(item.namespace, pattern) for pattern in watched)
        places[_place(item, sightings.get(item.key), inventory, knows=knows)].append(item)
    found = {item.key for item in inventory.items}
    gone = dict(_gone(inventory, sightings, found))
    digest = ClusterDigest(
        cluster=inventory.cluster,
        taken_at=inventory.taken_at,
        window=inventory.window,
        is_first=last is None,
        new=tuple(places[_Place.NEW]),
        due=tuple(places[_Place.DUE]),
        lapsed=tuple(_snoozed(places[_Place.LAPSED], sightings)),
        snoozed=tuple(_snoozed(places[_Place.SNOOZED], sightings)),
        rest=tuple(places[_Place.REST]),
        resolved=tuple(gone.values()),
        totals=total(inventory.tallies.values()),
        left_out=inventory.left_out,
        scanned=inventory.scanned,
        unscanned=inventory.unscanned,
    )
    return Comparison(digest=digest, tallies=inventory.tallies, found=tuple(found), gone=tuple(gone))


def _place(item: Item, sighting: Sighting | None, inventory: Inventory, *, knows: bool) -> _Place:
    at = inventory.taken_at
    if sighting is not None and sighting.is_quiet(at):
        return _Place.SNOOZED
    if sighting is not None and sighting.snooze is not None and sighting.last_seen < sighting.snooze.until:
        return _Place.LAPSED
    if sighting is None and knows:
        return _Place.NEW
    # What never ends and what ends late are both known and can wait.
    return _Place.DUE if due(item.ends, at, inventory.window).is_near else _Place.REST


def _snoozed(items: list[Item], sightings: Mapping[str, Sighting]) -> Iterator[Snoozed]:
    for item in items:
        snooze = sightings[item.key].snooze
        if snooze is not None:
            yield Snoozed(item=item, snooze=snooze)


def _gone(inventory: Inventory, sightings: Mapping[str, Sighting], found: set[str]) -> Iterator[tuple[str, Resolved]]:
    for key, sighting in sightings.items():
        was = _named(sighting)
        if key not in found and was is not None and inventory.could_see(was.kind, was.namespace):
            yield key, was


def _named(sighting: Sighting) -> Resolved | None:
    """What its key says; None for a kind that this version does not know, which is no proof of anything."""
    parts = sighting.key.split("/", 4)
    if len(parts) != 5 or parts[0] not in set(ItemKind):  # noqa: PLR2004  # the parts of Item.key
        return None
    kind, namespace, object_kind, name, place = parts
    return Resolved(
        kind=ItemKind(kind),
        namespace=namespace,
        object_kind=object_kind,
        name=name,
        place=place,
        first_seen=sighting.first_seen,
    )
