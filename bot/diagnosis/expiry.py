"""When the end of a credential is worth a warning. Pure."""

from datetime import datetime, timedelta

from bot.model import WINDOW

LEEWAY = timedelta(seconds=60)
"""How far past its exp the API server still takes a token (`claims.go`); certificates have none."""

_NEAR = 5
"""Whoever renews does so when four fifths of the life are over, as the kubelet: in the last fifth nobody has."""


def is_near(begins: datetime | None, ends: datetime, now: datetime) -> bool:
    """Whether it ends within the window, and nobody has renewed it in time.

    A token of an hour always ends within the window: it is near only in its last fifth.
    """
    left = ends - now
    return timedelta() <= left <= (min(WINDOW, (ends - begins) / _NEAR) if begins else WINDOW)
