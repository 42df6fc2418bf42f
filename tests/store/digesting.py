"""A store, a workspace of the Slack stand-in, a cluster and a clock: all that a digest needs on its way."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from aiohttp import ClientSession

from bot.blocks.digest import messages
from bot.blocks.limits import Message
from bot.census import Progress
from bot.delivery.looking import Census
from bot.delivery.posting import Posting
from bot.delivery.recording import Recorder
from bot.delivery.runner import CHECKPOINTS, Runner
from bot.lease import Clock
from bot.model import Digest, Inventory, Item
from bot.slack.client import TIMEOUT, web_client
from bot.slack.door import Slack
from bot.store import Store, open_store
from config.digests import Digest as Schedule
from demo.slack import Message as Posted
from demo.slack import SlackServer
from demo.slack import people as p
from demo.slack.rate_limits import Limit
from tests.store.conftest import Address
from tests.unit.digest.samples import WINDOW, inventory, item

READING = ("chat:write", "channels:history", "groups:history")
MONDAY = datetime(2026, 8, 3, 6, 0, tzinfo=UTC)  # 08:00 in Berlin


class DiedError(BaseException):
    """The process dies here: nothing that catches errors catches it."""


class Scene:
    """A store, a workspace, a cluster, and as many runners as there are replicas. `at` is what all their clocks say."""

    render: Callable[[Digest], Sequence[Message]]
    census: Census
    sleep: Callable[[float], Awaitable[None]]

    def __init__(self, server: SlackServer, store: Store, slack: Slack) -> None:
        self.server = server
        self.store = store
        self.slack = slack
        self.at = MONDAY
        self.ticks = 0.0
        self.items: list[Item] = [item("old")]
        self.looks = 0
        self.down: Exception | None = None
        self.ids = itertools.count(1)
        self.clusters: tuple[str, ...] = ("prod",)
        self.census = self.read
        self.sleep = self.nap
        self.render = messages

    async def read(
        self,
        cluster: str,
        *,
        namespaces: tuple[str, ...],
        window: timedelta,
        progress: Callable[[Progress], None] | None = None,
    ) -> Inventory:
        self.looks += 1
        assert window == WINDOW
        if self.down is not None:
            raise self.down
        return inventory(self.items, cluster=cluster, at=self.at, namespaces=namespaces)

    async def nap(self, seconds: float) -> None:
        """Slack is waited for in no time; heartbeats come as often as the rest has a turn."""
        self.ticks += seconds
        await asyncio.sleep(0.01)

    def runner(
        self, worker: str = "one", *, schedules: Sequence[Schedule] = (), dies: str = "", ahead: float = 0.0
    ) -> Runner:
        """`dies` at the first time that it passes this checkpoint; its clock is `ahead` by so many seconds."""
        clock = Clock(now=lambda: self.at + timedelta(seconds=ahead), monotonic=lambda: self.ticks, sleep=self.sleep)

        def passed(name: str) -> None:
            assert name in CHECKPOINTS
            if name == dies:
                raise DiedError

        return Runner(
            self.store,
            schedules,
            census=self.census,
            recorder=Recorder(self.store, clock, new_id=lambda: f"digest-{next(self.ids)}"),
            posting=Posting(self.store, self.slack, self.render, clock, passed),
            clock=clock,
            worker=worker,
            clusters=lambda: self.clusters,
            checkpoint=passed,
        )

    def posted(self, channel: str = p.INCIDENT) -> list[Posted]:
        """What stands in the channel itself."""
        return [message for message in self.server.messages(channel) if not message.thread_ts]

    def pages(self, channel: str = p.INCIDENT) -> list[Posted]:
        return [message for message in self.server.messages(channel) if message.thread_ts]

    def may_look(self) -> None:
        self.server.workspace.tokens[self.server.bot_token].scopes = READING

    def later(self, **time: float) -> None:
        self.at += timedelta(**time)

    async def digests(self, schedule: Schedule, slot: str) -> tuple[Digest, ...]:
        kept = await self.store.digests.recorded(schedule.name, f"{slot}[{schedule.timezone}]")
        return tuple(one.digest for one in kept if one.digest is not None)

    async def begun(self, schedule: Schedule) -> None:
        """The bot has run since eight, and told of Monday's slot at nine."""
        assert not await self.runner().turn(schedule)
        self.later(hours=1, seconds=1)
        assert await self.runner().turn(schedule)
        assert len(self.posted()) == 1
        self.later(hours=1)


def daily(**also: object) -> Schedule:
    given = {"name": "daily", "cron": "0 9 * * *", "timezone": "Europe/Berlin", "channel": p.INCIDENT, **also}
    return Schedule.model_validate(given)


@asynccontextmanager
async def opened(address: Address) -> AsyncIterator[Scene]:
    limits = {"chat.postMessage": Limit(1_000, 60_000, by="channel"), "chat.update": Limit(1_000, 60_000)}
    store = await open_store(address.url, password=address.password)
    async with SlackServer(bot_scopes=READING[:1], limits=limits) as server, ClientSession(timeout=TIMEOUT) as session:
        never_too_fast = itertools.count(step=60.0).__next__
        slack = Slack(web_client(session, server.api_url, server.bot_token), session, never_too_fast)
        yield Scene(server, store, slack)
    await store.close()


def names(items: Iterable[Item]) -> list[str]:
    return [one.name for one in items]
