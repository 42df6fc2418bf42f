"""Slots: the right wall minute, each once, whatever a zone does to its clocks and wherever the bot looked last."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.digest.slots import PROMPT, Round, Slot, chosen, due, following, of_key
from config.cron import Cron, parse

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",  # summer time began at midnight
    "Africa/Cairo",  # the same, on a Friday
    "Australia/Lord_Howe",  # half an hour
    "Asia/Kathmandu",
    "Asia/Gaza",
    "Africa/Casablanca",  # back and forth around Ramadan
    "Pacific/Apia",  # left out a whole day
    "America/Caracas",
]
zones = st.sampled_from(ZONES).map(ZoneInfo)
instants = st.datetimes(datetime(2000, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # Hypothesis adds the zone


def some(highest: int, *, lowest: int = 0) -> st.SearchStrategy[tuple[int, ...]]:
    whole = st.just(tuple(range(lowest, highest + 1)))
    few = st.sets(st.integers(lowest, highest), min_size=1, max_size=4).map(lambda found: tuple(sorted(found)))
    return st.one_of(whole, few)


WHOLE = {"days": tuple(range(1, 32)), "months": tuple(range(1, 13)), "weekdays": tuple(range(7))}


@st.composite
def crons(draw: st.DrawFn) -> Cron:
    days, weekdays = draw(
        st.one_of(st.tuples(some(31, lowest=1), st.just(WHOLE["weekdays"])), st.tuples(st.just(WHOLE["days"]), some(6)))
    )
    minutes = draw(st.one_of(some(59), st.just((0,)), st.just((30,))))
    hours = draw(st.one_of(some(23), st.just((0, 1, 2, 3))))
    return Cron(minutes=minutes, hours=hours, days=days, months=WHOLE["months"], weekdays=weekdays)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "zone", "between", "expected"),
    [
        # 02:00 to 03:00 is left out: the slot runs at 03:00, the first minute that there is.
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00 2026-03-29T12:00", "2026-03-29T02:30=2026-03-29T01:00"),
        # The schedule has 03:00 anyway: one slot, not two at the same instant.
        ("0 2-3 * * *", "Europe/Berlin", "2026-03-28T12:00 2026-03-29T12:00", "2026-03-29T03:00=2026-03-29T01:00"),
        ("*/20 2 * * *", "Europe/Berlin", "2026-03-28T12:00 2026-03-29T12:00", "2026-03-29T02:00=2026-03-29T01:00"),
        # 02:00 to 03:00 comes twice: the first one counts.
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00 2026-10-25T12:00", "2026-10-25T02:30=2026-10-25T00:30"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30 2026-10-25T12:00", ""),
        # Half an hour only.
        ("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00 2026-10-03T20:00", "2026-10-04T02:15=2026-10-03T15:30"),
        # 30 December 2011 never was.
        ("0 9 30 12 *", "Pacific/Apia", "2011-12-29T12:00 2011-12-31T12:00", "2011-12-30T09:00=2011-12-30T10:00"),
        # Midnight itself is left out.
        ("0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00 2018-11-04T12:00", "2018-11-04T00:00=2018-11-04T03:00"),
        # A weekend.
        ("0 9 * * mon-fri", "UTC", "2026-07-31T09:00 2026-08-03T09:00", "2026-08-03T09:00=2026-08-03T09:00"),
        ("0 9 * * *", "UTC", "2026-07-31T09:00 2026-07-31T23:00", ""),
    ],
)
def test_wall_minutes_and_their_instants(cron: str, zone: str, between: str, expected: str) -> None:
    since, until = map(at, between.split())
    found = due(parse(cron), ZoneInfo(zone), since, until)
    assert " ".join(f"{slot.minute}={slot.at:%Y-%m-%dT%H:%M}" for slot in found) == expected


@given(crons(), zones, instants, st.lists(st.integers(0, 200_000), max_size=6), st.integers(1, 14))
@settings(max_examples=150, deadline=None)
def test_none_is_lost_and_none_doubled_wherever_one_looks(
    cron: Cron, zone: ZoneInfo, since: datetime, looks: list[int], days: int
) -> None:
    """Looking often, seldom or at any instant in between finds the same slots."""
    until = since + timedelta(days=days)
    whole = due(cron, zone, since, until, most=10**6)
    assert len({slot.key for slot in whole}) == len({slot.at for slot in whole}) == len(whole)
    assert list(whole) == sorted(whole, key=lambda slot: slot.at)
    edges = sorted({since, until, *(min(since + timedelta(seconds=seconds), until) for seconds in looks)})
    pieces = [slot for low, high in pairwise(edges) for slot in due(cron, zone, low, high, most=10**6)]
    assert pieces == list(whole)
    assert due(cron, zone, since, until, most=3) == whole[-3:]
    if whole:
        assert following(cron, zone, since) == whole[0]


@given(crons(), zones, instants)
@settings(max_examples=60, deadline=None)
def test_each_minute_of_the_wall_clock_that_fits_is_a_slot(cron: Cron, zone: ZoneInfo, since: datetime) -> None:
    """Against the plainest way there is: look at the clock on the wall every minute of two days."""
    since = since.replace(second=0, microsecond=0)
    shown: dict[datetime, datetime] = {}
    for minute in range(1, 2 * 24 * 60 + 1):
        instant = since + timedelta(minutes=minute)
        wall = instant.astimezone(zone).replace(tzinfo=None)
        fits = wall.minute in cron.minutes and wall.hour in cron.hours
        if fits and wall.day in cron.days and wall.weekday() in cron.weekdays:
            shown.setdefault(wall, instant)
    found = {slot.at: slot.minute for slot in due(cron, zone, since, since + timedelta(days=2), most=10**6)}
    before = (since - timedelta(hours=3)).astimezone(zone).replace(tzinfo=None)
    for wall, instant in shown.items():
        if instant in found:
            assert found.pop(instant) == wall.isoformat(timespec="minutes")
        else:  # it is the second time that the wall shows it
            assert wall - before < timedelta(hours=4)
    for instant, left_out in found.items():  # what no wall ever showed
        wall = datetime.fromisoformat(left_out)
        assert instant.astimezone(zone).replace(tzinfo=None) > wall
        assert (instant - timedelta(minutes=1)).astimezone(zone).replace(tzinfo=None) < wall


def test_a_leap_day_is_waited_for_even_over_the_century_that_has_none() -> None:
    slot = following(parse("0 9 29 2 *"), ZoneInfo("UTC"), at("2096-03-01T00:00"))
    assert slot is not None
    assert slot.minute == "2104-02-29T09:00"


def test_the_key_says_the_zone_too() -> None:
    slot = Slot(minute="2026-03-29T09:00", zone="Europe/Berlin", at=at("2026-03-29T07:00"))
    assert slot.key == "2026-03-29T09:00[Europe/Berlin]"
    assert of_key(slot.key, slot.at) == slot


def slot_at(hours: float) -> Slot:
    instant = at("2026-08-01T00:00") + timedelta(hours=hours)
    return Slot(minute=f"{instant:%Y-%m-%dT%H:%M}", zone="UTC", at=instant)


def test_a_night_of_slots_is_caught_up_with_once() -> None:
    night = [slot_at(hour) for hour in (20, 21, 22, 23)]
    now, window = slot_at(30).at, timedelta(hours=12)
    assert chosen([], now, window) is None
    assert chosen(reversed(night), now, window) == Round(slot=night[-1], missed=tuple(night[:-1]), in_time=True)
    assert chosen(night, slot_at(35).at, window) == Round(slot=night[-1], missed=tuple(night[:-1]), in_time=True)
    assert chosen(night, slot_at(35.1).at, window) == Round(slot=night[-1], missed=tuple(night[:-1]), in_time=False)
    # No catching up at all still leaves the time to notice that it is nine.
    assert chosen(night[:1], night[0].at + PROMPT, timedelta(0)) == Round(slot=night[0], missed=(), in_time=True)
