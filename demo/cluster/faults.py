"""Faults on demand: what the next requests of a kind shall meet."""

from dataclasses import dataclass
from typing import Literal

from demo.cluster.requests import RequestInfo

Kind = Literal["latency", "too-many", "expired", "internal", "reset"]


@dataclass(slots=True)
class Fault:
    """For `times` requests; those of a `verb` or of a `resource` alone where one is named.

    latency waits `seconds`; too-many answers 429 and asks to wait so many whole seconds; expired is the 410 of a list
    that is continued too late; internal a 500; reset cuts the connection.
    """

    kind: Kind
    times: int = 1
    seconds: float = 1.0
    verb: str = ""
    resource: str = ""

    def fits(self, info: RequestInfo) -> bool:
        asked = info.attributes
        return self.verb in {"", asked.verb} and self.resource in {"", asked.full_resource, asked.path}


class Faults:
    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._faults.append(fault)

    def clear(self) -> None:
        self._faults.clear()

    @property
    def left(self) -> list[Fault]:
        return list(self._faults)

    def take(self, info: RequestInfo) -> list[Fault]:
        """Those that this request meets, each spent once: waiting, and then at most one that ends it."""
        met: list[Fault] = []
        for fault in tuple(self._faults):
            if fault.fits(info) and fault.kind not in {each.kind for each in met}:
                met.append(fault)
                fault.times -= 1
                if fault.times <= 0:
                    self._faults.remove(fault)
        return met
