"""What is new, due, gone and snoozed; and that each channel is told exactly its own part of it."""

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.digest import routing
from bot.digest.comparison import Comparison, Unreached, compare
from bot.digest.slots import Slot
from bot.digest.tallies import OTHER, bounded, total
from bot.digest.telling import Memory, tell
from bot.model import Digest, Inventory, Item, ItemKind, Person, Sighting, Snooze, Tally, TrendPoint
from tests.unit.digest.samples import MAIN, NOW, OPS, ROUTES, SHOP, counted, denied, inventory, item, schedule, sighting

YESTERDAY = NOW - timedelta(days=1)
ALICE = Person(id="U0ALICE00", name="alice")
SLOT = Slot(minute="2026-08-03T11:00", zone="Europe/Berlin", at=NOW)


def compared(found: Inventory, *known: Sighting, first: bool = False) -> Comparison:
    return compare(found, {one.key: one for one in known}, last=None if first else YESTERDAY)


def names(items: tuple[Item, ...]) -> list[str]:
    return [one.name for one in items]


def snoozed(one: Item, *, hours: float) -> Sighting:
    snooze = Snooze(until=NOW + timedelta(hours=hours), by=ALICE, reason="known", acknowledged=True)
    return replace(sighting(one), snooze=snooze)


def test_the_first_digest_calls_nothing_new() -> None:
    soon, never = item("soon", days=3), item("never")
    digest = compared(inventory([soon, never]), first=True).digest
    assert (digest.new, names(digest.due), names(digest.rest)) == ((), ["soon"], ["never"])
    assert digest.is_first
    assert not digest.is_quiet


def test_new_due_and_known_are_told_apart() -> None:
    due, late, never = item("due", days=3), item("late", days=30), item("never")
    new, new_and_due = item("new"), item("new and due", days=-1)
    found = inventory([new_and_due, due, late, never, new])
    comparison = compared(found, *map(sighting, (due, late, never)))
    assert names(comparison.digest.new) == ["new and due", "new"]
    assert names(comparison.digest.due) == ["due"]
    assert names(comparison.digest.rest) == ["late", "never"]
    assert set(comparison.found) == {one.key for one in found.items}
    assert comparison.gone == ()


def test_a_snooze_holds_until_it_lapses_and_that_is_told_once() -> None:
    one = item("due", days=3)
    for hours, at, part in ((1, 0, "snoozed"), (0, 0, "lapsed"), (-1, 0, "lapsed"), (-25, 0, "due")):
        digest = compared(inventory([one], at=NOW + timedelta(hours=at)), snoozed(one, hours=hours)).digest
        parts = {name: getattr(digest, name) for name in ("new", "due", "lapsed", "snoozed", "rest")}
        assert [name for name, items in parts.items() if items] == [part]
    held = compared(inventory([one]), snoozed(one, hours=1)).digest
    assert held.is_quiet
    assert held.snoozed[0].snooze.reason == "known"
    assert counted(held.totals) == 1
    assert not compared(inventory([one]), snoozed(one, hours=0)).digest.is_quiet


@pytest.mark.parametrize(
    ("gaps", "left_out", "namespaces", "gone"),
    [
        ((), {}, ("*",), ["a", "b"]),
        ((denied("shop"),), {}, ("*",), ["b"]),
        ((denied("shop", kinds=(ItemKind.EMBEDDED_TOKEN,)),), {}, ("*",), ["a", "b"]),
        ((denied("elsewhere", count=30),), {}, ("*",), []),
        ((denied(),), {}, ("*",), []),
        ((replace(denied(), by_choice=True),), {}, ("*",), []),
        ((), {ItemKind.LEGACY_SECRET: 1}, ("*",), []),
        ((), {ItemKind.MANUAL_SECRET: 1}, ("*",), ["a", "b"]),
        ((), {}, ("ops", "dev-*"), ["b"]),
    ],
)
def test_only_what_would_have_been_seen_is_gone(
    gaps: tuple[object, ...], left_out: dict[ItemKind, int], namespaces: tuple[str, ...], gone: list[str]
) -> None:
    known = [sighting(item("a")), sighting(item("b", namespace="ops"), days_ago=9)]
    found = inventory([], unscanned=gaps, left_out=left_out, namespaces=namespaces)  # type: ignore[arg-type]  # pytest's table
    comparison = compared(found, *known)
    assert [one.name for one in comparison.digest.resolved] == gone
    assert list(comparison.gone) == [one.key for one in known if one.key.split("/")[3] in gone]
    for one in comparison.digest.resolved:
        assert one.first_seen == NOW - timedelta(days=1 if one.name == "a" else 9)


def test_a_place_with_slashes_and_an_unknown_kind_of_a_newer_version() -> None:
    one = replace(item("a"), place="data/config/x")
    strange = Sighting(key="colour/shop/Secret/b/", first_seen=YESTERDAY, last_seen=YESTERDAY)
    comparison = compared(inventory([]), sighting(one), strange)
    assert [(gone.name, gone.place) for gone in comparison.digest.resolved] == [("a", "data/config/x")]
    assert comparison.gone == (one.key,)


def test_what_failed_to_be_read_keeps_no_digest_quiet() -> None:
    quiet = compared(inventory([])).digest
    assert quiet.is_quiet
    assert not compared(inventory([], unscanned=(denied("shop"),))).digest.is_quiet
    assert compared(inventory([], unscanned=(replace(denied(), by_choice=True),))).digest.is_quiet
    assert not replace(quiet, unreachable="It is down.").is_quiet


def told(
    found: list[Comparison | Unreached], *, memory: Memory | None = None, missed: tuple[str, ...] = (), **also: object
) -> dict[str, tuple[Digest, bool]]:
    ids = iter(range(100))
    made = tell(
        schedule(routes=ROUTES, **also),
        found,
        memory or Memory(),
        slot=SLOT,
        missed=missed,
        at=NOW,
        next_at=None,
        new_id=lambda: f"id{next(ids)}",
    )
    return {digest.channel: (digest, is_told) for digest, is_told in made}


def everything(digest: Digest) -> Counter[str]:
    return Counter(one.key for cluster in digest.clusters for one in routing.items(cluster))


NAMESPACES = st.sampled_from(["shop", "shop-9", "shop-a", "ops", "dev", "other"])


@given(
    st.lists(st.tuples(NAMESPACES, st.sampled_from(ItemKind), st.none() | st.integers(-30, 60)), max_size=25), st.data()
)
def test_each_item_is_told_in_exactly_one_channel_and_once_there(
    rows: list[tuple[str, ItemKind, int | None]], data: st.DataObject
) -> None:
    items = [item(f"s{n}", namespace=where, kind=kind, days=days) for n, (where, kind, days) in enumerate(rows)]
    known = data.draw(st.lists(st.sampled_from(items), unique_by=lambda one: one.key)) if items else []
    sightings = [
        snoozed(one, hours=data.draw(st.sampled_from([-30, -1, 5]))) if len(one.name) % 2 else sighting(one)
        for one in known
    ]
    gone = [sighting(item(f"gone{n}", namespace=data.draw(NAMESPACES))) for n in range(data.draw(st.integers(0, 4)))]
    channels = told([compared(inventory(items), *sightings, *gone)])
    assert list(channels) == [MAIN, SHOP, OPS]
    parts = [everything(digest) for digest, _ in channels.values()]
    assert sum(parts, Counter()) == Counter(one.key for one in items)
    assert max(sum(parts, Counter()).values(), default=1) == 1
    resolved = [one.name for digest, _ in channels.values() for one in digest.clusters[0].resolved]
    assert sorted(resolved) == sorted(one.key.split("/")[3] for one in gone)
    for channel, (digest, _) in channels.items():
        here = [one for one in items if routing.channel_of(schedule(routes=ROUTES), one.namespace) == channel]
        assert counted(digest.clusters[0].totals) == len(here) == sum(everything(digest).values())
        assert sum(digest.elsewhere.values()) == len(items) - len(here)


def test_the_first_route_that_fits_wins() -> None:
    rules = schedule(routes=ROUTES)
    where = {name: routing.channel_of(rules, name) for name in ("shop", "shop-9", "ops", "ops-2")}
    assert where == {"shop": SHOP, "shop-9": SHOP, "ops": OPS, "ops-2": MAIN}
    assert routing.covered(("pro*", "stage"), ("prod", "prod-2", "stage", "dev")) == ("prod", "prod-2", "stage")


def test_what_could_not_be_read_is_told_where_it_may_matter() -> None:
    shop, many = denied("shop"), denied("shop", count=30)
    channels = told([compared(inventory([], unscanned=(shop, many)))])
    unscanned = {channel: digest.clusters[0].unscanned for channel, (digest, _) in channels.items()}
    assert unscanned == {MAIN: (shop, many), SHOP: (shop, many), OPS: (many,)}
    down = told([Unreached(cluster="prod", at=NOW, why="It is down.", mend="Start it.")])
    assert [(digest.clusters[0].unreachable, is_told) for digest, is_told in down.values()] == [
        ("It is down.", True)
    ] * 3


def test_what_is_left_out_is_shared_out() -> None:
    items = [item("a"), item("b", namespace="dev")]
    found = replace(inventory(items, left_out={ItemKind.LEGACY_SECRET: 3}), tallies={
        "shop": Tally(kinds={ItemKind.LEGACY_SECRET: 4}), "dev": Tally(kinds={ItemKind.LEGACY_SECRET: 1})})  # fmt: skip
    channels = told([compared(found)])
    left = {channel: digest.clusters[0].left_out for channel, (digest, _) in channels.items()}
    assert left == {MAIN: {}, SHOP: {ItemKind.LEGACY_SECRET: 3}, OPS: {}}


def quiet_one(**also: object) -> dict[str, tuple[Digest, bool]]:
    one = item("never", namespace="dev")
    return told([compared(inventory([one]), sighting(one))], **also)  # type: ignore[arg-type]  # told's own


def test_nothing_changed_and_nothing_due_is_quiet_but_for_a_heartbeat() -> None:
    def last(days: float) -> Memory:
        return Memory(last_told=dict.fromkeys((MAIN, SHOP, OPS), NOW - timedelta(days=days)))

    assert {is_told for _, is_told in quiet_one(memory=last(1)).values()} == {False}
    assert {is_told for _, is_told in quiet_one(memory=last(6)).values()} == {False}
    # Seven days but for some seconds are seven days.
    beat, is_told = quiet_one(memory=last(6.999))[MAIN]
    assert (beat.heartbeat, is_told, beat.quiet_since) == (True, True, NOW - timedelta(days=6.999))
    assert {digest.heartbeat for digest, _ in quiet_one().values()} == {True}
    loud = quiet_one(memory=last(1), quiet=False)
    assert {(digest.heartbeat, is_told) for digest, is_told in loud.values()} == {(False, True)}


def test_a_missed_slot_is_told_everywhere_at_most_twenty_by_name() -> None:
    missed = tuple(f"2026-08-02T{hour:02}:00" for hour in range(24))
    for digest, is_told in quiet_one(missed=missed, memory=Memory(last_told={MAIN: YESTERDAY})).values():
        assert is_told
        assert (digest.missed, digest.missed_count) == (missed[-20:], 24)
    only = told([], missed=missed[:1])
    assert {(digest.clusters, is_told) for digest, is_told in only.values()} == {((), True)}


def test_the_trend_goes_on_from_what_the_channel_was_told() -> None:
    before = TrendPoint(at=YESTERDAY, totals=Tally(kinds={ItemKind.LEGACY_SECRET: 9}))
    memory = Memory(history={SHOP: {"prod": (before,), "stage": (before, before)}})
    channels = told([compared(inventory([item("a")], unscanned=(denied("ops"),)))], memory=memory)
    trend = channels[SHOP][0].clusters[0].trend
    assert trend == (before, TrendPoint(at=NOW, totals=Tally(kinds={ItemKind.LEGACY_SECRET: 1}), complete=True))
    assert [point.complete for point in channels[MAIN][0].clusters[0].trend] == [False]


def test_counts_are_bounded_and_none_is_lost() -> None:
    tallies = {f"ns{n}": Tally(kinds={ItemKind.LEGACY_SECRET: n + 1}) for n in range(60)}
    tallies[OTHER] = Tally(kinds={ItemKind.LEGACY_SECRET: 1000})
    kept = bounded(tallies)
    assert len(kept) == 51
    assert "ns9" not in kept
    assert "ns10" in kept
    assert total(kept.values()) == total(tallies.values())
    assert kept[OTHER].kinds == {ItemKind.LEGACY_SECRET: 1000 + sum(range(1, 11))}
    assert bounded({OTHER: Tally()}) == {OTHER: Tally()}
