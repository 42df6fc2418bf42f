"""An effect is looked at until it has ended: what is said, how often, and what happens while nobody answers."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from bot.actions.action import Progress
from bot.actions.following import watch
from bot.errors import ClusterUnreachableError
from bot.kube.gaps import DeniedError, UnavailableError
from bot.model import Rule

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
GOING, DONE = Progress(text="1 of 2."), Progress(text="2 of 2.", ended=True)
Seen = Progress | Exception


async def said(seen: Sequence[Seen], *, seconds: float = 30) -> list[Progress]:
    """What is told of these looks; the last one is seen again and again."""
    looks = iter(seen)
    last = seen[-1]

    async def look() -> Progress:
        found = next(looks, last)
        if isinstance(found, Exception):
            raise found
        return found

    return [progress async for progress in watch(lambda: NOW, NOW + timedelta(seconds=seconds), look)]


async def test_only_what_is_new_is_said() -> None:
    assert await said([GOING, GOING, GOING, DONE]) == [GOING, DONE]


async def test_what_has_ended_already_is_said_at_once_even_when_it_is_late() -> None:
    assert await said([DONE], seconds=-60) == [DONE]


@pytest.mark.parametrize(
    "error",
    [
        UnavailableError("no answer from https://10.0.0.1"),
        ClusterUnreachableError("The API server of cluster test refuses token-doctor's own credentials (401)."),
        DeniedError(Rule(verb="get", resource="pods", namespace="shop")),
    ],
)
async def test_who_does_not_answer_is_waited_for(error: Exception) -> None:
    """A restarted API server knows neither credentials nor rights at first."""
    first, away, last = await said([GOING, error, error, DONE])
    assert (first, last) == (GOING, DONE)
    assert away == Progress(text="It cannot be seen at the moment how it goes.", stuck=str(error).rstrip("."))


async def test_what_is_late_has_failed_with_what_keeps_it_up() -> None:
    stuck = Progress(text="0 of 2.", stuck="pod a: ImagePullBackOff")
    *_, last = await said([stuck], seconds=0.4)
    assert last.ended
    assert last.text == "0 of 2."
    assert last.failed == "It had not come to its end by 2026-11-22 12:00:00 UTC: pod a: ImagePullBackOff."


async def test_a_clock_that_is_set_does_not_end_it() -> None:
    days, seen = iter(range(9)), iter([GOING, GOING, DONE])

    def now() -> datetime:
        return NOW + timedelta(days=next(days))

    async def look() -> Progress:
        return next(seen)

    assert [one async for one in watch(now, NOW + timedelta(seconds=30), look)] == [GOING, DONE]
