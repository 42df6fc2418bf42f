"""Token Secrets: what never expires, what was never filled, and what belongs to nobody. Pure."""

from collections.abc import Iterator
from functools import partial

from bot.census import legacy_words
from bot.census.facts import Facts
from bot.census.outlook import Outlooks
from bot.census.room import Room
from bot.census.standing import Looked, Read, Stand
from bot.census.tally import Seen
from bot.model import Item, ItemKind, Severity, due
from bot.ownership import owner_by

_BROKEN = {
    Stand.DELETED: ItemKind.ORPHANED_SECRET,
    Stand.ORPHANED: ItemKind.ORPHANED_SECRET,
    Stand.UNFILLED: ItemKind.UNFILLED_SECRET,
}


def token_secrets(room: Room, facts: Facts, outlooks: Outlooks, read: Read) -> Iterator[Seen]:
    """Each of the namespace's token Secrets once, but those that are just being made or deleted."""
    for held in room.secrets.values():
        account, users = room.accounts.get(held.account), room.users.get(held.name, {})
        looked = Looked(facts, room, read, held, account, users, outlooks(held))
        stand = looked.stand()
        if stand is not None:
            yield _seen(looked, stand)


def _seen(looked: Looked, stand: Stand) -> Seen:
    broken = _BROKEN.get(stand)
    ends = None if broken else looked.ends
    is_grave = stand is Stand.MISSED or (broken is not None and bool(looked.users))
    generated = broken is None and looked.room.was_generated(looked.held)
    return Seen(
        kind=broken or (ItemKind.LEGACY_SECRET if generated else ItemKind.MANUAL_SECRET),
        name=looked.held.name,
        severity=Severity.CRITICAL if is_grave else Severity.WARNING,
        ends=ends,
        due=due(ends, looked.facts.now, looked.facts.window) if ends else None,
        make=partial(_item, looked, stand),
    )


def _item(looked: Looked, stand: Stand, seen: Seen) -> Item:
    words = legacy_words.of(looked, stand)
    return seen.item(
        looked.room.name,
        words,
        owner=owner_by(looked.held.signs),
        used=legacy_words.used(looked, stand),
        offers=legacy_words.offers(looked, stand, words.cause),
    )
