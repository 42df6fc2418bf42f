"""Slack's refusals: `{"ok": false, "error": …}` answers of the Web API."""

from typing import Any

JsonObject = dict[str, Any]


class SlackError(Exception):
    """A refusal by its code; `extra` holds further keys of the answer (`needed`, `response_metadata` …)."""

    def __init__(self, code: str, extra: JsonObject | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.extra: JsonObject = extra or {}

    def body(self) -> JsonObject:
        return {"ok": False, "error": self.code, **self.extra}


class RateLimitedError(SlackError):
    """HTTP 429 with `Retry-After` in whole seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("ratelimited")
        self.retry_after = retry_after


def invalid_arguments(*messages: str) -> SlackError:
    lines = [f"[ERROR] {message}" for message in messages]
    return SlackError("invalid_arguments", {"response_metadata": {"messages": lines}})


def missing_scope(needed: str, provided: str) -> SlackError:
    return SlackError("missing_scope", {"needed": needed, "provided": provided})
