"""`@token-doctor …`: the same commands, answered in the thread of the mention."""

from typing import Any

from slack_bolt.app.async_app import AsyncApp

from handlers.desk import Desk
from handlers.places import Ask
from handlers.words import of_mention


def register(app: AsyncApp, desk: Desk) -> None:
    async def mention(body: dict[str, Any]) -> None:
        """Events are acknowledged by bolt before this runs."""
        event = body["event"]
        desk.take(
            Ask(
                id=body["event_id"],
                user=event.get("user", ""),
                channel=event["channel"],
                thread_ts=event.get("thread_ts") or event["ts"],
            ),
            event.get("text", ""),
            of_mention,
        )

    app.event("app_mention")(mention)
