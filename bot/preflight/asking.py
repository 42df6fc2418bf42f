"""A question with a deadline, and the words for what got no answer."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from bot.preflight.trial import Section, Trial, not_tried
from bot.slack.posts import LaterError, PostRefusedError

T = TypeVar("T")

_AGAIN = "Try again in a minute."


async def of_slack(question: Awaitable[T], what: str, seconds: float) -> T | Trial:
    """The answer, or the line that says why there is none."""
    try:
        async with asyncio.timeout(seconds):
            return await question
    except TimeoutError:
        return not_tried(Section.SLACK, f"{what}: Slack did not answer within {seconds:g} seconds", _AGAIN)
    except LaterError:
        return not_tried(Section.SLACK, f"{what}: Slack did not answer", _AGAIN)
    except PostRefusedError as refused:
        scope = "; a scope is missing" if refused.code == "missing_scope" else ""
        return not_tried(Section.SLACK, f"{what}: Slack did not tell ({refused.code}){scope}")
