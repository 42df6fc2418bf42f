"""What the API server's audit log says that somebody did."""

from tests.cluster.api import JsonObject
from tests.cluster.plane import Plane

BOT = "token-doctor"
"""The bot's user agent."""


def requests_of(plane: Plane, user_agent: str = BOT) -> list[JsonObject]:
    """Each request's last event."""
    return [
        event
        for event in plane.audit_events()
        if event["userAgent"] == user_agent and event["stage"] == "ResponseComplete"
    ]


def lists_whole_cluster(event: JsonObject) -> bool:
    """Whether it lists or watches something of every namespace."""
    about = event.get("objectRef") or {}
    return event["verb"] in {"list", "watch", "deletecollection"} and not about.get("namespace")
