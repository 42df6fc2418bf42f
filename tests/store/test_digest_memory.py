"""Slots are claimed once; what digests saw is known again, found gone, and snoozed."""

from bot.store import Item, Store
from tests.store.samples import ALICE, BOB, NOW, after

MINUTE = "2026-03-29T09:00"


async def keys(store: Store) -> list[str]:
    return [item.key for item in await store.seen.items("daily", "prod")]


async def test_a_slot_is_claimed_once_and_again_only_after_its_lease(store: Store) -> None:
    assert await store.slots.claim("daily", MINUTE, "worker-1", NOW, 60)
    assert not await store.slots.claim("daily", MINUTE, "worker-2", after(59), 60)
    assert await store.slots.claim("weekly", MINUTE, "worker-2", after(59), 60)
    assert await store.slots.claim("daily", MINUTE, "worker-2", after(60), 60)
    assert not await store.slots.done("daily", MINUTE, "worker-1", after(61))
    assert await store.slots.done("daily", MINUTE, "worker-2", after(62))
    assert not await store.slots.claim("daily", MINUTE, "worker-3", after(10_000), 60)
    assert not await store.slots.done("daily", MINUTE, "worker-2", after(63))


async def test_a_missed_slot_is_noted_once_and_never_claimed(store: Store) -> None:
    assert await store.slots.missed("daily", MINUTE, NOW)
    assert not await store.slots.missed("daily", MINUTE, NOW)
    assert not await store.slots.claim("daily", MINUTE, "worker", after(10_000), 60)
    assert await store.slots.claim("daily", "2026-03-30T09:00", "worker", after(10_000), 60)
    assert not await store.slots.missed("daily", "2026-03-30T09:00", NOW)
    assert await store.slots.last("daily") == "2026-03-30T09:00"
    assert await store.slots.last("hourly") == ""


async def test_what_is_gone_is_resolved_and_what_comes_back_begins_anew(store: Store) -> None:
    await store.seen.record("daily", "prod", ["a", "b"], NOW)
    await store.seen.record("daily", "stage", ["a"], NOW)
    await store.seen.record("daily", "prod", ["b", "c", "c"], after(10))
    assert await store.seen.items("daily", "prod") == (
        Item(key="b", first_seen=NOW, last_seen=after(10)),
        Item(key="c", first_seen=after(10), last_seen=after(10)),
    )
    assert await store.seen.items("daily", "prod", resolved_since=after(10)) == (
        Item(key="a", first_seen=NOW, last_seen=NOW, resolved_at=after(10)),
    )
    assert await store.seen.items("daily", "prod", resolved_since=after(11)) == ()
    assert len(await store.seen.items("daily", "stage")) == 1
    await store.seen.record("daily", "prod", ["a", "b"], after(20))
    assert (await store.seen.items("daily", "prod"))[0] == Item(key="a", first_seen=after(20), last_seen=after(20))


async def test_what_could_not_be_read_is_not_gone(store: Store) -> None:
    await store.seen.record("daily", "prod", ["a", "b"], NOW)
    await store.seen.record("daily", "prod", ["b"], after(10), complete=False)
    assert await keys(store) == ["a", "b"]
    await store.seen.record("daily", "prod", [], after(20))
    assert await keys(store) == []


async def test_thousands_at_once(store: Store) -> None:
    many = [f"Secret/shop/token-{number:05}" for number in range(3500)]
    await store.seen.record("daily", "prod", many, NOW)
    await store.seen.record("daily", "prod", many[1:], after(10))
    assert await keys(store) == many[1:]


async def test_a_snooze_says_who_why_and_until_when(store: Store) -> None:
    await store.seen.record("daily", "prod", ["a"], NOW)
    assert not await store.seen.snooze("daily", "prod", "b", until=after(60), by=ALICE, reason="")
    assert await store.seen.snooze("daily", "prod", "a", until=after(60), by=ALICE, reason="known")
    assert await store.seen.snooze("daily", "prod", "a", until=after(90), by=BOB, reason="rotated on Monday")
    await store.seen.record("daily", "prod", ["a"], after(10))
    (item,) = await store.seen.items("daily", "prod")
    assert item.snooze is not None
    assert (item.snooze.until, item.snooze.by, item.snooze.reason) == (after(90), BOB, "rotated on Monday")
    assert item.first_seen == NOW
    assert item.is_quiet(after(89))
    assert not item.is_quiet(after(90))
