"""Whether a token Secret is known to be unused. What is not recorded is unknown, and unknown is not unused. Pure."""

from datetime import UTC, datetime, timedelta

from bot.durations import day_of
from bot.model import TokenTracking
from bot.objects import Meta

USUAL_DAYS = 30
"""A job that runs once a month should have come by."""


def in_use(secret: Meta, tracked: TokenTracking | None, now: datetime, days: int) -> str:
    """Why it is not known to be unused for that many whole days, "" where it is. What is not recorded is unknown."""
    last_used = secret.labels.legacy_token_last_used
    limit = now.astimezone(UTC).date() - timedelta(days=days)
    if last_used:
        used = day_of(last_used)
        if used is None:
            return "has a last-used label that is no date, so it is not known whether anybody uses it"
        return "" if used < limit else f"was used on {used}, and is to be unused for {_days(days)}"
    if tracked is None:
        return "may be in use: this cluster does not record the use of legacy tokens"
    if tracked.since >= limit:
        return f"may be in use: uses are recorded only since {tracked.since}, and {_days(days)} are asked for"
    born = secret.creation_timestamp
    if born is None or born.astimezone(UTC).date() >= limit:
        return f"is younger than {_days(days)}: that it was not used yet says nothing"
    return ""


def _days(count: int) -> str:
    return f"{count} day{'' if count == 1 else 's'}"
