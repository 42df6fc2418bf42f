"""A digest from its slot to its channels, on both databases: once, whoever dies on the way."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta

import pytest
from msgspec.structs import replace

from bot.blocks.limits import Message
from bot.census import Progress
from bot.delivery.hold import LEASE_SECONDS
from bot.delivery.runner import CHECKPOINTS
from bot.errors import ClusterUnreachableError
from bot.model import Digest, Inventory, Person, Snooze
from demo.slack import people as p
from tests.store.conftest import Address
from tests.store.digesting import MONDAY, DiedError, Scene, daily, names, opened
from tests.unit.digest.samples import inventory, item


@pytest.fixture
async def scene(address: Address) -> AsyncIterator[Scene]:
    async with opened(address) as found:
        yield found


async def test_a_slot_is_told_once_when_it_is_due(scene: Scene) -> None:
    runner = scene.runner()
    assert not await runner.turn(daily())
    scene.later(minutes=59, seconds=59)
    assert not await runner.turn(daily())
    assert scene.looks == 0
    scene.later(seconds=1)
    assert await runner.turn(daily())
    assert not await runner.turn(daily())
    assert scene.looks == len(scene.posted()) == 1
    (digest,) = await scene.digests(daily(), "2026-08-03T09:00")
    assert (digest.minute, digest.timezone, digest.due_at) == ("2026-08-03T09:00", "Europe/Berlin", scene.at)
    assert digest.next_at == scene.at + timedelta(days=1)
    standing = (await scene.store.slots.standings(["daily"]))["daily"]
    assert (standing.succeeded_at, standing.failures) == (scene.at, 0)


async def test_what_was_told_is_remembered_over_a_restart(scene: Scene) -> None:
    await scene.begun(daily())
    scene.items = [item("old"), item("new")]
    scene.later(days=1)
    assert await scene.runner("restarted").turn(daily())
    (digest,) = await scene.digests(daily(), "2026-08-04T09:00")
    cluster = digest.clusters[0]
    assert (names(cluster.new), names(cluster.rest), cluster.is_first) == (["new"], ["old"], False)
    assert [sum(point.totals.kinds.values()) for point in cluster.trend] == [1, 2]
    scene.items = [item("new")]
    scene.later(days=1)
    assert await scene.runner().turn(daily())
    (digest,) = await scene.digests(daily(), "2026-08-05T09:00")
    assert [one.name for one in digest.clusters[0].resolved] == ["old"]
    assert [sum(point.totals.kinds.values()) for point in digest.clusters[0].trend] == [1, 2, 1]
    assert len(scene.posted()) == 3


async def test_nothing_to_tell_is_quiet_until_the_heartbeat(scene: Scene) -> None:
    await scene.begun(daily(heartbeat_days=3))
    for _ in range(2):
        scene.later(days=1)
        assert await scene.runner().turn(daily(heartbeat_days=3))
    assert len(scene.posted()) == 1
    assert scene.looks == 3
    scene.later(days=1)
    assert await scene.runner().turn(daily(heartbeat_days=3))
    assert len(scene.posted()) == 2
    (digest,) = await scene.digests(daily(), "2026-08-06T09:00")
    assert digest.heartbeat
    assert digest.quiet_since == MONDAY + timedelta(hours=1, seconds=1)


async def test_two_replicas_tell_it_once(scene: Scene) -> None:
    await scene.begun(daily())
    scene.items.append(item("new"))
    scene.later(days=1)
    done = await asyncio.gather(*(scene.runner(f"replica-{number}").turn(daily()) for number in range(4)))
    assert sorted(done) == [False, False, False, True]
    assert len(scene.posted()) == 2
    assert scene.looks == 2


@pytest.mark.parametrize("dies", CHECKPOINTS)
async def test_whoever_dies_another_finishes_it_once(scene: Scene, dies: str) -> None:
    scene.may_look()
    await scene.begun(daily())
    scene.items.extend(item(f"new-{number}") for number in range(30))
    scene.later(days=1)
    with pytest.raises(DiedError):
        await scene.runner("dies", dies=dies).turn(daily())
    other = scene.runner("other")
    if dies != "digest done":
        assert not await other.turn(daily()), "the lease still holds"
        scene.later(seconds=LEASE_SECONDS)
        assert await other.turn(daily())
    assert not await other.turn(daily())
    _, told = scene.posted()
    pages = [
        page.metadata["event_payload"]["page"] for page in scene.pages() if page.thread_ts == told.ts and page.metadata
    ]
    assert pages == list(range(1, len(pages) + 1))
    assert pages
    (digest,) = await scene.digests(daily(), "2026-08-04T09:00")
    assert len(digest.clusters[0].new) == 30, "what the dead one recorded must not make the news old"
    assert len(digest.clusters[0].trend) == 2
    assert scene.looks == (3 if dies == "digest looked" else 2)


async def test_who_may_not_look_posts_a_page_again_rather_than_never(scene: Scene) -> None:
    await scene.begun(daily())
    scene.items.append(item("new"))
    scene.later(days=1)
    with pytest.raises(DiedError):
        await scene.runner(dies="digest posted").turn(daily())
    scene.later(seconds=LEASE_SECONDS)
    assert await scene.runner("other").turn(daily())
    assert len(scene.posted()) == 3


async def test_a_slow_cluster_keeps_its_slot(scene: Scene) -> None:
    """The lease would have ended five times over while the census runs."""
    await scene.begun(daily(quiet=False))
    scene.later(days=1)
    steps = 0
    other = scene.runner("other")

    async def slow(
        cluster: str,
        *,
        namespaces: tuple[str, ...],
        window: timedelta,
        progress: Callable[[Progress], None] | None = None,
    ) -> Inventory:
        nonlocal steps
        scene.looks += 1
        for _ in range(10):
            await asyncio.sleep(0.05)
            scene.later(seconds=LEASE_SECONDS / 2)
            assert not await other.turn(daily(quiet=False))
            steps += 1
        return inventory(scene.items, cluster=cluster, at=scene.at, namespaces=namespaces)

    scene.census = slow
    assert await scene.runner().turn(daily(quiet=False))
    assert (steps, scene.looks, len(scene.posted())) == (10, 2, 2)


async def test_who_lost_the_slot_records_and_posts_nothing(scene: Scene) -> None:
    await scene.begun(daily(quiet=False))
    scene.later(days=1)
    ended = await scene.store.slots.left("daily", scene.at)
    assert not ended

    async def stolen(
        cluster: str,
        *,
        namespaces: tuple[str, ...],
        window: timedelta,
        progress: Callable[[Progress], None] | None = None,
    ) -> Inventory:
        await asyncio.sleep(0)
        scene.looks += 1
        assert scene.looks < 4
        if scene.looks == 2:  # this process slept, its lease ended, and another one does the whole of it
            scene.later(seconds=LEASE_SECONDS + 1)
            assert await scene.runner("thief").turn(daily(quiet=False))
        return inventory([*scene.items, item("late")], cluster=cluster, at=scene.at, namespaces=namespaces)

    scene.census = stolen
    scene.sleep = _never  # no heartbeat
    assert await scene.runner("sleeper").turn(daily(quiet=False))
    assert len(scene.posted()) == 2
    assert len((await scene.digests(daily(), "2026-08-04T09:00"))[0].clusters[0].trend) == 2


async def _never(_: float) -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ClusterUnreachableError("The API server does not answer.", next_step="Start it."), "The API server does not"),
        (TimeoutError(), "did not end within 30 minutes"),
        (ZeroDivisionError(), "token-doctor itself failed"),
    ],
)
async def test_a_cluster_that_cannot_be_read_is_told_and_nothing_is_resolved(
    scene: Scene, error: Exception, said: str
) -> None:
    await scene.begun(daily())
    scene.down = error
    for day in (4, 5):
        scene.later(days=1)
        assert await scene.runner().turn(daily())
        (digest,) = await scene.digests(daily(), f"2026-08-{day:02}T09:00")
        assert said in digest.clusters[0].unreachable
        assert digest.clusters[0].resolved == ()
    assert len(scene.posted()) == 3, "never silence"
    assert "old" in str(await scene.store.seen.sightings("daily", "prod"))
    assert (await scene.store.digests.figures(["daily"]))[0].at < scene.at - timedelta(days=1)


async def test_clusters_that_nobody_configured_are_no_silence(scene: Scene) -> None:
    assert not await scene.runner().turn(daily(clusters=["stage-*"]))
    scene.later(hours=1)
    assert await scene.runner().turn(daily(clusters=["stage-*"]))
    (digest,) = await scene.digests(daily(), "2026-08-03T09:00")
    assert digest.clusters[0].unreachable == "No configured cluster is called so."
    assert len(scene.posted()) == 1


async def test_a_snooze_is_shown_and_lapses_by_itself(scene: Scene) -> None:
    await scene.begun(daily())
    snooze = Snooze(until=scene.at + timedelta(days=1, hours=12), by=Person(id="U1", name="a"), reason="known")
    key = scene.items[0].key
    assert await scene.store.seen.snooze("daily", "prod", key, snooze)
    scene.items = [replace(scene.items[0], ends=scene.at + timedelta(days=3))]
    found = []
    for day in (4, 5, 6):
        scene.later(days=1)
        assert await scene.runner().turn(daily())
        cluster = (await scene.digests(daily(), f"2026-08-{day:02}T09:00"))[0].clusters[0]
        found.append([len(cluster.snoozed), len(cluster.lapsed), len(cluster.due)])
    assert found == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert len(scene.posted()) == 3


async def test_each_channel_hears_its_own_part(scene: Scene) -> None:
    schedule = daily(routes=[{"namespaces": ["ops"], "channel": p.APPROVALS}])
    scene.items = [item("mine"), item("theirs", namespace="ops")]
    await scene.begun(schedule)
    by_channel = {one.channel: one.clusters[0] for one in await scene.digests(schedule, "2026-08-03T09:00")}
    assert names(by_channel[p.INCIDENT].rest) == ["mine"]
    assert names(by_channel[p.APPROVALS].rest) == ["theirs"]
    assert len(scene.posted(p.APPROVALS)) == 1


async def test_slack_is_waited_for_and_one_channel_does_not_keep_another(scene: Scene) -> None:
    schedule = daily(routes=[{"namespaces": ["ops"], "channel": "C0NOTHERE00"}])
    await scene.begun(schedule)
    standing = (await scene.store.slots.standings(["daily"]))["daily"]
    assert standing.failure == "Slack refused it in C0NOTHERE00: channel_not_found"
    assert (standing.failures, standing.succeeded_at) == (1, None)
    scene.server.fail("chat.postMessage", error="ratelimited", times=1)
    scene.later(days=1)
    scene.items.append(item("new"))
    assert await scene.runner().turn(daily())
    assert len(scene.posted()) == 2


async def test_a_digest_that_cannot_be_rendered_or_compared_is_no_silence(scene: Scene) -> None:
    def breaks(_: Digest) -> Sequence[Message]:
        raise ZeroDivisionError

    await scene.begun(daily(quiet=False))
    scene.render = breaks
    scene.later(days=1)
    assert await scene.runner().turn(daily(quiet=False))
    assert "failed to render it; its log says why (incident " in scene.posted()[1].text
    scene.later(days=1)
    runner = scene.runner()
    runner._recorder = None  # type: ignore[assignment]  # noqa: SLF001  # a bug of ours, made on purpose
    assert await runner.turn(daily(quiet=False))
    assert "could not be made: token-doctor itself failed" in scene.posted()[2].text
    standing = (await scene.store.slots.standings(["daily"]))["daily"]
    assert "incident" in standing.failure
    assert not await scene.runner().turn(daily(quiet=False))


async def test_a_stop_leaves_a_census_to_the_next_at_once(scene: Scene) -> None:
    await scene.begun(daily(quiet=False))
    scene.later(days=1)
    looking = asyncio.Event()

    async def slow(
        cluster: str,
        *,
        namespaces: tuple[str, ...],
        window: timedelta,
        progress: Callable[[Progress], None] | None = None,
    ) -> Inventory:
        looking.set()
        await asyncio.Event().wait()
        raise AssertionError

    real, scene.census = scene.census, slow
    runner = scene.runner(schedules=[daily(quiet=False)])
    runner.start()
    async with asyncio.timeout(10):
        await looking.wait()
        await runner.stop(5)
    scene.census = real
    assert await scene.runner("next").turn(daily(quiet=False))
    assert len(scene.posted()) == 2
