"""Messages brought up to the store, on a real database and the Slack stand-in: whoever dies, whatever Slack does."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession
from msgspec.structs import replace

from bot.actions.approvals import places
from bot.announce import Announcer
from bot.model import Purpose, Request, State, Vote
from bot.slack.client import TIMEOUT, web_client
from bot.slack.door import Slack
from bot.store import Message, Store, open_store
from demo.slack import Message as Posted
from demo.slack import SlackServer
from demo.slack import people as p
from demo.slack.rate_limits import Limit
from tests.unit.blocks.requests import AVERY, ERIN, PENDING

SCOPES = ("chat:write", "users:read")
READING = (*SCOPES, "channels:history", "groups:history", "im:history")
NOW = datetime.now(UTC)


class DiedError(Exception):
    """The process dies here."""


class Scene:
    """A store, a workspace and as many announcers as there are replicas; `at` is the time."""

    def __init__(self, server: SlackServer, store: Store, slack: Slack) -> None:
        self.server = server
        self.store = store
        self.slack = slack
        self.at = NOW
        self.called: tuple[str, ...] | None = (p.APPROVERS,)

    def announcer(self, worker: str = "one") -> Announcer:
        async def approvers(_: Request) -> tuple[str, ...] | None:
            return self.called

        return Announcer(self.store, self.slack, worker=worker, now=lambda: self.at, approvers=approvers)

    async def asked(self, **also: object) -> Request:
        """A request of which all messages are wanted."""
        fresh = {"version": 1, "created_at": NOW, "changed_at": NOW, "expires_at": NOW + timedelta(minutes=30)}
        wanted = replace(PENDING, **{**fresh, "thread_ts": "", "approvals_needed": 1, **also})
        request, _ = await self.store.requests.create(wanted, NOW)
        await self.want(request)
        return request

    async def want(self, request: Request) -> None:
        for purpose, channel, thread_ts in places(request):
            await self.store.messages.want(request.id, purpose, channel, thread_ts)

    async def denied(self, request: Request) -> Request:
        vote = Vote(request=request.id, approver=AVERY, approves=False, at=NOW, reason="not now")
        counted = await self.store.requests.vote(vote, at=NOW)
        assert counted.request is not None
        await self.want(counted.request)
        return counted.request

    async def row(self, request: Request, purpose: Purpose) -> Message:
        return next(each for each in await self.store.messages.of(request.id) if each.purpose == purpose)

    def posted(self, channel: str) -> list[Posted]:
        return self.server.messages(channel)

    def may_look(self) -> None:
        """The app is given the scopes to read channels, which it does not ask for."""
        self.server.workspace.tokens[self.server.bot_token].scopes = READING

    def later(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    async def settle(self, *announcers: Announcer, rounds: int = 12) -> None:
        """Goes on until all is shown, an hour at the most."""
        for _ in range(rounds):
            for announcer in announcers or (self.announcer(),):
                while await announcer.once():
                    pass
            self.later(300)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    limits = {"chat.postMessage": Limit(1_000, 60_000, by="channel"), "chat.update": Limit(1_000, 60_000)}
    store = await open_store(f"sqlite+aiosqlite:///{tmp_path}/store.db")
    async with SlackServer(bot_scopes=SCOPES, limits=limits) as server, ClientSession(timeout=TIMEOUT) as session:
        never_too_fast = itertools.count(step=60.0).__next__
        slack = Slack(web_client(session, server.api_url, server.bot_token), session, never_too_fast)
        yield Scene(server, store, slack)
    await store.close()


async def test_each_place_shows_the_present_and_the_end_is_told_once(scene: Scene) -> None:
    request = await scene.asked()
    await scene.settle()
    (decision,), (progress,) = scene.posted(p.APPROVALS), scene.posted(p.INCIDENT)
    assert decision.text.startswith("🟡 Waiting for approval")
    assert f"<!subteam^{p.APPROVERS}>" in decision.text
    assert progress.text.startswith("🟡 Waiting for approval")
    await scene.denied(request)
    await scene.settle()
    assert scene.posted(p.APPROVALS) == [decision]
    told, outcome = scene.posted(p.INCIDENT)
    assert told.text.startswith("🚫 Denied")
    assert outcome.thread_ts == told.ts
    assert f"<@{ERIN.id}> <@{AVERY.id}>" in outcome.text
    assert not outcome.history
    assert decision.metadata == {
        "event_type": "token_doctor_request",
        "event_payload": {"request": request.id, "purpose": "decision"},
    }


async def test_what_is_up_to_date_costs_slack_nothing(scene: Scene) -> None:
    await scene.asked()
    await scene.settle()
    before = len(scene.server.traffic.records)
    await scene.settle(rounds=3)
    assert len(scene.server.traffic.records) == before


async def test_three_changes_while_slack_is_away_are_one_edit(scene: Scene) -> None:
    request = await scene.asked(approvals_needed=3)
    await scene.settle()
    for approver in (AVERY, replace(AVERY, id="U0APPROVER2"), replace(AVERY, id="U0APPROVER3")):
        vote = Vote(request=request.id, approver=approver, approves=True, at=NOW)
        await scene.store.requests.vote(vote, at=NOW)
    await scene.settle()
    (decision,) = scene.posted(p.APPROVALS)
    assert [revision.text[0] for revision in decision.history] == ["🟡"]
    assert decision.text.startswith("🟢 Approved")


async def test_two_replicas_post_nothing_twice(scene: Scene) -> None:
    one, two = scene.announcer("one"), scene.announcer("two")
    requests = [await scene.asked(id=f"r{number}", plan=_of(f"web-{number}")) for number in range(5)]
    await asyncio.gather(*(each.once() for each in (one, two, one, two)))
    for request in requests[:3]:
        await scene.denied(request)
    await asyncio.gather(*(each.once() for each in (one, two)))
    await scene.settle(one, two)
    assert len(scene.posted(p.APPROVALS)) == 5
    assert len([m for m in scene.posted(p.INCIDENT) if m.thread_ts]) == 3


@pytest.mark.parametrize("purpose", [Purpose.DECISION, Purpose.OUTCOME])
async def test_a_message_posted_by_a_process_that_died_is_found_again(scene: Scene, purpose: Purpose) -> None:
    scene.may_look()
    request = await scene.asked()
    if purpose is Purpose.OUTCOME:
        await scene.settle()
        request = await scene.denied(request)
    with dying_before_it_is_noted(scene.store, purpose):
        await scene.announcer("dying").once()
    scene.later(3_600)
    await scene.settle(scene.announcer("next"))
    channel = p.APPROVALS if purpose is Purpose.DECISION else p.INCIDENT
    marked = [m for m in scene.posted(channel) if m.metadata and m.metadata["event_payload"]["purpose"] == purpose]
    assert len(marked) == 1
    assert (await scene.row(request, purpose)).ts == marked[0].ts
    assert purpose is Purpose.DECISION or not marked[0].history


async def test_where_the_bot_may_not_look_it_is_posted_once_more(scene: Scene) -> None:
    """What remains: Slack gave no ts, and the bot reads no channels."""
    request = await scene.asked()
    with dying_before_it_is_noted(scene.store, Purpose.DECISION):
        await scene.announcer("dying").once()
    scene.later(3_600)
    await scene.settle(scene.announcer("next"))
    lost, known = scene.posted(p.APPROVALS)
    assert (await scene.row(request, Purpose.DECISION)).ts == known.ts
    await scene.denied(request)
    await scene.settle()
    assert (lost.text[0], known.text[0]) == ("🟡", "🚫")


@pytest.mark.parametrize("how", [{"drop": "after"}, {"status": 500}])
async def test_an_unconfirmed_post_is_looked_for(scene: Scene, how: dict[str, str]) -> None:
    scene.may_look()
    scene.server.fail("chat.postMessage", when=lambda call: call["channel"] == p.APPROVALS, **how)  # type: ignore[arg-type]  # one option of several
    await scene.asked()
    await scene.settle()
    assert len(scene.posted(p.APPROVALS)) == 1


async def test_slack_down_for_an_hour_loses_nothing_and_is_not_waited_for_once_it_is_back(scene: Scene) -> None:
    request = await scene.asked()
    await scene.settle()
    request = await scene.denied(request)
    announcer = scene.announcer()
    scene.server.fail("*", error="service_unavailable", times=10_000)
    for _ in range(120):
        await announcer.once()
        scene.later(30)
    assert scene.posted(p.INCIDENT)[0].text.startswith("🟡")
    scene.server.faults.clear()
    scene.later(40)
    while await announcer.once():
        pass
    assert [m.text[0] for m in scene.posted(p.INCIDENT)] == ["🚫", "🚫"]
    assert scene.posted(p.APPROVALS)[0].text.startswith("🚫")


async def test_a_rate_limit_is_waited_for(scene: Scene) -> None:
    await scene.asked()
    scene.server.fail("chat.postMessage", retry_after=1, times=4)
    await scene.settle()
    assert len(scene.posted(p.APPROVALS)) == len(scene.posted(p.INCIDENT)) == 1


async def test_approvers_who_cannot_be_asked_are_told_to_the_requester_and_asked_later(scene: Scene) -> None:
    scene.server.workspace.channels[p.APPROVALS].members.remove(p.BOT_USER)
    await scene.asked()
    await scene.settle(rounds=2)
    direct = scene.server.workspace.direct_channel(ERIN.id)
    (told,) = scene.posted(direct.id)
    assert "cannot be asked" in told.text
    scene.server.workspace.channels[p.APPROVALS].members.append(p.BOT_USER)
    await scene.settle()
    assert len(scene.posted(p.APPROVALS)) == 1
    assert scene.posted(direct.id) == [told]


async def test_where_it_may_not_be_told_the_outcome_goes_to_the_requester(scene: Scene) -> None:
    request = await scene.asked(channel=p.RANDOM)
    await scene.settle()
    await scene.denied(request)
    await scene.settle()
    (told,) = scene.posted(scene.server.workspace.direct_channel(ERIN.id).id)
    assert "Denied" in told.text
    assert scene.posted(p.RANDOM) == []


async def test_a_message_that_somebody_deleted_is_not_made_again(scene: Scene) -> None:
    request = await scene.asked()
    await scene.settle()
    scene.posted(p.APPROVALS)[0].deleted = True
    await scene.denied(request)
    await scene.settle()
    assert scene.posted(p.APPROVALS) == []
    assert (await scene.row(request, Purpose.DECISION)).given_up
    assert scene.posted(p.INCIDENT)[0].text.startswith("🚫")


async def test_who_joined_from_elsewhere_sees_it_too(scene: Scene) -> None:
    request = await scene.asked()
    await scene.store.messages.want(request.id, Purpose.PROGRESS, p.SHARED, "")
    await scene.settle()
    await scene.denied(request)
    await scene.settle()
    first, reply = scene.posted(p.SHARED)
    assert (first.text[0], reply.thread_ts) == ("🚫", first.ts)


async def test_the_loop_is_woken_and_ends_when_all_is_shown(scene: Scene) -> None:
    announcer = scene.announcer()
    running = asyncio.create_task(announcer.run())
    request = await scene.asked()
    announcer.wake()
    await scene.server.wait_for(lambda: scene.posted(p.APPROVALS) and scene.posted(p.INCIDENT), 10)
    await scene.denied(request)
    announcer.stop()
    async with asyncio.timeout(10):
        await running
    assert scene.posted(p.APPROVALS)[0].text.startswith("🚫")
    assert len(scene.posted(p.INCIDENT)) == 2


async def test_a_cancelled_request_says_by_whom_and_why(scene: Scene) -> None:
    request = await scene.asked()
    await scene.settle()
    await scene.store.requests.advance(
        request.id, State.PENDING, State.CANCELLED, who=AVERY.id, why="cancelled: wrong cluster", at=NOW
    )
    await scene.settle()
    shown = str(scene.posted(p.APPROVALS)[0].blocks)
    assert "wrong cluster" in shown
    assert AVERY.id in shown


def _of(name: str) -> object:
    return replace(PENDING.plan, ref=replace(PENDING.plan.ref, name=name, uid=f"uid-{name}"))


@contextmanager
def dying_before_it_is_noted(store: Store, purpose: Purpose) -> Iterator[None]:
    """The process is killed between Slack's answer and the note of it."""
    noted = store.messages.shown

    async def dies(message: Message, *, ts: str, version: int) -> bool:
        if message.purpose == purpose:
            raise DiedError
        return await noted(message, ts=ts, version=version)

    store.messages.shown = dies  # type: ignore[method-assign]  # where a process may die
    try:
        yield
    finally:
        store.messages.shown = noted  # type: ignore[method-assign]  # the same


async def test_the_approvers_are_asked_only_once_they_can_be_named(scene: Scene) -> None:
    """A mention that an edit adds notifies nobody."""
    request = await scene.asked()
    scene.called = None
    await scene.announcer().once()
    assert scene.posted(p.APPROVALS) == []
    assert not (await scene.row(request, Purpose.DECISION)).given_up
    scene.called = (p.APPROVERS,)
    await scene.settle()
    assert f"<!subteam^{p.APPROVERS}>" in scene.posted(p.APPROVALS)[0].text
