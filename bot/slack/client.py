"""Slack's own client, set up: one session, a proxy where one is needed, and retries that never post twice."""

import logging
import re
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from aiohttp import ClientConnectorError, ClientSession, ClientTimeout
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from slack_sdk.web.async_client import AsyncWebClient

TIMEOUT = ClientTimeout(total=20, sock_connect=5)
RATE_LIMIT_RETRIES = 2

# A call that makes a message must not be repeated once Slack may have read it: it would be posted twice.
_POSTS = ("chat.postMessage", "chat.postEphemeral")
_TICKET = re.compile(r"(ticket|app_id)=[^&\s'\"]+")


class _ConnectionErrors(AsyncConnectionErrorRetryHandler):
    """Again after a broken connection; for a post only where no connection was made at all."""

    async def _can_retry_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        if _is_post(request):
            return isinstance(error, ClientConnectorError)
        return await super()._can_retry_async(state=state, request=request, response=response, error=error)


class _ServerErrors(AsyncServerErrorRetryHandler):
    """Again after a 500 or 503, but for a post: Slack may have made the message and failed after it."""

    async def _can_retry_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        if _is_post(request):
            return False
        return await super()._can_retry_async(state=state, request=request, response=response, error=error)


def _is_post(request: HttpRequest) -> bool:
    return request.url.endswith(_POSTS)


def retry_handlers() -> list[AsyncRetryHandler]:
    return [
        AsyncRateLimitErrorRetryHandler(max_retry_count=RATE_LIMIT_RETRIES),
        _ServerErrors(max_retry_count=2),
        _ConnectionErrors(max_retry_count=2),
    ]


class _Client(AsyncWebClient):
    """An answer that is no JSON object (a proxy's page as text/plain) becomes a refusal; the SDK would break on it."""

    async def _request(self, *, http_verb: str, api_url: str, req_args: dict[str, Any]) -> dict[str, Any]:
        answer = await super()._request(http_verb=http_verb, api_url=api_url, req_args=req_args)
        return answer if isinstance(answer["data"], dict) else {**answer, "data": {}}


def web_client(session: ClientSession, api_url: str, token: str | None) -> AsyncWebClient:
    client = _Client(
        token=token, base_url=api_url, session=session, retry_handlers=retry_handlers(), logger=sdk_logger()
    )
    # The SDK takes HTTPS_PROXY whatever NO_PROXY says.
    client.proxy = proxy_for(api_url)
    return client


def proxy_for(url: str) -> str | None:
    """The proxy that the environment names for this address, None where NO_PROXY exempts it."""
    parts = urlsplit(url)
    scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
    return None if proxy_bypass(parts.hostname or "") else getproxies().get(scheme)


class _Discreet(logging.Filter):
    """The SDK's own lines without tracebacks and without the ticket of a websocket's address."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = _TICKET.sub(r"\1=hidden", record.getMessage())
        record.args = ()
        record.exc_info = None
        record.exc_text = None
        return True


def sdk_logger() -> logging.Logger:
    """For slack_sdk and slack_bolt. They log whole payloads at DEBUG, so they never get there.

    The level is set on the logger itself: the SDK compares it as a number, and an unset one counts as DEBUG.
    """
    logger = logging.getLogger("slack")
    logger.setLevel(logging.WARNING)
    if not logger.filters:
        logger.addFilter(_Discreet())
    return logger
