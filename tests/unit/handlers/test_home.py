"""The Home tabs that are kept up to date: few, not for ever, and only where something has changed."""

import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from aiohttp import ClientSession
from msgspec.structs import replace

from bot.actions.approvals import Approvals
from bot.actions.catalog import ACTIONS
from bot.actions.policy import Matter, Standing
from bot.blocks.home import ClusterState
from bot.model import Person, Vote
from bot.model import Rule as Right
from bot.slack.client import TIMEOUT, web_client
from bot.slack.door import Slack
from bot.slack.remembered import Remembered
from bot.slack.views import Views
from bot.store import Store, open_store
from demo.slack import SlackServer
from demo.slack import people as p
from demo.slack.workspace import User
from handlers.home import Homes
from handlers.middleware import Doorkeeper
from handlers.overview import Overview
from handlers.requesting import NO_POLICY
from tests.unit.blocks.requests import AVERY, NOW, PENDING, RULE

SHOP = replace(PENDING.plan.ref, namespace="shop-web")
OPEN_SECONDS = 1_800


class Tabs:
    """Home tabs over a stand-in; without a store there is no policy. `now` is the monotonic time."""

    def __init__(self, server: SlackServer, session: ClientSession, store: Store | None = None) -> None:
        client = web_client(session, server.api_url, server.bot_token)
        slack = Slack(client, session, time.monotonic)
        self.server = server
        self.now = 0.0
        self.asked: list[str] = []
        self.version = "v1.36.3"
        doorkeeper = Doorkeeper(Remembered(slack.user, time.monotonic), p.TEAM.id)
        self.homes = Homes(
            Views(client),
            doorkeeper,
            self.clusters,
            overview(store, self.asked) if store else None,
            monotonic=lambda: self.now,
            now=lambda: NOW,
        )

    async def clusters(self) -> Sequence[ClusterState]:
        return (ClusterState("prod", version=self.version),)

    @property
    def published(self) -> int:
        return len(self.server.traffic.at("/api/views.publish", "from_bot"))


def overview(store: Store, asked: list[str]) -> Overview:
    """Everybody is in every group; `asked` is told about whom the policy was asked."""

    async def standing(person: Person, matter: Matter, needs: Sequence[Right]) -> Standing:
        asked.append(person.id)
        return Standing(person=person, groups=frozenset({"S012USERGROUP", "S034USERGROUP"}))

    approvals = Approvals(
        store, (RULE,), ACTIONS, standing=standing, now=lambda: NOW, new_id=lambda: "new", changed=lambda: None
    )
    return Overview(store, approvals, {})


@pytest.fixture
async def with_requests(tmp_path: Path) -> AsyncIterator[tuple[Tabs, Store]]:
    """A request of the engineer's waits for everybody else."""
    store = await open_store(f"sqlite+aiosqlite:///{tmp_path}/store.db")
    await store.requests.create(replace(PENDING, plan=replace(PENDING.plan, ref=SHOP)), NOW)
    async with SlackServer() as server, ClientSession(timeout=TIMEOUT) as session:
        yield Tabs(server, session, store), store
    await store.close()


@pytest.fixture
async def tabs() -> AsyncIterator[Tabs]:
    async with SlackServer() as server, ClientSession(timeout=TIMEOUT) as session:
        yield Tabs(server, session)


async def test_without_a_policy_it_shows_the_clusters_and_says_so(tabs: Tabs) -> None:
    await tabs.homes.opened(p.ENGINEER)
    shown = str(tabs.server.home(p.ENGINEER))
    assert NO_POLICY in shown
    assert "v1.36.3" in shown


async def test_each_opening_looks_anew(tabs: Tabs) -> None:
    await tabs.homes.opened(p.ENGINEER)
    tabs.version = "v1.37.0"
    await tabs.homes.opened(p.ENGINEER)
    assert "v1.37.0" in str(tabs.server.home(p.ENGINEER))


async def test_an_outsider_sees_why_there_is_nothing(tabs: Tabs) -> None:
    await tabs.homes.opened(p.OUTSIDER)
    shown = str(tabs.server.home(p.OUTSIDER))
    assert "its own workspace" in shown
    assert "prod" not in shown


async def test_slack_that_does_not_take_it_breaks_nothing(tabs: Tabs) -> None:
    tabs.server.fail("views.publish", error="internal_error", times=9)
    await tabs.homes.opened(p.ENGINEER)
    tabs.server.faults.clear()
    await tabs.homes.opened(p.ENGINEER)
    assert tabs.server.home(p.ENGINEER) is not None


async def test_what_waits_is_shown_to_those_whom_it_waits_for(with_requests: tuple[Tabs, Store]) -> None:
    tabs, _ = with_requests
    for user, words in ((p.APPROVER, "Approve"), (p.ENGINEER, "Nothing waits for your approval")):
        await tabs.homes.opened(user)
        assert words in str(tabs.server.home(user))


async def test_only_what_has_changed_is_published_again(with_requests: tuple[Tabs, Store]) -> None:
    tabs, store = with_requests
    await tabs.homes.opened(p.APPROVER)
    await tabs.homes.opened(p.OUTSIDER)
    await tabs.homes.refresh()
    asked = len(tabs.asked)
    await tabs.homes.refresh()
    assert (tabs.published, len(tabs.asked)) == (2, asked)
    await store.requests.vote(Vote(request=PENDING.id, approver=AVERY, approves=False, at=NOW, reason="no"), at=NOW)
    await tabs.homes.refresh()
    await tabs.homes.refresh()
    assert tabs.published == 3
    assert "Nothing waits for your approval" in str(tabs.server.home(p.APPROVER))


async def test_after_half_an_hour_a_tab_is_let_be(with_requests: tuple[Tabs, Store]) -> None:
    tabs, store = with_requests
    await tabs.homes.opened(p.APPROVER)
    tabs.now += OPEN_SECONDS
    await store.requests.vote(Vote(request=PENDING.id, approver=AVERY, approves=False, at=NOW, reason="no"), at=NOW)
    await tabs.homes.refresh()
    assert tabs.published == 1


async def test_of_many_open_tabs_the_last_twenty_are_kept_up_to_date(with_requests: tuple[Tabs, Store]) -> None:
    tabs, store = with_requests
    for number in range(25):
        user = User(f"U0PERSON{number:03}", f"n{number}", f"N {number}", p.TEAM.id, f"n{number}@shop.example")
        tabs.server.workspace.users[user.id] = user
        await tabs.homes.opened(user.id)
    await store.requests.vote(Vote(request=PENDING.id, approver=AVERY, approves=False, at=NOW, reason="no"), at=NOW)
    await tabs.homes.refresh()
    assert tabs.published == 25 + 20
    assert "Approve" in str(tabs.server.home("U0PERSON000"))
    assert "Nothing waits" in str(tabs.server.home("U0PERSON024"))


def spoil(database: Path) -> None:
    for file in database.parent.glob(f"{database.name}*"):
        file.unlink()
    database.mkdir()


async def test_a_database_that_is_away_is_said(with_requests: tuple[Tabs, Store]) -> None:
    tabs, store = with_requests
    await store.close()
    spoil(Path(store.place))
    await tabs.homes.opened(p.APPROVER)
    assert "database" in str(tabs.server.home(p.APPROVER))
