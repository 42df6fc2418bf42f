"""The queue of a channel where Slack never takes a message, and the pace it keeps."""

import asyncio
import time
from collections.abc import Awaitable

import pytest

from bot.blocks import notices
from bot.slack.outgoing import Rendering
from bot.slack.pace import Pace, Rate
from bot.slack.posts import TRIES, LaterError, Post, PostRefusedError, Queue

QUICK = Rate(burst=1_000, per_second=1_000)


class Refusing:
    """A Slack that asks to wait, for a moment, every time it is asked about this channel's first message."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def create(self, channel: str, thread_ts: str, rendering: Rendering) -> str:
        self.asked.append(rendering.text)
        if rendering.text == "never":
            raise LaterError(0.001)
        return f"{len(self.asked)}.0"

    async def edit(self, channel: str, ts: str, rendering: Rendering) -> None:
        raise AssertionError


@pytest.fixture
def wire() -> Refusing:
    return Refusing()


@pytest.fixture
def queue(wire: Refusing) -> Queue:
    tasks: set[asyncio.Future[None]] = set()

    def spawn(work: Awaitable[None]) -> None:
        tasks.add(asyncio.ensure_future(work))

    return Queue(wire, Pace(QUICK, time.monotonic), Pace(QUICK, time.monotonic), spawn)


async def test_a_message_is_given_up_in_the_end_and_the_next_one_goes_out(wire: Refusing, queue: Queue) -> None:
    never = Post("C1", "", notices.said("never"), queue.wake)
    following = Post("C1", "", notices.said("next"), queue.wake)
    async with asyncio.timeout(10):
        with pytest.raises(PostRefusedError, match="no answer in time"):
            await never.settled()
        await following.settled()
    assert wire.asked == ["never"] * TRIES + ["next"]


async def test_an_error_nobody_expected_reaches_who_waits_and_not_the_queue(queue: Queue) -> None:
    post = Post("C1", "", notices.said("one"), queue.wake)
    await post.settled()
    post.show(notices.said("two"))
    with pytest.raises(AssertionError):
        await post.settled()
    async with asyncio.timeout(10):
        await Post("C1", "", notices.said("three"), queue.wake).settled()


async def test_the_pace_lets_a_burst_through_and_then_one_after_another() -> None:
    waits: list[float] = []
    now = 0.0

    def clock() -> float:
        return now

    async def sleep(seconds: float) -> None:
        nonlocal now
        waits.append(round(seconds, 3))
        now += seconds

    pace = Pace(Rate(burst=3, per_second=2), clock, sleep)
    for _ in range(5):
        await pace.turn()
    assert waits == [0.5, 0.5]
    now += 10
    for _ in range(4):
        await pace.turn()
    assert waits == [0.5, 0.5, 0.5]
