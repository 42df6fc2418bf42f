"""What Slack's refusals mean for a call: wait, give up, or nobody knows."""

from collections.abc import Awaitable
from typing import TypeVar

from aiohttp import ClientConnectorError, ClientError
from slack_sdk.errors import SlackApiError

from bot.slack.posts import GoneError, LaterError, PostRefusedError, PostUncertainError

T = TypeVar("T")

_GONE = {"message_not_found", "cant_update_message", "edit_window_closed"}
SERVER_ERRORS = {"internal_error", "fatal_error", "service_unavailable", "request_timeout"}
_SERVER_ERROR = 500
_TOO_MANY = 429


async def creating(call: Awaitable[T]) -> T:
    """A call that makes a message. Raises LaterError, PostRefusedError or PostUncertainError."""
    try:
        return await call
    except SlackApiError as error:
        failure: Exception = _refused(error, made=True)
    except ClientConnectorError:
        failure = LaterError()
    except (ClientError, TimeoutError):
        failure = PostUncertainError("the connection broke")
    raise failure


async def editing(call: Awaitable[T]) -> T:
    """A call that may be repeated. Raises GoneError, LaterError or PostRefusedError."""
    try:
        return await call
    except SlackApiError as error:
        failure: Exception = _refused(error, made=False)
    except (ClientError, TimeoutError):
        failure = LaterError()
    raise failure


def _refused(error: SlackApiError, *, made: bool) -> Exception:
    code, status = code_of(error), status_of(error)
    if status == _TOO_MANY or code == "ratelimited":
        return LaterError(_retry_after(error))
    if status >= _SERVER_ERROR or code in SERVER_ERRORS:
        return PostUncertainError(code or f"HTTP {status}") if made else LaterError()
    if code in _GONE:
        return GoneError(code)
    return PostRefusedError(code or f"HTTP {status}")


def code_of(error: SlackApiError) -> str:
    """Slack's word for the refusal, "" where the answer was not one of Slack's."""
    data = getattr(error.response, "data", None)
    code = data.get("error") if isinstance(data, dict) else None
    return code if isinstance(code, str) else ""


def status_of(error: SlackApiError) -> int:
    """The HTTP status. The SDK hands over aiohttp's own response where the body was not JSON."""
    status = getattr(error.response, "status_code", None) or getattr(error.response, "status", 0)
    return status if isinstance(status, int) else 0


def _retry_after(error: SlackApiError) -> float:
    headers = getattr(error.response, "headers", None) or {}
    value = str(headers.get("Retry-After", ""))
    return float(value) if value.isdigit() else 0.0
