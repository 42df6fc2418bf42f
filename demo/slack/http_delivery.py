"""Payloads over HTTP: signed, form-encoded, answered within three seconds, events sent again.

After docs.slack.dev: authentication/verifying-requests-from-slack (the signature), apis/events-api (url_verification,
X-Slack-Retry-Num and -Reason, X-Slack-No-Retry), interactivity/implementing-slash-commands and
interactivity/handling-user-interaction.
"""

import asyncio
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout

from demo.slack.changes import Changes
from demo.slack.delivery import Delivery
from demo.slack.errors import JsonObject
from demo.slack.socket_mode import SocketTimes
from demo.slack.traffic import Traffic
from demo.slack.workspace import App

_OK = 200
_FORM = "application/x-www-form-urlencoded"
_RETRY_REASONS = {"timeout": "http_timeout", "http_error": "http_error", "no_connection": "connection_failed"}


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """As it was sent; a test may send the very same once more."""

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int = 0
    failure: str = ""
    response: JsonObject | None = None
    may_retry: bool = True


def signature(signing_secret: str, timestamp: str, body: bytes) -> str:
    digest = hmac.new(signing_secret.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256)
    return f"v0={digest.hexdigest()}"


class HttpDelivery:
    """`urls` by kind of payload, as the app's manifest names them; `times.ack` and `times.retries` hold here too."""

    def __init__(
        self,
        app: App,
        urls: Mapping[str, str],
        now: Callable[[], float],
        *,
        traffic: Traffic,
        changes: Changes,
        times: SocketTimes,
    ) -> None:
        self.urls = dict(urls)
        self.sent: list[SignedRequest] = []
        self._app = app
        self._now = now
        self._traffic = traffic
        self._changes = changes
        self._times = times
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_connected(self) -> bool:
        """There is nothing to be seen before the first request."""
        return True

    async def verify_url(self) -> bool:
        """What Slack does when the address of the events is set: whether the challenge came back."""
        challenge = secrets.token_urlsafe(32)
        payload = {"token": self._app.verification_token, "challenge": challenge, "type": "url_verification"}
        answer = await self._exchange(self.signed("events_api", payload))
        return (answer.response or {}).get("challenge", (answer.response or {}).get("text")) == challenge

    async def deliver(self, kind: str, payload: JsonObject, *, accepts_response: bool) -> Delivery:
        """Sends it and waits for the answer; an event goes on being retried behind."""
        delivery = Delivery(kind, payload)
        may_retry = await self._attempt(delivery, accepts_response=accepts_response)
        if kind == "events_api" and not delivery.acked and may_retry:
            self._spawn(self._retry(delivery))
        return delivery

    def signed(self, kind: str, payload: JsonObject, extra: Mapping[str, str] | None = None) -> SignedRequest:
        """A command's fields as a form, what people do as JSON in a form's field, an event as JSON."""
        if kind == "events_api":
            content_type, body = "application/json", json.dumps(payload, ensure_ascii=False).encode()
        else:
            fields = payload if kind == "slash_commands" else {"payload": json.dumps(payload, ensure_ascii=False)}
            content_type, body = _FORM, urlencode(fields).encode()
        timestamp = str(int(self._now()))
        headers = {
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature(self._app.signing_secret, timestamp, body),
            **(extra or {}),
        }
        return SignedRequest(self.urls[kind], headers, body)

    async def close(self) -> None:
        for task in self._tasks.copy():
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _retry(self, delivery: Delivery) -> None:
        for wait in self._times.retries:
            await asyncio.sleep(wait)
            may_retry = await self._attempt(delivery, accepts_response=False)
            await self._changes.notify()
            if delivery.acked or not may_retry:
                return

    async def _attempt(self, delivery: Delivery, *, accepts_response: bool) -> bool:
        """Whether another one may follow: an app can forbid it."""
        retry = {}
        if delivery.attempts:
            reason = _RETRY_REASONS[delivery.failure]
            retry = {"X-Slack-Retry-Num": str(delivery.attempts), "X-Slack-Retry-Reason": reason}
        delivery.attempts += 1
        answer = await self._exchange(self.signed(delivery.kind, delivery.payload, retry))
        delivery.failure, delivery.acked = answer.failure, not answer.failure
        delivery.statuses.append(answer.status)
        if delivery.acked and accepts_response:
            delivery.response = answer.response
        return answer.may_retry

    async def _exchange(self, request: SignedRequest) -> _Answer:
        self.sent.append(request)
        path = urlsplit(request.url).path
        self._traffic.add("to_bot", path, request.body)
        await self._changes.notify()
        try:
            async with (
                ClientSession(timeout=ClientTimeout(total=self._times.ack)) as session,
                session.post(request.url, data=request.body, headers=request.headers, allow_redirects=False) as got,
            ):
                body = await got.read()
                may_retry = got.headers.get("X-Slack-No-Retry") != "1"
                status, content_type = got.status, got.content_type
        except TimeoutError:
            return _Answer(failure="timeout")
        except ClientError:
            return _Answer(failure="no_connection")
        self._traffic.add("from_bot", path, body)
        await self._changes.notify()
        if status != _OK:
            return _Answer(status, "http_error", may_retry=may_retry)
        return _Answer(status, response=_response(content_type, body))

    def _spawn(self, work: Coroutine[object, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _response(content_type: str, body: bytes) -> JsonObject | None:
    """JSON, or a text that is shown as it is; nothing for an empty answer."""
    if not body:
        return None
    if content_type != "application/json":
        return {"text": body.decode()}
    answer = json.loads(body)
    return answer if isinstance(answer, dict) else None
