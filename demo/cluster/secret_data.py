"""What stands in a Secret."""

import base64

from demo.cluster.objects import JsonObject


def plain(secret: JsonObject, key: str) -> str | None:
    value = (secret.get("data") or {}).get(key)
    return None if value is None else base64.b64decode(value).decode("utf-8", "replace")


def token_in(secret: JsonObject) -> str:
    return plain(secret, "token") or ""


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
