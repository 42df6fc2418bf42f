"""Whether refusals go on, have stopped, or have merely gone quiet: silence alone is no proof of health."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from bot.diagnosis.signals import Signal
from bot.model import ContainerLog
from bot.objects import ContainerStatus

SHORTEST_PROOF = timedelta(minutes=5)
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

    STOPPED needs one run that lived long enough after the last refusal: a run that was started again and ended at
    once, or has said nothing since, proves nothing.
    """
    times = sorted(signal.at for signal in signals if signal.at)
    if not times:
        return Course.ONGOING
    ended = status.state.terminated if status else None
    if ended and ended.exit_code == 0:
        return Course.STOPPED
    last = times[-1]
    needed = max(SHORTEST_PROOF, _SPACINGS * max((b - a for a, b in pairwise(times)), default=timedelta()))
    own, later = _lived(last, logs)
    if max(own, later) >= needed:
        return Course.STOPPED
    runs = status is None or status.state.running is not None
    return Course.QUIET if runs and not own and now - last >= _SPACINGS * needed else Course.ONGOING


def _lived(last: datetime, logs: Sequence[ContainerLog]) -> tuple[timedelta, timedelta]:
    """How long the refused run logged on after its last refusal, and how long a run that was started later did."""
    own = later = timedelta()
    for log in logs:
        times = [line.at for line in log.lines if line.at]
        if not times or max(times) <= last:
            continue
        if min(times) <= last:
            own = max(own, max(times) - last)
        else:
            later = max(later, max(times) - min(times))
    return own, later
