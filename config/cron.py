"""Cron's five fields: minute, hour, day of the month, month, day of the week.

A weekday has a name only: 1 is Monday to one program and Tuesday to another. Day and weekday are not given together:
one program wants both to fit, another either.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONGEST_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_CLASSIC = ("sun", *WEEKDAYS)  # to cron(8), 0 and 7 are Sunday
_PART = re.compile(r"(?P<first>\*|\w+)(?:-(?P<last>\w+))?(?:/(?P<step>\d{1,4}))?", re.ASCII)
EXAMPLE = '"0 9 * * mon-fri"'
_FIELDS = 5


@dataclass(frozen=True, slots=True)
class _Field:
    called: str
    lowest: int
    highest: int
    names: Sequence[str] = ()
    numbers: bool = True

    @property
    def values(self) -> str:
        if not self.numbers:
            return "names from mon to sun"
        return f"{self.lowest} to {self.highest}" + (f" or {self.names[0]} to {self.names[-1]}" if self.names else "")


_MINUTE = _Field("minute", 0, 59)
_HOUR = _Field("hour", 0, 23)
_DAY = _Field("day of the month", 1, 31)
_MONTH = _Field("month", 1, 12, _MONTHS)
_WEEKDAY = _Field("weekday", 0, 6, WEEKDAYS, numbers=False)


@dataclass(frozen=True, slots=True)
class Cron:
    """When: the values that fit, each field's in order. `weekdays` counts from Monday, 0."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]


def parse(text: str) -> Cron:
    """Raises ValueError with a sentence that completes "cron: …", and quotes nothing."""
    fields = text.lower().split()
    if len(fields) != _FIELDS:
        raise ValueError(f"must be five fields, minute hour day month weekday, such as {EXAMPLE}")
    minute, hour, day, month, weekday = fields
    cron = Cron(
        minutes=_values(minute, _MINUTE),
        hours=_values(hour, _HOUR),
        days=_values(day, _DAY),
        months=_values(month, _MONTH),
        weekdays=_values(weekday, _WEEKDAY),
    )
    if len(cron.days) < _DAY.highest and len(cron.weekdays) < len(WEEKDAYS):
        raise ValueError("names days of the month and weekdays: programs differ in what both mean; leave one of them *")
    if all(cron.days[0] > _LONGEST_MONTH[month - 1] for month in cron.months):
        raise ValueError("never comes: none of these months has such a day")
    return cron


def _values(text: str, field: _Field) -> tuple[int, ...]:
    found: set[int] = set()
    for part in text.split(","):
        found.update(_part(part, field))
    return tuple(sorted(found))


def _part(text: str, field: _Field) -> Sequence[int]:
    match = _PART.fullmatch(text)
    if match is None:
        raise ValueError(f"its {field.called} cannot be read: it takes *, {field.values}, ranges, lists and steps")
    first, last, step = match["first"], match["last"], int(match["step"] or 1)
    if step < 1 or (match["step"] and first != "*" and last is None) or (first == "*" and last is not None):
        raise ValueError(f"its {field.called} has a step that means nothing: write */5, or 10-50/5")
    if first == "*":
        return range(field.lowest, field.highest + 1, step)
    low = _value(first, field, text)
    high = _value(last, field, text) if last is not None else low
    if low > high and field is _WEEKDAY:  # sat-mon goes over the end of the week
        return [value % len(WEEKDAYS) for value in range(low, high + len(WEEKDAYS) + 1, step)]
    if low > high:
        raise ValueError(f"its {field.called} has a range that ends before it begins")
    return range(low, high + 1, step)


def _value(word: str, field: _Field, part: str) -> int:
    if word in field.names:
        return field.names.index(word) + field.lowest
    if not field.numbers and word.isdigit():
        meant = _meant(part)
        near = f"; did you mean {meant}?" if meant else f": {field.values}"
        raise ValueError(f"its weekdays must have names, for numbers differ between programs{near}")
    if field.numbers and word.isdigit() and field.lowest <= int(word) <= field.highest:
        return int(word)
    raise ValueError(f"its {field.called} must be {field.values}")


def _meant(part: str) -> str:
    """The names of weekdays that are numbers, as cron(8) counts them; "" where it does not."""
    ends = part.partition("/")[0].split("-")
    if all(end.isdigit() and int(end) < len(_CLASSIC) for end in ends):
        return "-".join(_CLASSIC[int(end)] for end in ends)
    return ""
