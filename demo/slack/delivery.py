"""What becomes of a payload on its way to the app, whichever way it goes."""

from dataclasses import dataclass, field
from typing import Protocol

from demo.slack.errors import JsonObject


@dataclass(slots=True)
class Delivery:
    """How one payload fared: `failure` is "", `no_connection`, `timeout` or `http_error`.

    `connections` are the websockets that it was sent over, `statuses` the answers over HTTP.
    """

    kind: str
    payload: JsonObject
    acked: bool = False
    response: JsonObject | None = None
    failure: str = ""
    attempts: int = 0
    connections: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)


class Wire(Protocol):
    """The way to the app: Socket Mode or HTTP."""

    @property
    def is_connected(self) -> bool: ...

    async def deliver(self, kind: str, payload: JsonObject, *, accepts_response: bool) -> Delivery: ...
