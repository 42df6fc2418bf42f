"""When the kubelet replaces a token (pkg/kubelet/token/token_manager.go)."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.diagnosis.kubelet import refresh_after, refresh_due
from bot.model import Claims, ClaimsKind

MINTED = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("lifetime", "age"),
    [
        (timedelta(minutes=10), timedelta(minutes=8)),
        (timedelta(hours=1), timedelta(minutes=48)),
        (timedelta(days=7), timedelta(hours=24)),
    ],
)
def test_a_token_is_replaced_at_four_fifths_or_after_a_day(lifetime: timedelta, age: timedelta) -> None:
    assert refresh_after(lifetime) == age


def test_an_extended_token_is_replaced_by_the_hour_it_was_promised() -> None:
    claims = Claims(
        kind=ClaimsKind.BOUND,
        algorithm="RS256",
        issued_at=MINTED,
        warn_after=MINTED + timedelta(seconds=3607),
        expires_at=MINTED + timedelta(days=365),
    )
    assert refresh_due(claims) == MINTED + timedelta(seconds=0.8 * 3607)


def test_a_legacy_token_is_never_replaced() -> None:
    assert refresh_due(Claims(kind=ClaimsKind.LEGACY, algorithm="RS256")) is None
    assert refresh_due(None) is None
