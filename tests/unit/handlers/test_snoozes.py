"""What is snoozed, acknowledged and woken, on a real store; and the digest that stands in the channel says so."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Coroutine
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from aiohttp import ClientSession
from msgspec.structs import replace

from bot.blocks import modals, values
from bot.blocks.digest import messages
from bot.blocks.digest_pages import page_of
from bot.delivery.showing import Showing
from bot.lease import Clock
from bot.model import Digest, Snooze
from bot.slack.client import TIMEOUT, web_client
from bot.slack.door import Slack
from bot.slack.marks import PageMark
from bot.store import Store, open_store
from bot.store.digests import Look
from demo.slack import Message, SlackServer
from demo.slack import people as p
from demo.slack.block_limits import check_view
from handlers.snoozes import Snoozes
from tests.unit.blocks.digests import DAILY, ERIN, MONDAY, PROD, legacy

MINUTE = "2026-11-23T09:00[Europe/Berlin]"
SECRETS = tuple(legacy("shop", f"token-{number}") for number in range(12))
DIGEST = replace(
    DAILY,
    channel=p.INCIDENT,
    clusters=(replace(PROD, new=SECRETS[:4], due=(), lapsed=(), snoozed=(), rest=SECRETS[4:]),),
)
LAST = SECRETS[-1]


class Scene:
    """A digest that is recorded and stands in a channel; the wall clock is `now`."""

    def __init__(self, server: SlackServer, slack: Slack, store: Store) -> None:
        self.server = server
        self.slack = slack
        self.store = store
        self.now = MONDAY
        self.work: list[Coroutine[object, object, None]] = []
        self.slept: list[float] = []
        clock = Clock(now=lambda: self.now, monotonic=time.monotonic, sleep=self.sleep)
        self.showing = Showing(store, slack, messages, partial(page_of, acts=False), clock)
        self.snoozes = Snoozes(
            store, self.showing, slack.user, zones={"daily": "Europe/Berlin"}, now=clock.now, later=self.work.append
        )

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    async def recorded(self, digest: Digest = DIGEST) -> None:
        keys = tuple(item.key for item in SECRETS)
        await self.store.slots.begin("daily", MONDAY)
        assert await self.store.slots.claim("daily", MINUTE, "worker", MONDAY, 600, due_at=MONDAY)
        look = Look(cluster="prod", at=MONDAY, complete=True, found=keys, gone=(), tallies={})
        assert await self.store.digests.record(
            "daily", MINUTE, "worker", at=MONDAY, looks=[look], digests=[digest], told=[digest.channel]
        )
        root = ""
        for page, message in enumerate(messages(digest)):
            ts = await self.slack.put(digest.channel, root, "", message, PageMark(digest.id, page))
            root = root or ts
            assert await self.store.digests.posted(digest.id, page, ts)

    async def done(self) -> None:
        """What is left to do once the person has an answer."""
        while self.work:
            await self.work.pop()

    def shown(self) -> list[Message]:
        return self.server.messages(p.INCIDENT)


def look(what: Message | modals.View) -> str:
    return json.dumps(what.blocks if isinstance(what, Message) else what["blocks"], ensure_ascii=False)


def watched(key: str = LAST.key, *, acknowledged: bool = False) -> values.Watched:
    return values.Watched(digest=DIGEST.id, schedule="daily", cluster="prod", key=key, acknowledged=acknowledged)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with SlackServer() as server, ClientSession(timeout=TIMEOUT) as session:
        slack = Slack(web_client(session, server.api_url, server.bot_token), session, time.monotonic)
        store = await open_store(f"sqlite+aiosqlite:///{tmp_path}/doctor.db")
        scene = Scene(server, slack, store)
        await scene.recorded()
        yield scene
        await store.close()


async def test_a_snooze_is_kept_with_a_name_and_shown_where_it_was_told(scene: Scene) -> None:
    before = [message.text for message in scene.shown()]
    said = await scene.snoozes.keep_quiet(watched(), p.ENGINEER, date(2026, 12, 1), "goes in December")
    check_view(said, "modal")
    await scene.done()
    sighting = await scene.store.seen.sighting("daily", "prod", LAST.key)
    assert sighting is not None
    assert sighting.snooze is not None
    assert sighting.snooze.by.name == "Erin Engineer"
    # The day begins where the schedule is at home.
    assert sighting.snooze.until == datetime(2026, 11, 30, 23, 0, tzinfo=UTC)
    shown = scene.shown()
    assert [message.text for message in shown] == before
    told = [message for message in shown if "goes in December" in look(message)]
    assert len(told) == 2
    assert told[0] is shown[0]
    assert "shop/token-11" in look(told[1])
    edited = [message for message in shown if message.history]
    assert edited == told
    for message in told:
        assert f'"user_id": "{p.ENGINEER}"' in look(message)


async def test_what_is_woken_is_told_again(scene: Scene) -> None:
    await scene.snoozes.keep_quiet(watched(acknowledged=True), p.ENGINEER, date(2026, 12, 1), "SHOP-1")
    await scene.done()
    assert any("Acknowledged by" in look(message) for message in scene.shown())
    await scene.snoozes.wake(watched(), p.APPROVER)
    await scene.done()
    assert not any("Acknowledged by" in look(message) for message in scene.shown())
    assert await scene.store.seen.snoozes("daily", scene.now) == {}


async def test_the_form_proposes_a_day_and_says_what_holds_already(scene: Scene) -> None:
    first = await scene.snoozes.form(watched())
    check_view(first, "modal")
    assert "2026-11-30" in look(first)
    assert LAST.why in look(first)
    await scene.snoozes.keep_quiet(watched(), p.ENGINEER, date(2026, 12, 24), "Christmas")
    again = await scene.snoozes.form(watched())
    assert "takes the place of that" in look(again)
    assert "2026-12-24" in look(again)
    scene.now = MONDAY + timedelta(days=60)
    lapsed = await scene.snoozes.form(watched())
    assert "takes the place of that" not in look(lapsed)
    await scene.done()


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (LAST.key, "is gone: a digest found so now"),
        ("legacy-secret/shop/Secret/never-seen/", "not among what this channel's digests have seen"),
        ("not a key", "not among"),
    ],
)
async def test_an_old_click_gets_the_present_state(scene: Scene, key: str, words: str) -> None:
    gone = [item.key for item in SECRETS]
    late = "2026-11-24T09:00[Europe/Berlin]"
    scene.now = MONDAY + timedelta(days=1)
    await scene.store.slots.done("daily", MINUTE, "worker", scene.now)
    assert await scene.store.slots.claim("daily", late, "worker", scene.now, 600, due_at=scene.now)
    seen = Look(cluster="prod", at=scene.now, complete=True, found=(), gone=tuple(gone), tallies={})
    await scene.store.digests.record("daily", late, "worker", at=scene.now, looks=[seen], digests=[], told=[])
    for view in (
        await scene.snoozes.form(watched(key)),
        await scene.snoozes.keep_quiet(watched(key), p.ENGINEER, date(2026, 12, 1), "late"),
        await scene.snoozes.wake(watched(key), p.ENGINEER),
    ):
        check_view(view, "modal")
        assert words in look(view)
        assert "submit" not in view
    assert scene.work == []


async def test_a_digest_that_is_too_old_is_left_as_it_is_and_the_snooze_counts(scene: Scene) -> None:
    old = replace(watched(), digest="0123456789abcdef")
    await scene.snoozes.keep_quiet(old, p.ENGINEER, date(2026, 12, 1), "still")
    await scene.done()
    assert ("prod", LAST.key) in await scene.store.seen.snoozes("daily", scene.now)
    assert not any(message.history for message in scene.shown())


async def test_slack_away_for_a_while_shows_it_later_and_a_deleted_page_is_no_trouble(scene: Scene) -> None:
    scene.server.fail("chat.update", status=503, times=4)
    scene.shown()[-1].deleted = True
    await scene.snoozes.keep_quiet(watched(), p.ENGINEER, date(2026, 12, 1), "goes in December")
    await scene.done()
    assert "goes in December" in look(scene.shown()[0])
    assert scene.slept


async def test_two_at_once_are_both_shown(scene: Scene) -> None:
    one, two = watched(SECRETS[0].key), watched(SECRETS[1].key)
    await scene.snoozes.keep_quiet(one, p.ENGINEER, date(2026, 12, 1), "the first")
    await scene.snoozes.keep_quiet(two, p.APPROVER, date(2026, 12, 2), "the second")
    await asyncio.gather(*scene.work)
    assert "the first" in look(scene.shown()[0])
    assert "the second" in look(scene.shown()[0])


async def test_what_another_replica_keeps_quiet_meanwhile_is_shown_too(scene: Scene) -> None:
    """It may have edited the message before this one did, as this one knew it."""
    scene.server.fail("chat.update", delay=0.5)
    await scene.snoozes.keep_quiet(watched(SECRETS[0].key), p.ENGINEER, date(2026, 12, 1), "the first")
    showing = asyncio.ensure_future(scene.done())
    await scene.server.wait_for(lambda: scene.server.traffic.at("/api/chat.update", "from_bot"))
    theirs = Snooze(until=MONDAY + timedelta(days=3), by=ERIN, reason="the second")
    await scene.store.seen.snooze("daily", "prod", SECRETS[1].key, theirs)
    await showing
    assert "the second" in look(scene.shown()[0])
