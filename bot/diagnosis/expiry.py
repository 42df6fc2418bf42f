"""How soon a credential ends, and when that is worth a warning. Pure."""

from datetime import datetime, timedelta
from enum import StrEnum

LEEWAY = timedelta(seconds=60)
"""How far past its exp the API server still takes a token (`claims.go`); certificates have none."""

WINDOW = timedelta(days=14)
_NEAR = 5
"""Whoever renews does so when four fifths of the life are over, as the kubelet: in the last fifth nobody has."""


class Expiry(StrEnum):
    """The bucket that an end falls into."""

    EXPIRED = "expired"
    DAY = "within 24 hours"
    WEEK = "within 7 days"
    WINDOW = "within 14 days"
    LATER = "later"


_BUCKETS = ((timedelta(days=1), Expiry.DAY), (timedelta(days=7), Expiry.WEEK), (WINDOW, Expiry.WINDOW))


def expiry(ends: datetime, now: datetime) -> Expiry:
    if ends < now:
        return Expiry.EXPIRED
    return next((bucket for most, bucket in _BUCKETS if ends - now <= most), Expiry.LATER)


def is_near(begins: datetime | None, ends: datetime, now: datetime) -> bool:
    """Whether it ends within the window, and nobody has renewed it in time.

    A token of an hour always ends within the window: it is near only in its last fifth.
    """
    left = ends - now
    return timedelta() <= left <= (min(WINDOW, (ends - begins) / _NEAR) if begins else WINDOW)
