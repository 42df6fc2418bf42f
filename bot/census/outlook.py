"""What is to be expected of a token Secret: the cleaner's days, and whether anybody uses it. Pure."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import lru_cache, partial
from typing import NamedTuple

from bot import objects
from bot.census.facts import Facts
from bot.census.room import Held
from bot.diagnosis.cleaner import Forecast, forecast
from bot.diagnosis.unused import USUAL_DAYS, in_use
from bot.model import SecretSummary
from bot.versions import CLEANER, holds

_MOST_REMEMBERED = 4096


class Outlook(NamedTuple):
    """`ahead` is what the cleaner would do if it may. `in_use` says why the Secret is not known to be unused."""

    ahead: Forecast | None
    in_use: str


Outlooks = Callable[[Held], Outlook]


def outlooks(facts: Facts) -> Outlooks:
    """By days: thousands of Secrets have few days among them."""
    by_days = lru_cache(_MOST_REMEMBERED)(partial(_outlook, facts))

    def of(held: Held) -> Outlook:
        return by_days(held.last_used, held.invalid_since, held.born.date() if held.born else None)

    return of


def _outlook(facts: Facts, last_used: str, invalid_since: str, born: date | None) -> Outlook:
    meta = objects.Meta(
        name="",
        creation_timestamp=datetime(born.year, born.month, born.day, tzinfo=UTC) if born else None,
        labels=objects.Labels(legacy_token_last_used=last_used, legacy_token_invalid_since=invalid_since),
    )
    cleans = facts.tracking is not None and holds(facts.version, CLEANER, None)
    ahead = forecast(SecretSummary(metadata=meta), facts.tracking, facts.now) if cleans and facts.tracking else None
    if not facts.tracked and not last_used:
        return Outlook(ahead, "may be in use: since when uses are recorded was not read")
    return Outlook(ahead, in_use(meta, facts.tracking, facts.now, USUAL_DAYS))
