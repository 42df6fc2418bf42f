"""What the legacy token cleaner will do to a Secret, and when.

`pkg/controller/serviceaccount/legacy_serviceaccount_token_cleaner.go`: it comes once a day, and marks what has not been
used for the period; what stays unused for another period after that it deletes. It touches nothing before uses have
been recorded for a whole period.
"""

from datetime import UTC, date, datetime, timedelta

from bot.durations import day_of
from bot.model import Noun, SecretSummary, TokenTracking

PERIOD = timedelta(hours=8760)
"""`--legacy-service-account-token-clean-up-period`, where nobody has set it."""

_DAY = timedelta(days=1)


class Forecast(Noun, frozen=True, kw_only=True):
    """The first days on which it may be marked and deleted, if nobody uses it until then.

    `is_use_known` is False while uses have been recorded for less than the period and there was none: that says
    nothing yet. `used_since_marked`: somebody has sent the token since, and was refused.
    """

    marked_on: date
    is_marked: bool
    deleted_on: date
    last_used: date | None
    is_use_known: bool
    used_since_marked: bool = False


def forecast(secret: SecretSummary, tracking: TokenTracking, now: datetime) -> Forecast | None:
    """For a Secret that its service account lists and no pod uses; None where its label is no date: that is spared."""
    labels = secret.metadata.labels
    if labels.legacy_token_last_used and day_of(labels.legacy_token_last_used) is None:
        return None
    last_used, marked = day_of(labels.legacy_token_last_used), day_of(labels.legacy_token_invalid_since)
    spared_until = _spared_until(secret, tracking, last_used)
    marked_on = marked or max(spared_until, now).date()
    deleted = max(spared_until, _next(marked_on) + PERIOD, now)
    return Forecast(
        marked_on=marked_on,
        is_marked=marked is not None,
        deleted_on=deleted.date(),
        last_used=last_used,
        is_use_known=last_used is not None or _next(tracking.since) + PERIOD <= now,
        used_since_marked=bool(marked and last_used and last_used >= marked),
    )


def _spared_until(secret: SecretSummary, tracking: TokenTracking, last_used: date | None) -> datetime:
    """Tracking, creation and last use must each be a period ago; of days the end counts."""
    born = secret.metadata.creation_timestamp
    starts: list[datetime] = [
        _next(tracking.since),
        *([born] if born else ()),
        *([_next(last_used)] if last_used else ()),
    ]
    return max(starts) + PERIOD


def _next(day: date) -> datetime:
    """Midnight at the end of the day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + _DAY
