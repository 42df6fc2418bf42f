"""All that crosses the wire between the bot and this Slack, so that a test can search it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Direction = Literal["from_bot", "to_bot"]


@dataclass(frozen=True, slots=True)
class Record:
    """One body or frame: `where` is a path or `websocket N`, `data` the bytes as they crossed."""

    at: float
    direction: Direction
    where: str
    data: bytes

    def json(self) -> Any:  # noqa: ANN401 - a body is whatever JSON the other side wrote
        return json.loads(self.data)


class Traffic:
    """An append-only log; iterate it, or ask for one place's records."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.records: list[Record] = []

    def add(self, direction: Direction, where: str, data: bytes) -> None:
        self.records.append(Record(self._now(), direction, where, data))

    def at(self, where: str, direction: Direction | None = None) -> list[Record]:
        """Records whose place begins with `where`, such as `/api/chat.postMessage` or `websocket`."""
        return [
            record
            for record in self.records
            if record.where.startswith(where) and direction in (None, record.direction)
        ]

    def containing(self, needle: bytes) -> list[Record]:
        """Records that hold `needle` in the body or the place (a query string is part of the place)."""
        return [r for r in self.records if needle in r.data or needle in r.where.encode()]
