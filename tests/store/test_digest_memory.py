"""Slots are claimed once; what digests saw is known again, gone or snoozed; what they told can be told again."""

from datetime import datetime, timedelta

from bot.model import ItemKind, Sighting, Snooze, Tally
from bot.store import LeftSlot, Look, Standing, Store
from tests.store.samples import ALICE, BOB, NOW, after, saw

MINUTE, NEXT = "2026-03-29T09:00[UTC]", "2026-03-30T09:00[UTC]"
DAY = 86_400


async def claim(store: Store, minute: str, worker: str, at: datetime, *, schedule: str = "daily") -> bool:
    due_at = datetime.fromisoformat(minute.removesuffix("[UTC]")).replace(tzinfo=NOW.tzinfo)
    return await store.slots.claim(schedule, minute, worker, at, 60, due_at=due_at)


async def keys(store: Store, cluster: str = "prod") -> list[str]:
    return sorted(await store.seen.sightings("daily", cluster))


async def test_a_slot_is_claimed_once_and_again_only_after_its_lease(store: Store) -> None:
    assert await claim(store, MINUTE, "worker-1", NOW)
    assert not await claim(store, MINUTE, "worker-2", after(59))
    assert await claim(store, MINUTE, "worker-2", after(59), schedule="weekly")
    assert await store.slots.left("daily", after(59)) == ()
    assert await store.slots.left("daily", after(60)) == (LeftSlot(minute=MINUTE, due_at=NOW),)
    assert await claim(store, MINUTE, "worker-2", after(60))
    assert not await store.slots.keep("daily", MINUTE, "worker-1", after(900))
    assert not await store.slots.done("daily", MINUTE, "worker-1", after(61))
    assert await store.slots.keep("daily", MINUTE, "worker-2", after(900))
    assert not await claim(store, MINUTE, "worker-3", after(899))
    assert await store.slots.done("daily", MINUTE, "worker-2", after(62))
    assert not await claim(store, MINUTE, "worker-3", after(10_000))
    assert not await store.slots.done("daily", MINUTE, "worker-2", after(63))
    assert await store.slots.left("daily", after(10_000)) == ()


async def test_a_schedule_is_worked_at_one_slot_at_a_time(store: Store) -> None:
    assert await claim(store, MINUTE, "worker-1", NOW)
    assert not await claim(store, NEXT, "worker-2", after(59))
    assert await claim(store, NEXT, "worker-2", after(60))
    assert not await claim(store, MINUTE, "worker-1", after(61))
    assert await store.slots.done("daily", NEXT, "worker-2", after(62))
    assert await claim(store, MINUTE, "worker-1", after(63))


async def test_a_lease_of_a_wrong_clock_holds_nobody_up(store: Store) -> None:
    assert await claim(store, MINUTE, "from the future", after(365 * DAY))
    assert await claim(store, MINUTE, "worker-2", NOW)


async def test_missed_slots_are_noted_until_a_later_one_is_done(store: Store) -> None:
    missed = LeftSlot(minute=MINUTE, due_at=NOW)
    await store.slots.missed("daily", [missed], after(1))
    await store.slots.missed("daily", [missed], after(2))
    await store.slots.missed("daily", [], after(2))
    assert not await claim(store, MINUTE, "worker", after(10_000))
    assert await store.slots.untold("daily", after(DAY)) == (missed,)
    assert await store.slots.untold("daily", NOW) == ()
    assert await claim(store, NEXT, "worker", after(DAY))
    await store.slots.missed("daily", [LeftSlot(minute=NEXT, due_at=after(DAY))], after(DAY + 1))
    assert await store.slots.untold("daily", after(2 * DAY)) == (missed,), "what is being worked at is not missed"
    assert await store.slots.done("daily", NEXT, "worker", after(DAY + 2))
    assert await store.slots.untold("daily", after(2 * DAY)) == ()


async def test_what_was_left_unfinished_can_be_missed(store: Store) -> None:
    assert await claim(store, MINUTE, "worker", NOW)
    left = LeftSlot(minute=MINUTE, due_at=NOW)
    await store.slots.missed("daily", [left], after(61))
    assert await store.slots.left("daily", after(DAY)) == ()
    assert await store.slots.untold("daily", after(DAY)) == (left,)
    assert not await store.slots.done("daily", MINUTE, "worker", after(62))


async def test_a_schedule_begins_once_and_goes_on_from_its_last_slot(store: Store) -> None:
    assert await store.slots.last("daily", after(1)) is None
    await store.slots.begin("daily", after(5))
    await store.slots.begin("daily", after(9))
    assert await store.slots.last("daily", after(9)) == after(5)
    await store.slots.begin("daily", after(2))  # the clock was wrong by three seconds
    assert await store.slots.last("daily", after(9)) == after(2)
    assert await claim(store, NEXT, "worker", after(DAY))
    assert await store.slots.last("daily", after(2 * DAY)) == after(DAY)
    assert await store.slots.last("daily", after(DAY - 1)) == after(2)
    assert await store.slots.done("daily", NEXT, "worker", after(DAY))
    assert await claim(store, "2027-03-30T09:00[UTC]", "somebody's clock is wrong", after(365 * DAY))
    assert await store.slots.last("daily", after(2 * DAY)) == after(DAY)


async def test_how_a_schedule_fares_is_remembered(store: Store) -> None:
    for number, failure in enumerate(("", "Slack refused it", "Slack refused it again", "")):
        at = after(number * 100)
        assert await store.slots.claim("daily", f"m{number}", "worker", at, 60, due_at=at)
        assert await store.slots.done("daily", f"m{number}", "worker", at, failure=failure)
    standing = Standing(
        begun_at=NOW, succeeded_at=after(300), failed_at=after(200), failures=2, failure="Slack refused it again"
    )
    assert await store.slots.standings(["daily", "other"]) == {"daily": standing}


async def test_what_is_gone_is_resolved_and_what_comes_back_begins_anew(store: Store) -> None:
    await saw(store, ["a", "b"])
    await saw(store, ["a"], cluster="stage", at=after(5))
    assert await store.seen.snooze("daily", "prod", "a", Snooze(until=after(9999), by=ALICE, reason="x"))
    await saw(store, ["b", "c", "c"], gone=["a"], at=after(10))
    assert await store.seen.sightings("daily", "prod") == {
        "b": Sighting(key="b", first_seen=NOW, last_seen=after(10)),
        "c": Sighting(key="c", first_seen=after(10), last_seen=after(10)),
    }
    assert await keys(store, "stage") == ["a"]
    await saw(store, ["a", "b"], at=after(20))
    again = (await store.seen.sightings("daily", "prod"))["a"]
    assert again == Sighting(key="a", first_seen=after(20), last_seen=after(20)), "and nobody snoozed this one"


async def test_what_could_not_be_read_is_not_gone(store: Store) -> None:
    await saw(store, ["a", "b"])
    await saw(store, ["b"], at=after(10))
    assert await keys(store) == ["a", "b"]
    await saw(store, [], gone=["a", "b", "never seen"], at=after(20))
    assert await keys(store) == []


async def test_thousands_at_once(store: Store) -> None:
    many = [f"Secret/shop/token-{number:05}" for number in range(3500)]
    await saw(store, many)
    await saw(store, many[2500:], gone=many[:2500], at=after(10))
    assert await keys(store) == many[2500:]


async def test_a_snooze_says_who_why_and_until_when(store: Store) -> None:
    await saw(store, ["a"])
    first = Snooze(until=after(60), by=ALICE, reason="known")
    assert not await store.seen.snooze("daily", "prod", "b", first)
    assert await store.seen.snooze("daily", "prod", "a", first)
    second = Snooze(until=after(90), by=BOB, reason="rotated on Monday", acknowledged=True)
    assert await store.seen.snooze("daily", "prod", "a", second)
    await saw(store, ["a"], at=after(10))
    found = (await store.seen.sightings("daily", "prod"))["a"]
    assert (found.snooze, found.first_seen) == (second, NOW)
    assert found.is_quiet(after(89))
    assert not found.is_quiet(after(90))
    assert await store.seen.snoozes("daily", after(89)) == {("prod", "a"): second}
    assert await store.seen.snoozes("daily", after(90)) == {}
    assert await store.seen.snooze("daily", "prod", "a", None)
    assert (await store.seen.sightings("daily", "prod"))["a"].snooze is None


async def test_a_record_is_whole_or_nothing_and_once(store: Store) -> None:
    assert await claim(store, MINUTE, "worker", NOW)
    look = Look(cluster="prod", at=NOW, complete=True, found=("a",), gone=(), tallies={})
    refused = store.digests.record("daily", MINUTE, "thief", at=NOW, looks=[look], digests=[], told=[])
    assert not await refused
    assert await keys(store) == []
    assert await store.digests.figures(["daily"]) == ()
    id_ = await saw(store, ["a"], at=after(100))
    (kept,) = await store.digests.recorded("daily", after(100).isoformat())
    assert (kept.id, kept.channel, kept.is_told, kept.pages) == (id_, "C1", True, {})
    assert kept.digest is not None
    assert kept == await store.digests.get(id_)
    assert await store.digests.get("none") is None


async def test_pages_are_noted_before_and_after_they_are_posted(store: Store) -> None:
    id_ = await saw(store, ["a"])
    assert await store.digests.trying(id_, 0) == 1
    assert await store.digests.trying(id_, 0) == 2
    assert await store.digests.trying(id_, 1) == 1
    assert await store.digests.posted(id_, 0, "1.0")
    assert await store.digests.posted(id_, 0, "1.0")
    assert not await store.digests.posted(id_, 0, "2.0"), "another message stands there"
    kept = await store.digests.get(id_)
    assert kept is not None
    assert kept.pages == {0: "1.0"}


async def test_the_trend_is_a_channel_s_own_and_survives_a_restart(store: Store) -> None:
    for number in range(5):
        await saw(store, ["a"] * number, at=after(number * 100))
    await saw(store, ["a"], cluster="stage", at=after(1000))
    history = await store.digests.history("daily", "C1", limit=3)
    assert [sum(point.totals.kinds.values()) for point in history["prod"]] == [2, 3, 4]
    assert [point.at for point in history["prod"]] == [after(200), after(300), after(400)]
    assert len(history["stage"]) == 1
    assert await store.digests.history("daily", "C2", limit=3) == {}
    assert await store.digests.looked_at("daily") == {"prod": after(400), "stage": after(1000)}
    assert await store.digests.looked_at("other") == {}
    figures = await store.digests.figures(["daily", "other"])
    assert [(one.cluster, one.at, one.complete) for one in figures] == [
        ("prod", after(400), True),
        ("stage", after(1000), True),
    ]
    assert figures[0].tallies == {"shop": Tally(kinds={ItemKind.LEGACY_SECRET: 4})}


async def test_an_old_digest_gives_its_room_back(store: Store) -> None:
    first = await saw(store, ["a"])
    week = timedelta(days=7).total_seconds()
    await saw(store, ["a"], at=after(week))
    kept = await store.digests.get(first)
    assert kept is not None
    assert kept.digest is not None
    await saw(store, ["a"], at=after(week + 1))
    kept = await store.digests.get(first)
    assert kept is not None
    assert (kept.digest, kept.is_told) == (None, True)
