"""What is said of several together: the headline, and how much of the target was looked at. Pure."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from bot.diagnosis.merging import Part, Unit
from bot.diagnosis.ranking import blind
from bot.model import CheckResult, CheckStatus, Finding, Survey, Verdict

PODS = Unit("pod", "pods")
WORKLOADS = Unit("workload", "workloads")


class Whole(Struct, frozen=True):
    """A target with what it is answered by."""

    survey: Survey
    parts: Sequence[Part]
    unit: Unit

    @property
    def kind(self) -> str:
        return self.survey.target.kind


def headline(whole: Whole, verdict: Verdict, findings: Sequence[Finding], checks: Sequence[CheckResult]) -> str:
    parts, gaps = whole.parts, whole.survey.gaps
    if verdict in {Verdict.CRITICAL, Verdict.WARNING}:
        having = sum(part.finding(findings[0].code) is not None for part in parts)
        count = f": {having} of {len(parts)} {whole.unit.told}" if having and len(parts) > 1 else ""
        return f"{findings[0].cause.title}{count}"
    if verdict is Verdict.UNKNOWN:
        missed = len(blind(checks))
        if gaps and not missed:
            return f"Nothing found, but its {gaps[0].facet.replace('_', ' ')} could not be read"
        return f"Nothing found, but {missed} check{'s' if missed > 1 else ''} could not run"
    if findings and findings[0].code == "recovered":
        return findings[0].cause.title
    return _healthy(whole, sum(check.status is CheckStatus.PASSED for check in checks))


def _healthy(whole: Whole, passed: int) -> str:
    if not whole.unit.is_pod and not whole.parts:
        return "There is no workload in it"
    if not whole.parts:
        subject = "it" if whole.kind == "ServiceAccount" else "its pod template"
        return f"{_without_pods(whole)}; nothing is wrong with {subject}: {passed} checks passed"
    number, total = len(whole.parts), whole.survey.total
    whose = f"{number} of {total} {whole.unit.many}" if number < total else whole.unit.count(number)
    return f"Nothing is wrong with the token{'s' if number > 1 else ''} of {whose}: {passed} checks passed"


def _without_pods(whole: Whole) -> str:
    workload = whole.survey.workload
    if whole.kind == "ServiceAccount":
        return "No pod runs as it now"
    if workload and workload.suspended:
        return "Suspended, without any pod"
    if workload and workload.wanted == 0:
        return "No node wants a pod of it" if whole.kind == "DaemonSet" else "Scaled to zero"
    if workload and workload.ended:
        return f"{'Done' if workload.ended == 'Complete' else 'Failed'}, and its pods are gone"
    return "Between runs, without any pod" if whole.kind == "CronJob" else "It has no pod"


def notes(whole: Whole) -> tuple[str, ...]:
    """How much of the target was looked at, and what is odd about it as a whole."""
    return (*_examined(whole), *_oddities(whole))


def _examined(whole: Whole) -> Iterator[str]:
    survey, number, unit = whole.survey, len(whole.parts), whole.unit
    if number < survey.total:
        which = "in trouble first, then one of each revision and node, then the oldest" if unit.is_pod else "sick first"
        least = "at least " if survey.more else ""
        yield f"{number} of {least}{survey.total} {unit.many} were examined: those {which}."
    elif number > 1:
        yield f"All {number} {unit.many} were examined."
    elif number:
        yield f"Its only {unit.one} was examined." if not unit.is_pod else f"It has one pod: {whole.parts[0].name}."
    elif unit.is_pod and not survey.gaps:
        judged = "" if whole.kind == "ServiceAccount" else ": its pod template was examined instead"
        yield f"{_without_pods(whole)}{judged}."
    if not unit.is_pod and number:
        yield "Of each workload a pod or two were looked at: ask for a workload by its name to have all of it checked."


def _oddities(whole: Whole) -> Iterator[str]:
    workload, ended = whole.survey.workload, whole.survey.ended
    if workload and workload.failure:
        yield f"The Job has failed. {workload.failure}"
    if workload and workload.suspended and whole.parts:
        yield "It is suspended: no new pod is made."
    if ended:
        were = "was" if ended == 1 else "were"
        yield f"{PODS.count(ended)} in which nothing runs any more {were} left out."
