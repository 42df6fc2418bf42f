"""When the cleaner marks and deletes a Secret: to the day, and unknown where nobody can know."""

from datetime import UTC, date, datetime, timedelta

import pytest

from bot.diagnosis.cleaner import Forecast, forecast
from bot.model import SecretSummary, TokenTracking
from bot.objects import Labels, Meta

NOW = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
LONG_AGO = date(2023, 1, 1)


def ahead(
    *, since: date = LONG_AGO, born: datetime = datetime(2022, 5, 1, tzinfo=UTC), used: str = "", marked: str = ""
) -> Forecast:
    labels = Labels(legacy_token_last_used=used, legacy_token_invalid_since=marked)
    secret = SecretSummary(metadata=Meta(name="ci", creation_timestamp=born, labels=labels))
    found = forecast(secret, TokenTracking(since=since), NOW)
    assert found is not None
    return found


def test_never_used_for_longer_than_the_period_it_is_due_today() -> None:
    found = ahead()
    assert (found.marked_on, found.is_marked) == (date(2026, 11, 22), False)
    assert found.deleted_on == date(2027, 11, 23)
    assert found.is_use_known
    assert found.last_used is None


def test_without_a_use_and_with_young_tracking_nothing_is_known() -> None:
    found = ahead(since=date(2026, 11, 15))
    assert not found.is_use_known
    assert found.marked_on == date(2027, 11, 16)  # the day after tracking began, and a period of 365 days


def test_a_use_that_was_recorded_is_known_even_where_tracking_is_young() -> None:
    found = ahead(since=date(2026, 11, 15), used="2026-11-20")
    assert found.is_use_known
    assert found.marked_on == date(2027, 11, 21)


def test_the_latest_of_tracking_creation_and_use_counts() -> None:
    assert ahead(used="2026-01-10").marked_on == date(2027, 1, 11)
    assert ahead(born=datetime(2026, 6, 1, 12, tzinfo=UTC)).marked_on == date(2027, 6, 1)
    assert ahead(used="2026-01-10", born=datetime(2026, 6, 1, 12, tzinfo=UTC)).marked_on == date(2027, 6, 1)


def test_a_marked_one_is_deleted_after_another_period() -> None:
    found = ahead(marked="2026-03-01")
    assert (found.marked_on, found.is_marked) == (date(2026, 3, 1), True)
    assert found.deleted_on == date(2027, 3, 2)
    assert not found.used_since_marked


def test_a_use_after_the_mark_puts_the_deletion_off_and_was_refused() -> None:
    found = ahead(marked="2026-03-01", used="2026-11-20")
    assert found.deleted_on == date(2027, 11, 21)
    assert found.used_since_marked


def test_a_use_on_the_very_day_of_the_mark_came_after_it() -> None:
    """Before it there had been none for a period."""
    assert ahead(marked="2026-03-01", used="2026-03-01").used_since_marked


def test_what_is_overdue_is_due_now() -> None:
    assert ahead(marked="2024-01-01").deleted_on == NOW.date()


@pytest.mark.parametrize("label", ["yesterday", "2026-13-01"])
def test_a_label_that_is_no_date_is_left_alone(label: str) -> None:
    labels = Labels(legacy_token_last_used=label)
    secret = SecretSummary(metadata=Meta(name="ci", creation_timestamp=NOW - timedelta(days=900), labels=labels))
    assert forecast(secret, TokenTracking(since=LONG_AGO), NOW) is None


def test_a_mark_that_is_no_date_is_none() -> None:
    """The cleaner writes it anew."""
    assert not ahead(marked="soon").is_marked
