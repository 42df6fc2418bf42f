"""Things Slack hands out that end: trigger ids (3 s, once) and response_urls (30 min, five times)."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from demo.slack.errors import SlackError

TRIGGER_SECONDS = 3.0
RESPONSE_URL_SECONDS = 30 * 60.0
RESPONSE_URL_USES = 5


@dataclass(slots=True)
class Trigger:
    user: str
    issued: float
    view_id: str = ""
    used: bool = False


class Triggers:
    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._issued: dict[str, Trigger] = {}

    def issue(self, user: str, view_id: str = "") -> str:
        """`view_id` is the modal the person acted in, the one a views.push puts another on."""
        trigger_id = f"{secrets.randbelow(10**13)}.{secrets.randbelow(10**10)}.{secrets.token_hex(16)}"
        self._issued[trigger_id] = Trigger(user, self._now(), view_id)
        return trigger_id

    def exchange(self, trigger_id: str) -> Trigger:
        """Raises SlackError `invalid_trigger_id`, `exchanged_trigger_id` or `expired_trigger_id`."""
        trigger = self._issued.get(trigger_id)
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if trigger.used:
            raise SlackError("exchanged_trigger_id")
        if self._now() - trigger.issued > TRIGGER_SECONDS:
            raise SlackError("expired_trigger_id")
        trigger.used = True
        return trigger


@dataclass(slots=True)
class ResponseUrl:
    """`message_ts` or `ephemeral_ts` names the original that replace_original and delete_original mean."""

    path: str
    channel: str
    user: str
    issued: float
    message_ts: str = ""
    ephemeral_ts: str = ""
    thread_ts: str = ""
    uses: int = 0


class ResponseUrls:
    def __init__(self, now: Callable[[], float], team: str) -> None:
        self._now = now
        self._team = team
        self._issued: dict[str, ResponseUrl] = {}

    def issue(self, kind: str, channel: str, user: str) -> ResponseUrl:
        """`kind` is `commands`, `actions` or `app` (a shortcut), the first part of the path."""
        path = f"/{kind}/{self._team}/{secrets.randbelow(10**13)}/{secrets.token_urlsafe(18)}"
        self._issued[path] = ResponseUrl(path, channel, user, self._now())
        return self._issued[path]

    def use(self, path: str) -> ResponseUrl:
        """Raises SlackError `invalid_url`, `expired_url` or `used_url`."""
        url = self._issued.get(path)
        if url is None:
            raise SlackError("invalid_url")
        if self._now() - url.issued > RESPONSE_URL_SECONDS:
            raise SlackError("expired_url")
        if url.uses >= RESPONSE_URL_USES:
            raise SlackError("used_url")
        url.uses += 1
        return url
