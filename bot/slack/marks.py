"""Which message of the bot's own it is, written into its metadata: so it can be found where Slack gave no ts."""

from dataclasses import dataclass

_REQUEST = "token_doctor_request"
_DIGEST = "token_doctor_digest"


@dataclass(frozen=True, slots=True)
class Mark:
    """The request that the message shows, and what the message is for. Anybody in the workspace may read it."""

    request: str
    purpose: str

    @property
    def metadata(self) -> dict[str, object]:
        return {"event_type": _REQUEST, "event_payload": {"request": self.request, "purpose": self.purpose}}


@dataclass(frozen=True, slots=True)
class PageMark:
    """The digest that the message is of, and which page: 0 stands in the channel, the others in its thread."""

    digest: str
    page: int

    @property
    def metadata(self) -> dict[str, object]:
        return {"event_type": _DIGEST, "event_payload": {"digest": self.digest, "page": self.page}}


AnyMark = Mark | PageMark


def among(messages: object, mark: AnyMark) -> str:
    """The ts of the first message with this mark, "" for none."""
    for message in messages if isinstance(messages, list) else ():
        if isinstance(message, dict) and message.get("metadata") == mark.metadata:
            return str(message.get("ts", ""))
    return ""
