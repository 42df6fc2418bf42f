"""When a digest is due: the local wall minutes of a cron, each once, whatever the clocks do.

A minute that the end of summer time repeats is one slot, the first time it comes. One that its beginning leaves out
runs at the first minute after it that exists, unless the schedule has that minute anyway: an instant is one slot too.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from bot.model import Noun
from config.cron import Cron

MOST = 100
"""How many slots are looked back for; a schedule that stood still for longer is not told all of them."""

PROMPT = timedelta(minutes=10)
"""What comes within it is in time, whatever the schedule says of catching up."""

_DAY = timedelta(days=1)
_MARGIN = 1  # days: the wall may show a day again, or leave one out, as Samoa did
_FURTHEST = 9 * 366  # days: from one 29th of February over a century's end to the next


class Slot(Noun, frozen=True, kw_only=True):
    """`minute` is local wall time, such as 2026-03-29T09:00, and `at` its instant."""

    minute: str
    zone: str
    at: datetime

    @property
    def key(self) -> str:
        """What the slot is claimed by: 09:00 is another slot once the schedule moved to another zone."""
        return f"{self.minute}[{self.zone}]"


class Round(Noun, frozen=True, kw_only=True):
    """What to do now: `slot` is told, with `missed`, which nobody will catch up with. Not `in_time`: it is one of them.

    All of a night's slots are caught up with once, in the newest.
    """

    slot: Slot
    missed: tuple[Slot, ...]
    in_time: bool


def chosen(open_: Iterable[Slot], now: datetime, catch_up: timedelta) -> Round | None:
    """`open_` are the slots that are due and those that somebody left unfinished."""
    slots = sorted(open_, key=lambda slot: slot.at)
    if not slots:
        return None
    in_time = now - slots[-1].at <= max(catch_up, PROMPT)
    return Round(slot=slots[-1], missed=tuple(slots[:-1]), in_time=in_time)


def of_key(key: str, at: datetime) -> Slot:
    """The slot that was claimed by this key."""
    minute, _, zone = key.removesuffix("]").partition("[")
    return Slot(minute=minute, zone=zone, at=at)


def due(cron: Cron, zone: ZoneInfo, since: datetime, until: datetime, *, most: int = MOST) -> tuple[Slot, ...]:
    """The slots after `since`, up to `until` and with it, oldest first; of many only the newest `most`."""
    found: list[Slot] = []
    last = until.astimezone(zone).date() + _MARGIN * _DAY
    first = since.astimezone(zone).date() - _MARGIN * _DAY
    days = (last - number * _DAY for number in range((last - first).days + 1))
    for slot in _slots(cron, zone, days, backwards=True):
        if slot.at <= since or len(found) == most:
            break
        if slot.at <= until:
            found.append(slot)
    return tuple(reversed(found))


def following(cron: Cron, zone: ZoneInfo, after: datetime) -> Slot | None:
    """The first slot after that; None where there is none for years."""
    first = after.astimezone(zone).date() - _MARGIN * _DAY
    days = (first + number * _DAY for number in range(_FURTHEST))
    return next((slot for slot in _slots(cron, zone, days, backwards=False) if slot.at > after), None)


def _slots(cron: Cron, zone: ZoneInfo, days: Iterable[date], *, backwards: bool) -> Iterator[Slot]:
    """The slots of these days, which follow one another. Wall time never runs ahead of its instants, nor they of it."""
    minutes = ((wall, *_instant(wall, zone)) for wall in _walls(cron, days, backwards=backwards))
    for at, group in groupby(minutes, key=lambda minute: minute[1]):
        walls = [(not exists, wall) for wall, _, exists in group]
        yield Slot(minute=min(walls)[1].isoformat(timespec="minutes"), zone=zone.key, at=at)


def _walls(cron: Cron, days: Iterable[date], *, backwards: bool) -> Iterator[datetime]:
    times = [time(hour, minute) for hour in cron.hours for minute in cron.minutes]
    if backwards:
        times.reverse()
    for day in days:
        if day.day in cron.days and day.month in cron.months and day.weekday() in cron.weekdays:
            yield from (datetime.combine(day, at) for at in times)


def _instant(wall: datetime, zone: ZoneInfo) -> tuple[datetime, bool]:
    """When this wall time is, for the first time; else when the clocks leap over it, and False."""
    at = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None, fold=0) == wall:
        return at, True
    # PEP 495: of a time that was left out, one fold is an instant before the leap and the other one after it.
    before, after = wall.replace(tzinfo=zone, fold=1).astimezone(UTC), at
    offset = after.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after, False
