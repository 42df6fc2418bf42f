from datetime import UTC, datetime, timedelta, timezone

import pytest

from bot.durations import relative, span, typed, utc

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        (timedelta(), "0 s"),
        (timedelta(milliseconds=999), "0 s"),
        (timedelta(seconds=59), "59 s"),
        (timedelta(seconds=60), "1 min"),
        (timedelta(seconds=3607), "1 h"),
        (timedelta(hours=3, minutes=12, seconds=59), "3 h 12 min"),
        (timedelta(days=1, minutes=5), "1 d"),
        (timedelta(days=364, hours=23, minutes=59), "364 d 23 h"),
        (timedelta(days=368), "1 y 3 d"),
        (timedelta(hours=-2), "2 h"),
        (timedelta.max, "2739726 y 9 d"),
    ],
)
def test_a_span_has_at_most_two_units(duration: timedelta, words: str) -> None:
    assert span(duration) == words


@pytest.mark.parametrize(
    ("distance", "words"),
    [
        (timedelta(hours=-3, minutes=-12), "3 h 12 min ago"),
        (timedelta(minutes=48), "in 48 min"),
        (timedelta(milliseconds=-900), "now"),
        (timedelta(milliseconds=900), "now"),
        (timedelta(seconds=-1), "1 s ago"),
    ],
)
def test_an_instant_is_told_from_now(distance: timedelta, words: str) -> None:
    assert relative(NOW + distance, NOW) == words


def test_a_time_is_shown_in_utc() -> None:
    assert utc(datetime(2026, 11, 22, 14, 5, 9, tzinfo=timezone(timedelta(hours=2)))) == "2026-11-22 12:05:09 UTC"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7d", 7 * 86400), (" 12H ", 43200), ("90 min", 5400), ("90m", 5400), ("2w", 1209600), ("0s", 0)],
)
def test_what_people_type_is_read(text: str, seconds: int) -> None:
    assert typed(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "d", "7", "7 days", "-7d", "1d12h", "7x", "9999999d"])
def test_anything_else_is_no_duration(text: str) -> None:
    assert typed(text) is None
