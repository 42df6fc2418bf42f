"""Downtime, summer time and wrong clocks, on both databases: no digest is doubled, lost or kept silent."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.store.conftest import Address
from tests.store.digesting import MONDAY, DiedError, Scene, daily, opened
from tests.unit.digest.samples import item


@pytest.fixture
async def scene(address: Address) -> AsyncIterator[Scene]:
    async with opened(address) as found:
        yield found


async def test_a_night_of_downtime_is_caught_up_with_once(scene: Scene) -> None:
    hourly = daily(cron="0 * * * *", catch_up_hours=2)
    assert not await scene.runner().turn(hourly)
    scene.later(hours=1)
    assert await scene.runner().turn(hourly)
    scene.later(hours=9, minutes=30)
    assert await scene.runner().turn(hourly)
    assert not await scene.runner().turn(hourly)
    (digest,) = await scene.digests(hourly, "2026-08-03T18:00")
    assert (digest.missed_count, digest.missed[0], digest.missed[-1]) == (8, "2026-08-03T10:00", "2026-08-03T17:00")
    assert digest.clusters
    assert len(scene.posted()) == 2
    scene.later(hours=1)
    assert await scene.runner().turn(hourly)
    assert not (await scene.digests(hourly, "2026-08-03T19:00"))[0].missed


async def test_what_comes_too_late_is_said_to_be_missed(scene: Scene) -> None:
    weekly = daily(cron="0 9 * * mon", catch_up_hours=12)
    assert not await scene.runner().turn(weekly)
    scene.later(hours=13, seconds=1)
    assert await scene.runner().turn(weekly)
    assert not await scene.runner().turn(weekly)
    (digest,) = await scene.digests(weekly, "2026-08-03T09:00")
    assert (digest.clusters, digest.missed, digest.missed_count) == ((), ("2026-08-03T09:00",), 1)
    assert digest.next_at == MONDAY + timedelta(days=7, hours=1)
    assert scene.looks == 0
    assert len(scene.posted()) == 1


async def test_what_was_missed_is_told_even_if_the_one_who_noted_it_died(scene: Scene) -> None:
    await scene.begun(daily())
    scene.later(days=3)
    with pytest.raises(DiedError):
        await scene.runner(dies="digest claimed").turn(daily())
    scene.later(days=1)
    assert await scene.runner().turn(daily())
    (digest,) = await scene.digests(daily(), "2026-08-07T09:00")
    assert digest.missed == ("2026-08-04T09:00", "2026-08-05T09:00", "2026-08-06T09:00")
    assert not await scene.runner().turn(daily())


async def test_a_recorded_digest_is_told_even_after_days(scene: Scene) -> None:
    """Its news were noted as told: nobody would hear of them any more."""
    await scene.begun(daily())
    scene.items.append(item("new"))
    scene.later(days=1)
    with pytest.raises(DiedError):
        await scene.runner(dies="digest recorded").turn(daily())
    scene.later(days=2)
    assert await scene.runner().turn(daily())
    assert len(scene.posted()) == 2
    assert await scene.runner().turn(daily())
    (digest,) = await scene.digests(daily(), "2026-08-06T09:00")
    assert digest.missed == ("2026-08-05T09:00",)


@pytest.mark.parametrize(("day", "slots"), [("2026-03-28", ["2026-03-29T02:30"]), ("2026-10-24", ["2026-10-25T02:30"])])
async def test_clock_changes_neither_double_nor_lose_one(scene: Scene, day: str, slots: list[str]) -> None:
    nightly = daily(cron="30 2 * * *", quiet=False)
    scene.at = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=UTC)
    told = 0
    for _ in range(24 * 12):
        told += await scene.runner().turn(nightly)
        scene.later(minutes=5)
    assert told == len(scene.posted()) == 1
    assert len(await scene.digests(nightly, slots[0])) == 1


async def test_a_clock_that_is_set_back_doubles_nothing_and_stops_nothing(scene: Scene) -> None:
    schedule = daily(quiet=False)
    await scene.begun(schedule)
    for _ in range(2):
        scene.later(days=1)
        assert await scene.runner().turn(schedule)
    scene.later(days=-2)
    for _ in range(3):
        assert not await scene.runner().turn(schedule)
        scene.later(days=1)
    assert await scene.runner().turn(schedule)
    assert len(scene.posted()) == 4
    (digest,) = await scene.digests(schedule, "2026-08-06T09:00")
    assert not digest.missed


@pytest.mark.parametrize("dies", ["digest claimed", "digest recorded", "digest done"])
async def test_a_clock_that_ran_a_year_ahead_for_a_while_stops_nothing(scene: Scene, dies: str) -> None:
    schedule = daily(quiet=False)
    await scene.begun(schedule)
    with pytest.raises(DiedError):
        await scene.runner("wrong", dies=dies, ahead=365 * 86_400).turn(schedule)
    scene.later(days=1)
    told = [await scene.runner().turn(schedule) for _ in range(3)]
    assert told == [True, dies == "digest recorded", False], "what was recorded is told, even if it was too early"
    (digest,) = await scene.digests(schedule, "2026-08-04T09:00")
    assert digest.clusters
    assert not digest.missed


async def test_a_first_start_in_the_future_is_no_obstacle(scene: Scene) -> None:
    assert not await scene.runner(ahead=365 * 86_400).turn(daily())
    assert not await scene.runner().turn(daily())
    scene.later(hours=1)
    assert await scene.runner().turn(daily())
