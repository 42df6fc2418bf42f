"""A lease: whoever cannot tell the store any more lets go before another worker may begin."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest
import structlog

from bot.errors import StoreUnavailableError
from bot.lease import Clock, Lease, LostError

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


class Hours:
    """Time that passes where somebody sleeps; `answers` are the store's, one a beat: kept, lost or away."""

    def __init__(self, *answers: str) -> None:
        self.passed = 0.0
        self.told: list[datetime] = []
        self._answers = iter(answers)
        clock = Clock(
            now=lambda: NOW + timedelta(seconds=self.passed), monotonic=lambda: self.passed, sleep=self._sleep
        )
        self.lease = Lease(clock, seconds=30, beat_seconds=5, claimed_at=0)

    async def _sleep(self, seconds: float) -> None:
        self.passed += seconds

    async def beat(self) -> None:
        await self.lease.renew(self._store)

    async def _store(self, until: datetime) -> bool:
        self.told.append(until)
        answer = next(self._answers)
        if answer == "away":
            raise StoreUnavailableError("The database is away.")
        return answer == "kept"


async def kept(hours: Hours) -> Sequence[Mapping[str, object]]:
    with structlog.testing.capture_logs() as logs:
        await hours.lease.keep(hours.beat, structlog.get_logger().bind(request="r1"))
    return logs


async def test_it_is_kept_until_it_is_anothers() -> None:
    hours = Hours("kept", "kept", "lost")
    assert await kept(hours) == []
    assert hours.told == [NOW + timedelta(seconds=seconds) for seconds in (35, 40, 45)]


async def test_a_claim_that_is_anothers_is_lost() -> None:
    with pytest.raises(LostError):
        await Hours("lost").beat()


async def test_it_is_let_go_of_before_its_end_where_the_store_stays_away() -> None:
    """The next beat could come after the end: by then another worker may be at it."""
    hours = Hours(*["away"] * 9)
    said = await kept(hours)
    assert hours.passed == 25
    assert [line["left"] for line in said] == [25, 20, 15, 10, 5]
    assert {line["request"] for line in said} == {"r1"}


async def test_a_beat_that_is_stored_counts_anew() -> None:
    hours = Hours("away", "away", "kept", *["away"] * 9)
    await kept(hours)
    assert hours.passed == 15 + 25
