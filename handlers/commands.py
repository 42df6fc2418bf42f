"""`/token …`: acknowledged first, then handed over."""

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from handlers.desk import Desk
from handlers.places import Ask
from handlers.words import of_slash_command


def register(app: AsyncApp, desk: Desk) -> None:
    async def token(ack: AsyncAck, body: dict[str, str]) -> None:
        await ack()  # for bolt, which waits for it: over Socket Mode the envelope was acknowledged before
        desk.take(
            Ask(
                id=body["trigger_id"],
                user=body["user_id"],
                channel=body["channel_id"],
                response_url=body["response_url"],
                trigger_id=body["trigger_id"],
            ),
            body.get("text", ""),
            of_slash_command,
        )

    app.command("/token")(token)
