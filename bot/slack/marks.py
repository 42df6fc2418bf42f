"""Which message of the bot's own it is, written into its metadata: so it can be found where Slack gave no ts."""

from dataclasses import dataclass

_EVENT = "token_doctor_request"


@dataclass(frozen=True, slots=True)
class Mark:
    """The request that the message shows, and what the message is for. Anybody in the workspace may read it."""

    request: str
    purpose: str

    @property
    def metadata(self) -> dict[str, object]:
        return {"event_type": _EVENT, "event_payload": {"request": self.request, "purpose": self.purpose}}


def among(messages: object, mark: Mark) -> str:
    """The ts of the first message with this mark, "" for none."""
    for message in messages if isinstance(messages, list) else ():
        if isinstance(message, dict) and message.get("metadata") == mark.metadata:
            return str(message.get("ts", ""))
    return ""
