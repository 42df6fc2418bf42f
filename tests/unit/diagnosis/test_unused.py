"""Whether a token Secret is known to be unused: what nobody has recorded is not known."""

from datetime import UTC, date, datetime, timedelta

import pytest

from bot.diagnosis.unused import in_use
from bot.model import TokenTracking
from bot.objects import Labels, Meta

NOW = datetime(2026, 11, 22, 23, 59, tzinfo=UTC)
LONG = TokenTracking(since=date(2025, 1, 1))


def secret(*, last_used: str = "", days: int = 365) -> Meta:
    labels = Labels(legacy_token_last_used=last_used)
    return Meta(name="a", labels=labels, creation_timestamp=NOW - timedelta(days=days))


@pytest.mark.parametrize(
    ("found", "tracked", "words"),
    [
        (secret(last_used="2026-11-22"), LONG, "was used on 2026-11-22, and is to be unused for 30 days"),
        (secret(last_used="2026-10-23"), LONG, "was used on 2026-10-23"),
        (secret(last_used="2026-10-22"), LONG, ""),
        (secret(last_used="2026-10-22"), None, ""),
        (secret(last_used="2027-01-01"), LONG, "was used on 2027-01-01"),
        (secret(last_used="long ago"), LONG, "a last-used label that is no date"),
        (secret(), LONG, ""),
        (secret(), None, "this cluster does not record the use"),
        (secret(), TokenTracking(since=date(2026, 10, 23)), "uses are recorded only since 2026-10-23"),
        (secret(), TokenTracking(since=date(2026, 10, 22)), ""),
        (secret(days=30), LONG, "is younger than 30 days"),
        (secret(days=31), LONG, ""),
        (Meta(name="a"), LONG, "is younger than 30 days"),
    ],
)
def test_what_is_known(found: Meta, tracked: TokenTracking | None, words: str) -> None:
    said = in_use(found, tracked, NOW, 30)
    assert words in said
    assert bool(words) is bool(said)


def test_one_whole_day_is_the_least() -> None:
    assert "for 1 day" in in_use(secret(last_used="2026-11-21"), LONG, NOW, 1)
    assert in_use(secret(last_used="2026-11-20"), LONG, NOW, 1) == ""
