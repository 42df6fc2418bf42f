"""Whether the refusals stopped with what was done. Said on evidence only: silence proves nothing. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from bot.durations import span
from bot.model import ContainerLog, Finding, Noun, Report, Severity, Snapshot, Survey

_SYMPTOM = "api-unauthorized"


class Aftermath(Noun, frozen=True, kw_only=True):
    """`proven` where the logs show that the refusals have stopped; `text` are whole sentences."""

    proven: bool
    text: str


def aftermath(survey: Survey, report: Report, *, since: datetime, cause: str, proof: timedelta) -> Aftermath:
    """What a check says of the time since then. `cause` is the code of the finding that was to be mended, "" for none.

    It is proven when nothing critical is found any more, and each examined pod has logged for as long as `proof`
    without a refusal.
    """
    still = _still(report.faults, cause)
    if still is not None:
        return Aftermath(proven=False, text=f"It has not helped so far: {still.cause.title}.")
    pods = survey.pods or ((survey.own,) if survey.own and survey.target.kind == "Pod" else ())
    if not pods:
        return Aftermath(proven=False, text="No new evidence yet: there are no pods that could show whether it helped.")
    unread = next((pod.logs.unread for pod in pods if pod.logs.unread), None)
    if unread is not None:
        return Aftermath(proven=False, text=f"No evidence: not every log could be read ({unread.reason}).")
    shortest = min(_heard(pod, since, report.taken_at) for pod in pods)
    count = "its pod has" if len(pods) == 1 else f"its {len(pods)} pods have"
    if shortest < proof:
        told = f"logged for only {span(shortest)}" if shortest > timedelta() else "logged nothing"
        return Aftermath(proven=False, text=f"No new evidence yet: {count} {told} since.")
    first = "The 401s have stopped" if cause else "No 401s"
    return Aftermath(proven=True, text=f"{first}: {count} logged for {span(shortest)} since without one.")


def _still(faults: Iterable[Finding], cause: str) -> Finding | None:
    return next((one for one in faults if one.severity is Severity.CRITICAL or one.code in {_SYMPTOM, cause}), None)


def _heard(pod: Snapshot, since: datetime, now: datetime) -> timedelta:
    """For how long the most talkative container has logged since then. A line from the future proves nothing."""
    logs: Sequence[ContainerLog] = pod.logs.value or ()
    return max((_span(log, since, now) for log in logs if not log.previous), default=timedelta())


def _span(log: ContainerLog, since: datetime, now: datetime) -> timedelta:
    times = [line.at for line in log.lines if line.at and line.at <= now]
    if not times:
        return timedelta()
    # Of a log whose older lines were not read, the first line read is not the first since then.
    first = since if log.truncated else max(since, min(times))
    return max(timedelta(), max(times) - first)
