"""Whether refusals go on, have stopped, or have merely gone quiet: silence alone is no proof of health."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from bot.diagnosis.signals import Signal
from bot.model import ContainerLog
from bot.objects import ContainerStatus

_SHORTEST_PROOF = timedelta(minutes=5)
"""Clients back off: client-go's reflectors wait up to 30 s, restarts up to 5 min between two tries."""

_SPACINGS = 3
"""How many times the longest pause between two refusals a quiet time must last before it means something."""


class Course(StrEnum):
    ONGOING = "ongoing"
    STOPPED = "stopped"
    QUIET = "quiet"


def course(
    signals: Sequence[Signal], logs: Sequence[ContainerLog], status: ContainerStatus | None, now: datetime
) -> Course:
    """The course of one container's refusals, oldest first. `logs` are that container's runs.

    STOPPED needs a sign of life long enough after the last refusal; a container that does not run proves nothing.
    """
    times = sorted(signal.at for signal in signals if signal.at)
    if not times:
        return Course.ONGOING
    if status is not None and not status.state.running:
        ended = status.state.terminated
        return Course.STOPPED if ended and ended.exit_code == 0 else Course.ONGOING
    last = times[-1]
    needed = max(_SHORTEST_PROOF, _SPACINGS * max((b - a for a, b in pairwise(times)), default=timedelta()))
    alive = max((line.at for log in logs for line in log.lines if line.at and line.at > last), default=None)
    if alive is not None and alive - last >= needed:
        return Course.STOPPED
    return Course.QUIET if alive is None and now - last >= _SPACINGS * needed else Course.ONGOING
