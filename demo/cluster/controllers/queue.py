"""Work on objects, one at a time, each once however often it was asked for meanwhile."""

from collections.abc import Callable
from dataclasses import dataclass, field

from demo.cluster.agenda import Agenda
from demo.cluster.objects import Key


@dataclass
class Queue:
    """`work` is called soon, with the namespace and the name."""

    agenda: Agenda
    work: Callable[[Key], None]
    _waiting: set[Key] = field(default_factory=set)

    def add(self, key: Key) -> None:
        if key not in self._waiting:
            self._waiting.add(key)
            self.agenda.soon(lambda: self._run(key))

    def add_later(self, key: Key, seconds: float) -> None:
        self.agenda.after(seconds, lambda: self.add(key))

    def _run(self, key: Key) -> None:
        self._waiting.discard(key)
        self.work(key)
