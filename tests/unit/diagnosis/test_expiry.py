"""The buckets of an end, and when it is worth a warning."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.diagnosis.expiry import is_near
from bot.model import WINDOW, Due, due

NOW = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("left", "bucket"),
    [
        (-timedelta(seconds=1), Due.EXPIRED),
        (timedelta(), Due.TODAY),
        (DAY, Due.TODAY),
        (DAY + timedelta(seconds=1), Due.WEEK),
        (7 * DAY, Due.WEEK),
        (14 * DAY, Due.WINDOW),
        (14 * DAY + timedelta(seconds=1), Due.LATER),
    ],
)
def test_buckets(left: timedelta, bucket: Due) -> None:
    assert due(NOW + left, NOW, WINDOW) is bucket


def test_a_bucket_in_words() -> None:
    assert [bucket.within(21 * DAY) for bucket in Due if bucket.is_near] == [
        "expired",
        "within 24 hours",
        "within 7 days",
        "within 21 days",
    ]


@pytest.mark.parametrize(
    ("life", "left", "near"),
    [
        (365 * DAY, 14 * DAY, True),
        (365 * DAY, 15 * DAY, False),
        (30 * DAY, 6 * DAY, True),
        (30 * DAY, 10 * DAY, False),  # whoever renews it at two thirds has just not done so yet
        (timedelta(hours=1), timedelta(minutes=12), True),
        (timedelta(hours=1), timedelta(minutes=13), False),
        (None, 14 * DAY, True),
        (365 * DAY, -timedelta(seconds=1), False),
    ],
)
def test_near_is_the_last_fifth_of_a_life_and_at_most_the_window(
    life: timedelta | None, left: timedelta, *, near: bool
) -> None:
    ends = NOW + left
    assert is_near(ends - life if life else None, ends, NOW) is near
