"""Which calls fail, and how: from a seed, for each door and each kind of call by itself."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from random import Random


class Dice:
    """`odds` are of one call, by the name of the fault; `thrown` counts what has come up."""

    def __init__(self, name: str, seed: int, odds: Mapping[str, float]) -> None:
        self.name = name
        self._seed = seed
        self._odds = dict(odds)
        self._streams: dict[str, Random] = defaultdict(Random)
        self.thrown: Counter[str] = Counter()
        self.calm = False

    def throw(self, kind: str, weight: float = 1.0) -> str:
        """The fault that this call meets, "" for none. A weight of 2 doubles the odds."""
        at = self._stream(kind).random()
        if self.calm:
            return ""
        for fault, odds in self._odds.items():
            at -= odds * weight
            if at < 0:
                self.thrown[fault] += 1
                return fault
        return ""

    def seconds(self, kind: str, most: float) -> float:
        """How long that takes."""
        return self._stream(kind).uniform(0.05, most)

    def _stream(self, kind: str) -> Random:
        if kind not in self._streams:
            self._streams[kind] = Random(f"{self.name} {self._seed} {kind}")  # noqa: S311  # to be thrown the same way again
        return self._streams[kind]
