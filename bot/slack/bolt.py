"""Bolt's app, as this bot runs it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from aiohttp import ClientSession
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.response import BoltResponse

from bot.slack.client import sdk_logger, web_client
from bot.slack.verify import Identity

log = structlog.get_logger(__name__)


def bolt_app(
    session: ClientSession, api_url: str, bot_token: str, identity: Identity, *, answers_last: bool = False
) -> AsyncApp:
    """Bolt's app, told who it is instead of asking Slack with every first event.

    `answers_last`: a request is answered when its listener has taken it; what broke before is answered with 500, and
    Slack sends an event again. Whoever hands over requests has verified that they are Slack's.
    """
    who = AuthorizeResult(
        enterprise_id=None,
        team_id=identity.team_id,
        bot_id=identity.bot_id,
        bot_user_id=identity.user_id,
        bot_token=bot_token,
    )

    async def authorize() -> AuthorizeResult:
        return who

    async def only_ours(body: dict[str, Any], next_: Callable[[], Awaitable[None]]) -> BoltResponse | None:
        """Of another workspace nothing is taken; it is acknowledged, so that it is not sent again."""
        if is_of_others(body, identity.team_id):
            log.warning("a request of another workspace was not taken", kind=body.get("type") or "command")
            return BoltResponse(status=200, body="")
        await next_()
        return None

    async def failed(error: Exception) -> BoltResponse | None:
        """An envelope of a kind that nobody here listens to is acknowledged, and not written into the log."""
        if isinstance(error, BoltUnhandledRequestError):
            return BoltResponse(status=200, body="")
        log.error("a listener broke", exc_info=error)
        return None

    app = AsyncApp(
        name="token-doctor",
        logger=sdk_logger(),
        client=web_client(session, api_url, None),
        authorize=authorize,
        raise_error_for_unhandled_request=True,
        process_before_response=answers_last,
    )
    app.error(failed)
    app.middleware(only_ours)
    return app


def is_of_others(body: Mapping[str, Any], team_id: str) -> bool:
    """Whether a command or an event is not of the workspace that the bot works in.

    An event names the workspaces that it is for. A click may come from people of another one, through a shared
    channel: they are told, and not kept out here.
    """
    if body.get("type") == "event_callback":
        meant = [each.get("team_id") for each in body.get("authorizations") or ()] or [body.get("team_id")]
        return team_id not in meant
    return "command" in body and body.get("team_id") != team_id
