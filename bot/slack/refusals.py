"""What was refused at the door: counted, and told in the log without filling it."""

from collections import Counter
from collections.abc import Mapping

import structlog

from bot.slack.pace import Monotonic
from bot.slack.signature import Refusal

log = structlog.get_logger(__name__)

_QUIET_SECONDS = 60.0


class Refusals:
    """Anybody can send what has to be refused: so the log has at most a line a minute of each kind, with how many."""

    def __init__(self, monotonic: Monotonic) -> None:
        self._monotonic = monotonic
        self._numbers: Counter[Refusal] = Counter(dict.fromkeys(Refusal, 0))
        self._told: dict[Refusal, tuple[float, int]] = {}

    @property
    def numbers(self) -> Mapping[str, int]:
        """How many since the start, by why; each of them is there from the beginning."""
        return {each.value: number for each, number in self._numbers.items()}

    def add(self, refusal: Refusal) -> None:
        """Nothing of the request itself is written down: it is a stranger's, or it may hold what people wrote."""
        self._numbers[refusal] += 1
        number = self._numbers[refusal]
        at, before = self._told.get(refusal, (0.0, 0))
        if before and self._monotonic() - at < _QUIET_SECONDS:
            return
        self._told[refusal] = (self._monotonic(), number)
        log.warning("a request for Slack's address was refused", why=refusal.value, since_last_line=number - before)
