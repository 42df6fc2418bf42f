"""When refusals have stopped: only a sign of life that lasts long enough proves it."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.diagnosis.course import Course, course
from bot.diagnosis.signals import Signal, SignalKind
from bot.model import ContainerLog, LogLine
from bot.objects import ContainerState, ContainerStatus, Running, Terminated, Waiting

NOW = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)
RUNNING = ContainerState(running=Running(started_at=NOW - timedelta(days=1)))


def _ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("refused", "other", "state", "expected"),
    [
        ([3, 2, 1], [], RUNNING, Course.ONGOING),
        ([30, 29, 28], [20, 10, 1], RUNNING, Course.STOPPED),
        ([30, 29, 28], [], RUNNING, Course.QUIET),
        ([30, 29, 28], [27], RUNNING, Course.ONGOING),
        ([4], [1], RUNNING, Course.ONGOING),  # three minutes of life after one refusal
        ([90, 60, 30], [1], RUNNING, Course.ONGOING),  # it asks every half hour: the next may be refused again
        ([300, 270, 240], [1], RUNNING, Course.STOPPED),
        ([40, 30], [15], RUNNING, Course.ONGOING),  # one pause's length of peace is not enough
        ([30, 29], [], ContainerState(waiting=Waiting(reason="CrashLoopBackOff")), Course.ONGOING),
        ([30, 29], [], ContainerState(terminated=Terminated(exit_code=1)), Course.ONGOING),
        ([30, 29], [], ContainerState(terminated=Terminated(exit_code=0)), Course.STOPPED),
    ],
)
def test_course(refused: list[float], other: list[float], state: ContainerState, expected: Course) -> None:
    kind = SignalKind.UNAUTHORIZED
    signals = [Signal(kind=kind, container="app", text="401", at=_ago(minutes)) for minutes in refused]
    lines = tuple(LogLine(text="x", at=_ago(minutes)) for minutes in sorted([*refused, *other], reverse=True))
    status = ContainerStatus(name="app", state=state)
    assert course(signals, [ContainerLog(container="app", lines=lines)], status, NOW) is expected


BACK_OFF = ContainerState(waiting=Waiting(reason="CrashLoopBackOff"))


@pytest.mark.parametrize(
    ("before", "now_running", "state", "expected"),
    [
        # the refused run worked on for half an hour, and died of something else
        ([60, 59, 30], [5], BACK_OFF, Course.STOPPED),
        # the next run ended at once, and had asked nothing
        ([60, 59], [9, 8.9], BACK_OFF, Course.ONGOING),
        # the next run lived for long, and was never refused
        ([60, 59], [50, 30], BACK_OFF, Course.STOPPED),
        # started again, and silent since
        ([60, 59], [40], RUNNING, Course.QUIET),
        ([60, 59], [40, 20], RUNNING, Course.STOPPED),
    ],
)
def test_the_course_over_two_runs(
    before: list[float], now_running: list[float], state: ContainerState, expected: Course
) -> None:
    signals = [Signal(kind=SignalKind.UNAUTHORIZED, container="app", text="401", at=_ago(at)) for at in before[:2]]
    logs = [
        ContainerLog(container="app", previous=previous, lines=tuple(LogLine(text="x", at=_ago(at)) for at in times))
        for previous, times in ((True, before), (False, now_running))
    ]
    assert course(signals, logs, ContainerStatus(name="app", state=state), NOW) is expected


def test_a_log_without_times_is_taken_for_the_present() -> None:
    signal = Signal(kind=SignalKind.UNAUTHORIZED, container="app", text="401")
    assert course([signal], [], ContainerStatus(name="app", state=RUNNING), NOW) is Course.ONGOING
