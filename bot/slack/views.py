"""Modals and the home tab: opened, updated, published. What leaves is looked at once more, as messages are."""

import re
import secrets
from collections.abc import Mapping

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.answers import editing
from bot.slack.outgoing import HELD_BACK, safe
from bot.slack.posts import PostRefusedError

View = Mapping[str, object]
_VIEW_ID = re.compile(r"V[A-Z0-9]+")


class Views:
    """Every method raises PostRefusedError (the person has closed it, the trigger is too old) and LaterError."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def open(self, trigger_id: str, view: View) -> str:
        """A modal for whoever caused the trigger, at most three seconds ago; what `update` knows it by."""
        own_id = secrets.token_hex(16)
        outgoing = {**safe_view(view), "external_id": own_id}
        try:
            answer = await editing(
                self._client.api_call("views.open", json={"trigger_id": trigger_id, "view": outgoing})
            )
        except PostRefusedError as refused:
            if refused.code != "exchanged_trigger_id":
                raise
            return own_id  # a try before this one was carried out, and its answer got lost
        return str((answer.get("view") or {}).get("id", ""))

    async def update(self, modal: str, view: View) -> None:
        which = "view_id" if _VIEW_ID.fullmatch(modal) else "external_id"
        await editing(self._client.api_call("views.update", json={which: modal, "view": safe_view(view)}))

    async def publish(self, user: str, view: View) -> None:
        """The person's home tab."""
        await editing(self._client.api_call("views.publish", json={"user_id": user, "view": safe_view(view)}))


def safe_view(view: View) -> dict[str, object]:
    """The view as it may leave."""
    text = {"type": "plain_text", "text": HELD_BACK, "emoji": False}
    kept = {key: value for key, value in view.items() if key in {"type", "title", "close"}}
    return safe(dict(view), instead={**kept, "blocks": [{"type": "section", "text": text}]})
