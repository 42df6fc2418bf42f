"""Bolt's app, as this bot runs it."""

import structlog
from aiohttp import ClientSession
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.response import BoltResponse

from bot.slack.client import sdk_logger, web_client
from bot.slack.verify import Identity

log = structlog.get_logger(__name__)


def bolt_app(session: ClientSession, api_url: str, bot_token: str, identity: Identity) -> AsyncApp:
    """Bolt's app, told who it is instead of asking Slack with every first event."""
    who = AuthorizeResult(
        enterprise_id=None,
        team_id=identity.team_id,
        bot_id=identity.bot_id,
        bot_user_id=identity.user_id,
        bot_token=bot_token,
    )

    async def authorize() -> AuthorizeResult:
        return who

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
    )
    app.error(failed)
    return app
