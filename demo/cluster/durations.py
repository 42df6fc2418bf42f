"""Lengths of time as people write them: `45s`, `20m`, `2h`, `90d`."""

import re
from datetime import timedelta

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def duration(text: str) -> timedelta:
    """Raises ValueError for what is none."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text)
    if found is None:
        raise ValueError(f"{text} is no length of time such as 45s, 20m, 2h or 90d")
    return timedelta(**{_UNITS[found[2]]: float(found[1])})
