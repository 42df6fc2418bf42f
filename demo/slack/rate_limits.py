"""Slack's tiers as token buckets: a burst, then a steady rate a minute."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from demo.slack.errors import RateLimitedError


@dataclass(frozen=True, slots=True)
class Limit:
    """`burst` calls at once, then `per_minute`; `by` names the argument that has a bucket of its own."""

    burst: int
    per_minute: float
    by: str = ""


TIER_1 = Limit(20, 1)  # "1+ a minute"; Slack bears bursts, and a reconnecting client needs them
TIER_2 = Limit(20, 20)
TIER_3 = Limit(50, 50)
TIER_4 = Limit(100, 100)
POST_MESSAGE = Limit(5, 60, by="channel")  # about one a second a channel, short bursts allowed
SPECIAL = Limit(300, 300)  # auth.test and getPermalink: "hundreds a minute"


class RateLimits:
    def __init__(self, now: Callable[[], float], overrides: Mapping[str, Limit]) -> None:
        self._now = now
        self._overrides = dict(overrides)
        self._buckets: dict[tuple[str, str], tuple[float, float]] = {}

    def set(self, method: str, limit: Limit) -> None:
        self._overrides[method] = limit
        self._buckets = {key: bucket for key, bucket in self._buckets.items() if key[0] != method}

    def take(self, method: str, default: Limit, arguments: Mapping[str, object]) -> None:
        """Spends one call. Raises RateLimitedError with the whole seconds until the next one fits."""
        limit = self._overrides.get(method, default)
        key = (method, str(arguments.get(limit.by, "")) if limit.by else "")
        now = self._now()
        left, then = self._buckets.get(key, (float(limit.burst), now))
        left = min(float(limit.burst), left + (now - then) * limit.per_minute / 60)
        if left < 1:
            self._buckets[key] = (left, now)
            raise RateLimitedError(max(1, math.ceil((1 - left) * 60 / limit.per_minute)))
        self._buckets[key] = (left - 1, now)
