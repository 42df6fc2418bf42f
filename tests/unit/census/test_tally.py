"""Counts are exact, items are bounded, and it makes no difference in what order or in which pages things come."""

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.census.aspects import Aspect
from bot.census.reading import Pass, UnsortedError
from bot.census.scope import Scope
from bot.census.sources import Batch
from bot.census.tally import Seen, Tallying
from bot.census.unread import told
from bot.kube.gaps import DeniedError, UnavailableError
from bot.model import Item, ItemKind, Rule, Severity
from tests.unit import jwts
from tests.unit.census.world import FACTS, World, account, counted, day, kinds, pod, projected, secret, token_secret


def item(seen: Seen) -> Item:
    return Item(
        kind=seen.kind,
        namespace="shop",
        object_kind=seen.object_kind,
        name=seen.name,
        severity=seen.severity,
        why="",
        next_step="",
    )


def seen(name: str, severity: Severity = Severity.WARNING) -> Seen:
    return Seen(kind=ItemKind.MANUAL_SECRET, name=name, severity=severity, make=item)


@given(st.permutations(range(60)), st.integers(1, 70))
def test_the_most_urgent_are_kept_and_all_are_counted(order: list[int], most: int) -> None:
    tally = Tallying(most)
    for number in order:
        tally.add("shop", seen(f"{number:03}", Severity.CRITICAL if number % 7 == 3 else Severity.WARNING))
    kept = [(found.severity.rank, found.name) for found in tally.items()]
    whole = sorted((0 if number % 7 == 3 else 1, f"{number:03}") for number in range(60))
    assert kept == whole[:most]
    assert tally.left_out() == ({ItemKind.MANUAL_SECRET: 60 - most} if most < 60 else {})
    assert tally.tallies()["shop"].kinds == {ItemKind.MANUAL_SECRET: 60}


def test_an_item_that_is_not_kept_is_never_made() -> None:
    made = []

    def make(one: Seen) -> Item:
        made.append(one.name)
        return item(one)

    tally = Tallying(10)
    for number in range(10_000):
        tally.add("shop", Seen(kind=ItemKind.MANUAL_SECRET, name=f"{number:05}", severity=Severity.INFO, make=make))
    assert len(made) == 20


NAMESPACES = ("a-b", "a", "ab", "b", "shop")
"""In the order of lists, whose keys have a slash after the namespace."""


def full_world() -> World:
    """Each kind of thing, in namespaces whose names sort in two ways."""
    found = World(data=[])
    assert found.data is not None
    for place in NAMESPACES:
        used: dict[str, Any] = {"volumes": [{"name": "t", "secret": {"secretName": "mounted"}}]}
        found.accounts += [account(namespace=place, secrets=["mounted", "unused"]), account("default", namespace=place)]
        found.token_secrets += [
            token_secret("mounted", namespace=place),
            token_secret("unused", namespace=place, last_used=day(200)),
            token_secret("orphan", namespace=place, of="gone"),
            token_secret("empty", namespace=place, filled=False),
        ]
        found.pods += [pod(f"checkout-5d9c7b8f6d-{number}", namespace=place, **used) for number in range(5)]
        found.pods.append(pod("single", namespace=place, owner=None, **projected(600, sub_path="token")))
        found.pods.append(pod("idle", namespace=place, owner=None, serviceAccountName="default", **projected()))
        found.data.append(secret("copy", {"t": jwts.token(jwts.LEGACY)}, namespace=place))
    return found


WORLD = full_world()


@settings(deadline=None, max_examples=60)
@given(
    st.dictionaries(st.sampled_from(list(Aspect)), st.integers(1, 50), min_size=4),
    st.sampled_from([("*",), ("a*",), ("shop", "b"), ("nothing*",)]),
    st.booleans(),
    st.booleans(),
)
async def test_pages_of_any_size_of_whole_or_single_lists_give_the_same(
    pages: dict[Aspect, int],
    patterns: tuple[str, ...],
    is_wide: bool,  # noqa: FBT001  # hypothesis gives it by place
    hold: bool,  # noqa: FBT001  # the same
) -> None:
    names = tuple(filter(Scope(patterns=patterns, names=None, is_wide=True).wants, NAMESPACES))
    scope = Scope(patterns=patterns, names=names, is_wide=is_wide)
    this = Pass(FACTS, scope, most=500, hold=hold, monotonic=lambda: 0.0, progress=None)
    await this.read({aspect: WORLD.batches(aspect, pages[aspect], scope) for aspect in Aspect})
    other = await counted(WORLD, scope=Scope(patterns=patterns, names=None, is_wide=True))
    assert this.tally.items() == other.tally.items()
    assert this.tally.tallies() == other.tally.tallies()
    assert (this.scanned.pods, this.scanned.secrets) == (other.scanned.pods, other.scanned.secrets)
    assert this.tally.left_out() == {}


@settings(deadline=None, max_examples=30)
@given(st.permutations(list(Aspect)), st.randoms(use_true_random=False), st.integers(1, 9))
async def test_objects_in_any_order_give_the_same_where_nothing_is_forgotten_meanwhile(
    aspects: list[Aspect], random: Random, page: int
) -> None:
    async def shuffled(aspect: Aspect) -> Any:  # noqa: ANN401  # a generator of batches
        objects = WORLD.of(aspect)
        random.shuffle(objects)
        for start in range(0, len(objects), page):
            batch = tuple(objects[start : start + page])
            yield Batch(f"{batch[-1].metadata.namespace}/", batch)

    scope = Scope(patterns=("*",), names=None, is_wide=True)
    this = Pass(FACTS, scope, most=500, hold=True, monotonic=lambda: 0.0, progress=None)
    await this.read({aspect: shuffled(aspect) for aspect in aspects})
    assert this.tally.items() == (await counted(WORLD)).tally.items()


async def test_a_list_that_comes_back_is_noticed() -> None:
    async def unsorted(aspect: Aspect) -> Any:  # noqa: ANN401  # a generator of batches
        for one in reversed(WORLD.of(aspect)):
            yield Batch(f"{one.metadata.namespace}/", (one,))

    scope = Scope(patterns=("*",), names=None, is_wide=True)
    this = Pass(FACTS, scope, most=500, hold=False, monotonic=lambda: 0.0, progress=None)
    with pytest.raises(UnsortedError):
        await this.read({aspect: unsorted(aspect) for aspect in Aspect})


async def test_what_was_counted_is_forgotten() -> None:
    """However many namespaces there are, no more are held than the lists' pages reach into."""
    names = [f"n{number:03}" for number in range(300)]
    found = World()
    for place in names:
        found.accounts += [account(namespace=place), account("default", namespace=place)]
        found.token_secrets += [token_secret(f"t{number}", namespace=place) for number in range(5)]
        found.pods += [pod(f"checkout-5d9c7b8f6d-{number}", namespace=place) for number in range(3)]
    scope = Scope(patterns=("*",), names=None, is_wide=True)
    this = Pass(FACTS, scope, most=10, hold=False, monotonic=lambda: 0.0, progress=lambda _: held.append(this.held))
    held: list[int] = []
    await this.read({aspect: found.batches(aspect, 10, scope) for aspect in Aspect if aspect is not Aspect.DATA})
    assert max(held) <= 6
    assert held[-1] == 0
    assert this.scanned.token_secrets == 1500
    assert len(this.tally.items()) == 10


async def test_each_object_is_what_it_is() -> None:
    assert await kinds(WORLD) == {
        "mounted": ItemKind.MANUAL_SECRET,
        "unused": ItemKind.MANUAL_SECRET,
        "orphan": ItemKind.ORPHANED_SECRET,
        "empty": ItemKind.UNFILLED_SECRET,
        "single": ItemKind.SUBPATH_MOUNT,
        "idle": ItemKind.DEFAULT_ACCOUNT,
        "copy": ItemKind.EMBEDDED_TOKEN,
    }


async def test_a_list_that_breaks_off_leaves_what_was_read_and_is_told() -> None:
    found = full_world()
    found.broken[Aspect.PODS] = UnavailableError("the connection broke off")
    scope = Scope(patterns=("*",), names=NAMESPACES, is_wide=True)
    this = await counted(found, page=8, scope=scope)
    # The first page of pods reaches into the second namespace: only the first is complete.
    unused = [one.namespace for one in this.tally.items() if one.name == "unused" and one.offers]
    assert unused == ["a-b"]
    assert len([one for one in this.tally.items() if one.name == "unused"]) == 5
    (line,) = told(Aspect.PODS, this.troubles[Aspect.PODS], scope)
    assert (line.what, line.reason, line.count) == ("pods", "the connection broke off", 4)
    assert line.namespaces == ("a", "ab", "b", "shop")
    assert ItemKind.SUBPATH_MOUNT in line.kinds


async def test_namespaces_that_may_not_be_read_are_counted_and_named() -> None:
    found = full_world()
    denied = DeniedError(Rule(verb="list", resource="secrets", namespace="x"))
    for place in ("", "a", "b", "shop"):
        found.unread[Aspect.TOKEN_SECRETS, place] = denied
    scope = Scope(patterns=("*",), names=NAMESPACES, is_wide=True)
    this = await counted(found, scope=scope)
    assert {one.namespace for one in this.tally.items() if one.name == "unused"} == {"a-b", "ab"}
    (line,) = told(Aspect.TOKEN_SECRETS, this.troubles[Aspect.TOKEN_SECRETS], scope)
    assert line.reason == "token-doctor may not list secrets"
    assert (line.count, line.namespaces) == (3, ("a", "b", "shop"))
    assert 'resources: ["secrets"], verbs: ["list"]' in line.mend
    assert "ClusterRole" in line.mend
    assert this.scanned.namespaces == 5


async def test_at_most_twenty_namespaces_are_named() -> None:
    names = tuple(f"n{number:03}" for number in range(100))
    found = World(accounts=[account(namespace=name) for name in names])
    denied = DeniedError(Rule(verb="list", resource="pods", namespace="x"))
    found.unread = {(Aspect.PODS, place): denied for place in ("", *names[10:])}
    scope = Scope(patterns=("*",), names=names, is_wide=True)
    (line,) = told(Aspect.PODS, (await counted(found, scope=scope)).troubles[Aspect.PODS], scope)
    assert (line.count, len(line.namespaces)) == (90, 20)
    assert line.may_be_of("n099")
    assert line.may_be_of("n000"), "not all are named"
