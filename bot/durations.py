"""How long, in words: the one place where a duration or an instant is put into text, or read from it."""

import re
from datetime import UTC, date, datetime, timedelta

_TYPED = re.compile(r"(\d{1,6})\s*(y|w|d|h|min|m|s)")
_SECONDS = {"y": 365 * 86400, "w": 7 * 86400, "d": 86400, "h": 3600, "min": 60, "m": 60, "s": 1}
_UNITS = ((365 * 86400, "y"), (86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def span(duration: timedelta) -> str:
    """`1 y 3 d`, `3 h 12 min`, `48 s`: the largest unit and the one below it, cut off, without a sign."""
    rest = abs(duration) // timedelta(seconds=1)
    for index, (seconds, name) in enumerate(_UNITS):
        if rest >= seconds:
            words = [f"{rest // seconds} {name}"]
            below = _UNITS[index + 1 : index + 2]
            words += [f"{rest % seconds // size} {unit}" for size, unit in below if rest % seconds >= size]
            return " ".join(words)
    return "0 s"


def relative(when: datetime, now: datetime) -> str:
    """`3 h 12 min ago`, `in 48 min`, or `now` within a second. Both times are aware."""
    distance = when - now
    if abs(distance) < timedelta(seconds=1):
        return "now"
    return f"in {span(distance)}" if distance > timedelta() else f"{span(distance)} ago"


def utc(when: datetime) -> str:
    """`2026-11-22 13:05:09 UTC`. The time is aware."""
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def day_of(label: str) -> date | None:
    """The day of `2026-11-22`, as labels and forms have it; None for anything else."""
    try:
        return date.fromisoformat(label)
    except ValueError:
        return None


def typed(text: str) -> timedelta | None:
    """What a person means by `7d`, `12h`, `90 min` or `2w`; None for anything else."""
    found = _TYPED.fullmatch(text.strip().lower())
    return timedelta(seconds=int(found[1]) * _SECONDS[found[2]]) if found else None
