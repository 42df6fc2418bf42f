"""A digest on demand: what the channel's schedule has seen is known, what it has not is not called new."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest

from bot.census import Progress
from bot.delivery.demand import Demand
from bot.delivery.demand import only as only_these
from bot.errors import ClusterUnreachableError
from bot.lease import Clock
from bot.model import WINDOW, Due, Inventory, ItemKind, Person, Scanned, Snooze, Tally
from bot.store import Store
from demo.slack import people as p
from tests.store.conftest import Address
from tests.store.digesting import Scene, daily, names, opened
from tests.unit.digest.samples import denied, inventory, item

LEGACY = frozenset({ItemKind.LEGACY_SECRET})


@pytest.fixture
async def scene(address: Address) -> AsyncIterator[Scene]:
    async with opened(address) as found:
        yield found


def demand(scene: Scene, store: Store | None, **also: object) -> Demand:
    clock = Clock(now=lambda: scene.at, monotonic=lambda: 0.0, sleep=asyncio.sleep)
    return Demand(scene.census, [daily(**also)], store=store, clock=clock, new_id=lambda: "on-demand")


async def test_it_knows_what_the_channel_was_told_and_remembers_nothing(scene: Scene) -> None:
    await scene.begun(daily())
    scene.items.append(item("new"))
    asked = demand(scene, scene.store)
    await asked.digest(clusters=["prod"], namespaces=("*",), channel=p.INCIDENT)
    digest = await asked.digest(clusters=["prod"], namespaces=("*",), channel=p.INCIDENT)
    (cluster,) = digest.clusters
    assert (names(cluster.new), names(cluster.rest)) == (["new"], ["old"])
    assert (digest.schedule, digest.minute, digest.timezone) == ("daily", "", "Europe/Berlin")
    assert [sum(point.totals.kinds.values()) for point in cluster.trend] == [1, 2]
    assert len(scene.posted()) == 1
    await scene.store.digests.keep(digest)
    kept = await scene.store.digests.get("on-demand")
    assert kept is not None
    assert kept.digest == digest
    assert await scene.store.digests.last_told("daily") == {p.INCIDENT: scene.at - timedelta(hours=1)}


async def test_a_snooze_holds_here_too(scene: Scene) -> None:
    await scene.begun(daily())
    snooze = Snooze(until=scene.at + timedelta(days=1), by=Person(id="U1", name="a"), reason="known")
    assert await scene.store.seen.snooze("daily", "prod", scene.items[0].key, snooze)
    digest = await demand(scene, scene.store).digest(clusters=["prod"], namespaces=("*",), channel=p.INCIDENT)
    assert [one.snooze for one in digest.clusters[0].snoozed] == [snooze]


@pytest.mark.parametrize(
    ("channel", "clusters", "schedule"),
    [(p.APPROVALS, ["prod"], ""), (p.INCIDENT, ["stage"], ""), (p.INCIDENT, ["stage", "prod"], "daily")],
)
async def test_another_channel_or_cluster_has_no_memory(
    scene: Scene, channel: str, clusters: list[str], schedule: str
) -> None:
    await scene.begun(daily(clusters=["prod"]))
    scene.items.append(item("new"))
    digest = await demand(scene, scene.store, clusters=["prod"]).digest(
        clusters=clusters, namespaces=("*",), channel=channel
    )
    assert digest.schedule == schedule
    for cluster in digest.clusters:
        assert cluster.is_first == (not schedule or cluster.cluster != "prod")
        assert names(cluster.new) == ([] if cluster.is_first else ["new"])
        assert cluster.resolved == ()
        assert len(cluster.trend) == (1 if cluster.is_first else 2)


async def test_what_the_schedule_does_not_watch_is_not_new_and_a_part_has_no_trend(scene: Scene) -> None:
    await scene.begun(daily(namespaces=["shop"]))
    scene.items += [item("new"), item("elsewhere", namespace="ops")]
    asked = demand(scene, scene.store, namespaces=["shop"])
    everywhere = (await asked.digest(clusters=["prod"], namespaces=("*",), channel=p.INCIDENT)).clusters[0]
    assert (names(everywhere.new), names(everywhere.rest)) == (["new"], ["old", "elsewhere"])
    assert len(everywhere.trend) == 1
    whole = (await asked.digest(clusters=["prod"], namespaces=("shop",), channel=p.INCIDENT)).clusters[0]
    assert len(whole.trend) == 2


async def test_of_some_kinds_only_these_are_counted_and_no_other_is_called_gone(scene: Scene) -> None:
    scene.items = [item("old"), item("token", kind=ItemKind.EMBEDDED_TOKEN, days=3)]
    await scene.begun(daily())
    digest = await demand(scene, scene.store).digest(
        clusters=["prod"], namespaces=("*",), channel=p.INCIDENT, kinds=LEGACY
    )
    (cluster,) = digest.clusters
    assert names(cluster.rest) == ["old"]
    assert cluster.resolved == ()
    assert cluster.totals == Tally(kinds={ItemKind.LEGACY_SECRET: 1})
    assert len(cluster.trend) == 1


def test_of_some_kinds_everything_else_is_left_out() -> None:
    soon, late = item("soon", days=3), item("later", days=30)
    token = item("token", kind=ItemKind.EMBEDDED_TOKEN, days=3)
    gaps = (denied("ops", kinds=(ItemKind.EMBEDDED_TOKEN,)), denied("dev", kinds=(ItemKind.LEGACY_SECRET,)))
    left_out = {ItemKind.LEGACY_SECRET: 2, ItemKind.EMBEDDED_TOKEN: 3}
    found = only_these(inventory([soon, late, token], unscanned=gaps, left_out=left_out), LEGACY)
    assert names(found.items) == ["soon", "later"]
    assert found.tallies == {"shop": Tally(kinds={ItemKind.LEGACY_SECRET: 2}, due={Due.WEEK: 1, Due.LATER: 1})}
    assert (found.left_out, found.unscanned) == ({ItemKind.LEGACY_SECRET: 2}, gaps[1:])


async def test_without_a_store_it_still_answers_and_says_how_far_it_is(scene: Scene) -> None:
    told: list[tuple[str, int]] = []

    async def census(
        cluster: str,
        *,
        namespaces: tuple[str, ...],
        window: timedelta,
        progress: Callable[[Progress], None] | None = None,
    ) -> Inventory:
        if cluster == "stage":
            raise ClusterUnreachableError("The API server does not answer.", next_step="Start it.")
        assert (namespaces, window) == (("shop",), WINDOW)
        if progress:
            progress(Progress(scanned=Scanned(), passed=3, total=9))
        return inventory([item("a")], cluster=cluster, at=scene.at)

    scene.census = census
    digest = await demand(scene, None).digest(
        clusters=["prod", "stage"],
        namespaces=("shop",),
        channel=p.INCIDENT,
        progress=lambda cluster, far: told.append((cluster, far.passed)),
    )
    assert (digest.schedule, digest.timezone, told) == ("", "UTC", [("prod", 3)])
    read, unread = digest.clusters
    assert names(read.rest) == ["a"]
    assert (unread.unreachable, unread.mend) == ("The API server does not answer.", "Start it.")
