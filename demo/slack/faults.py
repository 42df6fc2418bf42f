"""Faults on demand: what the next calls of a method shall meet."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypedDict

from demo.slack.errors import JsonObject

Drop = Literal["", "before", "after"]


class FaultOptions(TypedDict, total=False):
    """How a call fails; see Fault."""

    error: str
    status: int
    retry_after: int
    delay: float
    drop: Drop
    when: Callable[[JsonObject], bool]


@dataclass(slots=True)
class Fault:
    """One kind of failure for `times` calls; the delay comes first, then the rest.

    `drop` cuts the connection before or after the call did its work; `status` answers with that HTTP
    status and a plain body; `retry_after` with a 429; `error` with `{"ok": false, "error": …}`.
    """

    method: str
    error: str = ""
    status: int = 0
    retry_after: int = 0
    delay: float = 0.0
    drop: Drop = ""
    times: int = 1
    when: Callable[[JsonObject], bool] | None = None


class Faults:
    """`*` as the method means any method; `response_url` and `handshake` are places of their own."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._faults.append(fault)

    def clear(self) -> None:
        self._faults.clear()

    def take(self, method: str, arguments: JsonObject) -> Fault | None:
        """The first fault that fits this call, spent once."""
        for fault in self._faults:
            fits = fault.method in ("*", method) and (fault.when is None or fault.when(arguments))
            if fits:
                fault.times -= 1
                if fault.times <= 0:
                    self._faults.remove(fault)
                return fault
        return None
