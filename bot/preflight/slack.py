"""Slack: the tokens and their scopes, then what the configuration names there."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple, TypeVar

from aiohttp import ClientSession

from bot.errors import SlackRefusedError
from bot.model import ServedDate
from bot.preflight import named
from bot.preflight.seen import SeenSlack
from bot.preflight.trial import Section, Trial, failed, not_tried, ok
from bot.slack.client import TIMEOUT, web_client
from bot.slack.door import Slack
from bot.slack.lookups import Lookups
from bot.slack.verify import (
    LOOKUP_SCOPES,
    OPTIONAL_SCOPES,
    Installed,
    SlackUnreachableError,
    lacks,
    missing,
    needed,
    refused_secret,
    try_app_token,
    try_bot_token,
)
from config.settings import Settings

T = TypeVar("T")

_SIGNING = "SLACK_SIGNING_SECRET"
_NETWORK = "Check slack.api_url, HTTPS_PROXY and NO_PROXY, and whether this machine may connect to Slack."


class SlackLook(NamedTuple):
    """What was tried of Slack, and what was seen there."""

    trials: tuple[Trial, ...]
    seen: SeenSlack


async def look(settings: Settings, now: Callable[[], datetime], seconds: float, *, required: bool) -> SlackLook:
    """`required`: only the tokens, and the scopes that the bot does not start without. `seconds` for each question."""
    bot_token, app_token = settings.credentials.revealed()
    url = settings.slack.api_url
    over_socket = settings.slack.mode == "socket"
    async with ClientSession(timeout=TIMEOUT) as session:
        sent = now()
        installed, way = await asyncio.gather(
            _tried(try_bot_token(session, url, bot_token), seconds),
            _app_token(session, url, app_token, seconds) if over_socket else _signing_secret(settings),
        )
        received = now()
        if isinstance(installed, Trial):
            unnamed = [_unnamed()] if not required and named.anything(settings) else []
            return SlackLook(tuple(dict.fromkeys([installed, way, *unnamed])), SeenSlack())
        identity = installed.identity
        token = ok(Section.SLACK, f"SLACK_BOT_TOKEN: @{identity.user} in workspace {identity.team}")
        trials = (token, way, *_scopes(installed, needs_policy=bool(settings.policy), required=required))
        if required:
            return SlackLook(trials, SeenSlack())
        client = web_client(session, url, bot_token)
        door = Slack(client, session, time.monotonic)
        found = await named.look_up(Lookups(client), door, settings, installed, seconds)
    date = _date(installed.date, url, sent, received)
    return SlackLook((*trials, *found.trials), SeenSlack(subjects=found.subjects, names=found.names, date=date))


async def _tried(question: Awaitable[T], seconds: float) -> T | Trial:
    try:
        async with asyncio.timeout(seconds):
            return await question
    except TimeoutError:
        return not_tried(Section.SLACK, f"Slack did not answer within {seconds:g} seconds", _NETWORK)
    except SlackRefusedError as refused:
        tell = not_tried if isinstance(refused, SlackUnreachableError) else failed
        return tell(Section.SLACK, str(refused).rstrip("."), refused.next_step)


async def _app_token(session: ClientSession, url: str, token: str, seconds: float) -> Trial:
    found = await _tried(try_app_token(session, url, token), seconds)
    return found if isinstance(found, Trial) else ok(Section.SLACK, "SLACK_APP_TOKEN: opens Socket Mode")


async def _signing_secret(settings: Settings) -> Trial:
    """Slack has no method that tries it: whether it is the right one shows with the first request."""
    for refused in refused_secret(settings.credentials.revealed_signing_secret()):
        return failed(Section.SLACK, str(refused).rstrip("."), refused.next_step)
    return ok(Section.SLACK, f"{_SIGNING} is set; whether it is the app's shows with Slack's first request")


def _scopes(installed: Installed, *, needs_policy: bool, required: bool) -> Iterator[Trial]:
    wanted = needed(policy=needs_policy)
    if installed.scopes is None:
        if not required:  # the bot starts without knowing
            text = "the bot token's scopes: Slack's answer does not name them"
            yield not_tried(Section.SLACK, text, "A proxy in between may take the header x-oauth-scopes out.")
        return
    lacking = missing(installed.scopes, wanted)
    for scope in lacking:
        refused = lacks((scope,), wanted)
        yield failed(Section.SLACK, str(refused).rstrip("."), refused.next_step)
    if not lacking:
        yield ok(Section.SLACK, f"scopes: {', '.join(wanted)}")
    others = {**LOOKUP_SCOPES, **OPTIONAL_SCOPES}
    without = [] if required else missing(installed.scopes, others)
    if without:
        told = "; ".join(f"{scope}: {others[scope]}" for scope in without)
        yield ok(Section.SLACK, f"it works without these scopes ({told})")


def _unnamed() -> Trial:
    text = "the channels, user groups and people that the configuration names"
    return not_tried(Section.SLACK, text, "They are looked up once the bot token is taken.")


def _date(header: str, url: str, sent: datetime, received: datetime) -> ServedDate | None:
    try:
        date = parsedate_to_datetime(header)
    except ValueError:
        return None
    return ServedDate(endpoint=url, date=date.astimezone(UTC), sent=sent, received=received) if date.tzinfo else None
