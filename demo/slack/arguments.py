"""Arguments of a Web API call, however they came: query, form or JSON."""

import json
from typing import Any
from urllib.parse import parse_qsl

from demo.slack.errors import JsonObject, SlackError, invalid_arguments


def parse_arguments(query: str, content_type: str, body: bytes) -> JsonObject:
    """Merges query and body. Raises SlackError `invalid_json` or `invalid_form_data`."""
    arguments: JsonObject = dict(parse_qsl(query, keep_blank_values=True))
    if body and content_type == "application/json":
        try:
            decoded = json.loads(body)
        except ValueError as error:
            raise SlackError("invalid_json") from error
        if not isinstance(decoded, dict):
            raise SlackError("json_not_object")
        arguments |= decoded
    elif body and content_type == "application/x-www-form-urlencoded":
        try:
            arguments |= dict(parse_qsl(body.decode(), keep_blank_values=True))
        except UnicodeDecodeError as error:
            raise SlackError("invalid_form_data") from error
    elif body:
        raise SlackError("invalid_post_type")
    return arguments


def text(arguments: JsonObject, name: str, default: str = "") -> str:
    value = arguments.get(name, default)
    if value is None:
        return default
    if not isinstance(value, str):
        raise invalid_arguments(f"must be a string [json-pointer:/{name}]")
    return value


def required(arguments: JsonObject, name: str) -> str:
    value = text(arguments, name)
    if not value:
        raise invalid_arguments(f"missing required field: {name}")
    return value


def flag(arguments: JsonObject, name: str, *, default: bool = False) -> bool:
    """Slack takes true, "true", "1" and 1 for true."""
    value = arguments.get(name)
    return default if value in (None, "") else value in (True, "true", "True", "1", 1)


def number(arguments: JsonObject, name: str, default: int) -> int:
    value = arguments.get(name)
    if value in (None, ""):
        return default
    try:
        return int(str(value))
    except ValueError as error:
        raise invalid_arguments(f"must be an integer [json-pointer:/{name}]") from error


def decoded(arguments: JsonObject, name: str, error: str) -> Any:  # noqa: ANN401 - checked by block_limits next
    """A JSON-valued argument: a string in a form, the value itself in a JSON body."""
    value = arguments.get(name)
    if not isinstance(value, str):
        return value
    if not value:
        return None
    try:
        return json.loads(value)
    except ValueError as cause:
        raise SlackError(error) from cause
