"""How it stands with a token Secret, from all that is known about it. Pure."""

from datetime import UTC, date, datetime, timedelta
from enum import Enum, auto
from typing import NamedTuple

from bot.census.facts import Facts
from bot.census.outlook import Outlook
from bot.census.room import Held, Known, Room, Users

_TIME_TO_FILL = timedelta(seconds=60)
"""The controller fills a Secret within a second of its creation, and deletes an orphan as quickly."""


class Stand(Enum):
    """How it stands with a token Secret."""

    DELETED = auto()
    """Its deletion has begun, and does not end: the token is refused already."""
    ORPHANED = auto()
    UNFILLED = auto()
    MISSED = auto()
    """Marked invalid by the cleaner, and somebody needs it."""
    MARKED = auto()
    MOUNTED = auto()
    USED = auto()
    """Lately, and by no pod."""
    UNKNOWN = auto()
    UNUSED = auto()


class Read(NamedTuple):
    """What was read of the namespace besides its token Secrets."""

    accounts: bool
    pods: bool


class Looked(NamedTuple):
    """A token Secret, with all that is known about it."""

    facts: Facts
    room: Room
    read: Read
    held: Held
    account: Known | None
    users: Users
    outlook: Outlook

    @property
    def is_listed(self) -> bool:
        """By its account: the cleaner touches no other."""
        return self.account is not None and self.held.name in self.account.secrets

    @property
    def is_sound(self) -> bool:
        """Whether its account is there, and is the one that it was made for."""
        account = self.account
        return account is not None and not account.deleted and self.held.account_uid in {"", account.uid}

    @property
    def is_cleaned(self) -> bool:
        """Whether the cleaner's days hold for it."""
        return self.is_listed and self.read.pods and not self.users and self.outlook.ahead is not None

    @property
    def is_unused(self) -> bool:
        """Known to be: what was not read, or is not recorded, is not."""
        return self.read.pods and self.read.accounts and not self.users and not self.outlook.in_use

    @property
    def ends(self) -> datetime | None:
        """By when its token dies of the cleaner's mark, or, marked already, the Secret is deleted: that day is over."""
        ahead = self.outlook.ahead
        if not self.is_cleaned or ahead is None:
            return None
        return _over(ahead.deleted_on if self.held.invalid_since else ahead.marked_on)

    def stand(self) -> Stand | None:
        """None for one that is just being made or deleted: in a minute it is clear what becomes of it."""
        held, now = self.held, self.facts.now
        is_lasting = held.born is not None and held.born + _TIME_TO_FILL < now
        if held.deleted:
            return Stand.DELETED if held.deleted + _TIME_TO_FILL < now else None
        if self.read.accounts and not self.is_sound:
            is_leaving = self.account is not None and self.account.deleted is not None
            return Stand.ORPHANED if is_lasting and not is_leaving else None
        if held.filled is False:
            return Stand.UNFILLED if is_lasting else None
        return self._of_a_good_one()

    def _of_a_good_one(self) -> Stand:
        ahead = self.outlook.ahead
        if self.held.invalid_since:
            return Stand.MISSED if self.users or (ahead and ahead.used_since_marked) else Stand.MARKED
        if self.users:
            return Stand.MOUNTED
        if self.is_unused:
            return Stand.UNUSED
        return Stand.USED if self.held.last_used and self.outlook.in_use else Stand.UNKNOWN


def _over(day: date) -> datetime:
    """The midnight after it: the cleaner comes once a day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
