"""That the refusals have stopped is said on evidence, and on nothing else."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from bot.diagnosis import CAUSES
from bot.diagnosis.aftermath import aftermath
from bot.model import (
    Certainty,
    ContainerLog,
    Facet,
    Finding,
    Gap,
    GapKind,
    LogLine,
    ObjectRef,
    Report,
    Severity,
    Snapshot,
    Survey,
    Verdict,
)

SINCE = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)
NOW = SINCE + timedelta(minutes=6)
CAUSE = "token-cached-in-process"
PROOF = timedelta(minutes=5)


def ref(kind: str, name: str) -> ObjectRef:
    return ObjectRef(cluster="prod", api_version="v1", kind=kind, namespace="shop", name=name)


def log(*minutes: float, previous: bool = False, truncated: bool = False) -> ContainerLog:
    lines = tuple(LogLine(text="GET /orders 200", at=SINCE + timedelta(minutes=minute)) for minute in minutes)
    return ContainerLog(container="app", lines=lines, previous=previous, truncated=truncated)


def pod(*logs: ContainerLog, gap: Gap | None = None) -> Snapshot:
    facet = Facet[tuple[ContainerLog, ...]](value=logs, gap=gap)
    return Snapshot(target=ref("Pod", "checkout-1"), taken_at=NOW, logs=facet)


def finding(code: str, severity: Severity) -> Finding:
    cause = CAUSES[code]
    return Finding(cause=cause, severity=severity, certainty=Certainty.LIKELY, explanation="", evidence=())


def said(
    *pods: Snapshot, findings: tuple[Finding, ...] = (), cause: str = CAUSE, proof: timedelta = PROOF
) -> tuple[bool, str]:
    target = ref("Deployment", "checkout")
    report = Report(target=target, taken_at=NOW, verdict=Verdict.HEALTHY, headline="", findings=findings)
    survey = Survey(target=target, taken_at=NOW, pods=pods)
    found = aftermath(survey, report, since=SINCE, cause=cause, proof=proof)
    return found.proven, found.text


def test_five_minutes_of_log_without_a_refusal_prove_it() -> None:
    assert said(pod(log(0.5, 3, 5.8)), pod(log(0.2, 6))) == (
        True,
        "The 401s have stopped: its 2 pods have logged for 5 min 18 s since without one.",
    )
    assert said(pod(log(0.5, 5.8)), cause="") == (True, "No 401s: its pod has logged for 5 min 18 s since without one.")


@pytest.mark.parametrize(
    ("logs", "sentence"),
    [
        ((log(0.1, 4),), "No new evidence yet: its pod has logged for only 3 min 54 s since."),
        ((), "No new evidence yet: its pod has logged nothing since."),
        ((log(-60, -1),), "No new evidence yet: its pod has logged nothing since."),
        ((log(0.1, 5.9, previous=True),), "No new evidence yet: its pod has logged nothing since."),
        ((log(0.1, 99),), "No new evidence yet: its pod has logged nothing since."),
        ((log(5.5, 5.9),), "No new evidence yet: its pod has logged for only 24 s since."),
    ],
)
def test_silence_and_what_came_before_prove_nothing(logs: tuple[ContainerLog, ...], sentence: str) -> None:
    assert said(pod(*logs)) == (False, sentence)


def test_what_is_proof_can_be_set() -> None:
    assert not said(pod(log(0.5, 1.4)), proof=timedelta(minutes=1))[0]
    assert said(pod(log(0.5, 1.5)), proof=timedelta(minutes=1))[0]


def test_each_pod_has_to_show_it() -> None:
    assert not said(pod(log(0.1, 5.9)), pod(log(0.1, 2)))[0]


def test_a_log_too_long_to_be_read_whole_counts_from_the_beginning() -> None:
    assert said(pod(log(5.8, 5.9, truncated=True)))[0]


def test_a_log_that_was_not_read_proves_nothing() -> None:
    gap = Gap(facet="logs", kind=GapKind.DENIED, reason="token-doctor may not get pods/log")
    assert said(pod(gap=gap)) == (
        False,
        "No evidence: not every log could be read (token-doctor may not get pods/log).",
    )


def test_without_pods_there_is_no_evidence() -> None:
    assert said() == (False, "No new evidence yet: there are no pods that could show whether it helped.")


@pytest.mark.parametrize(
    ("code", "severity", "proven"),
    [
        (CAUSE, Severity.WARNING, False),
        ("token-expired", Severity.CRITICAL, False),
        ("api-unauthorized", Severity.WARNING, False),
        ("recovered", Severity.INFO, True),
        ("legacy-secret-mounted", Severity.WARNING, True),
    ],
)
def test_what_is_still_found_outweighs_a_quiet_log(*, code: str, severity: Severity, proven: bool) -> None:
    found, text = said(pod(log(0.1, 5.9)), findings=(finding(code, severity),))
    assert found is proven
    assert text.startswith("The 401s have stopped" if proven else f"It has not helped so far: {CAUSES[code].title}")


def test_a_pod_itself_can_show_it() -> None:
    report = Report(target=ref("Pod", "checkout-1"), taken_at=NOW, verdict=Verdict.HEALTHY, headline="")
    survey = Survey(target=report.target, taken_at=NOW, own=replace(pod(log(0.1, 5.9)), target=report.target))
    assert aftermath(survey, report, since=SINCE, cause=CAUSE, proof=PROOF).proven
