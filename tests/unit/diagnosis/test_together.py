"""Several reports made into one: the gravest verdict, who has what, and how many were looked at."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from msgspec.structs import replace

from bot.diagnosis import conclude
from bot.diagnosis.merging import Part, Unit, merged_checks, merged_findings, merged_timeline, names
from bot.model import (
    Cause,
    Certainty,
    CheckResult,
    CheckStatus,
    Evidence,
    Finding,
    Gap,
    GapKind,
    Moment,
    ObjectRef,
    Remedy,
    Report,
    Route,
    Severity,
    Snapshot,
    Survey,
    Verdict,
    Workload,
)
from tests.causes.cases import Case

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
UNIT = Unit("pod", "pods")
TARGET = ObjectRef(cluster="c", api_version="apps/v1", kind="Deployment", namespace="shop", name="web", uid="w")
DENIED = Gap(facet="logs", kind=GapKind.DENIED, reason="may not get pods/log", mend="allow it")


def finding(  # each has a default
    code: str,
    *quotes: str,
    severity: Severity = Severity.CRITICAL,
    certainty: Certainty = Certainty.PROVEN,
    explains: tuple[str, ...] = (),
    symptoms: tuple[str, ...] = (),
    text: str = "So it is.",
    last_resort: bool = False,
) -> Finding:
    cause = Cause(
        code=code,
        severity=severity,
        title=code.title(),
        explanation="",
        proof={},
        explains=explains,
        last_resort=last_resort,
    )
    return Finding(
        cause=cause,
        severity=severity,
        certainty=certainty,
        explanation=text,
        evidence=tuple(Evidence(source="log", text=quote, route=Route.LOG) for quote in quotes),
        remedies=(Remedy(text=f"mend {code}"),),
        symptoms=symptoms,
    )


def part(name: str, *findings: Finding, passed: tuple[str, ...] = (), skipped: tuple[str, ...] = ()) -> Part:
    checks = [
        *(CheckResult(name=found.code, status=CheckStatus.FAILED) for found in findings),
        *(CheckResult(name=code, status=CheckStatus.PASSED) for code in passed),
        *(CheckResult(name=code, status=CheckStatus.SKIPPED, reason="logs: no", gap=DENIED) for code in skipped),
    ]
    report = Report(
        target=replace(TARGET, kind="Pod", name=name),
        taken_at=NOW,
        verdict=Verdict.HEALTHY,
        headline="",
        findings=findings,
        checks=tuple(checks),
    )
    return Part(name, report)


def test_a_cause_is_told_once_with_who_has_it_and_who_has_not() -> None:
    parts = [
        part("a", finding("x", "l")),
        part("b", finding("x", "m")),
        part("c", passed=("x",)),
        part("d", skipped=("x",)),
    ]
    (merged,) = merged_findings(parts, UNIT)
    assert merged.explanation == "2 of 4 pods: a and b; not c; d could not be checked for it. So it is."
    assert [(piece.source, piece.text) for piece in merged.evidence] == [("pod a: log", "l"), ("pod b: log", "m")]


def test_all_of_them_and_the_only_one() -> None:
    (merged,) = merged_findings([part("a", finding("x", "l")), part("b", finding("x", "l"))], UNIT)
    assert merged.explanation == "All 2 pods. So it is."
    assert [piece.source for piece in merged.evidence] == ["log"], "what they share is quoted once, for all"
    (some,) = merged_findings([part("a", finding("x")), part("b", finding("x"))], replace(UNIT, examined=True))
    assert some.explanation == "All 2 examined pods. So it is."
    (alone,) = merged_findings([part("a", finding("x", "l"))], UNIT)
    assert alone.explanation == "So it is."


def test_the_gravest_and_surest_speaks_for_all() -> None:
    light = finding("x", severity=Severity.WARNING, text="Maybe.")
    unsure = finding("x", certainty=Certainty.POSSIBLE, text="Perhaps.")
    sure = finding("x", text="Surely.")
    (merged,) = merged_findings([part("a", light), part("b", unsure), part("c", sure)], UNIT)
    assert (merged.severity, merged.certainty) == (Severity.CRITICAL, Certainty.PROVEN)
    assert merged.explanation == "All 3 pods. c: Surely."


def test_each_pod_s_proof_has_its_turn() -> None:
    parts = [part(name, finding("x", *(f"{name}{number}" for number in range(5)))) for name in "abc"]
    (merged,) = merged_findings(parts, UNIT)
    assert [piece.text for piece in merged.evidence] == ["a0", "b0", "c0", "a1", "b1", "c1"]


def test_a_symptom_elsewhere_does_not_hide_where_it_stands_alone() -> None:
    root = finding("root", explains=("401",), symptoms=("401",))
    parts = [part("a", root, finding("401")), part("b", finding("401"), passed=("root",))]
    first, symptom = merged_findings(parts, UNIT)
    assert (first.code, first.symptoms) == ("root", ("401",))
    assert "In b it stands alone, without the cause that explains it elsewhere." in symptom.explanation
    assert "stands alone" not in first.explanation


def test_another_pod_s_last_resort_is_kept() -> None:
    parts = [part("a", finding("x")), part("b", finding("crash", severity=Severity.WARNING, last_resort=True))]
    assert [found.code for found in merged_findings(parts, UNIT)] == ["x", "crash"]


def test_a_check_ends_as_it_ended_worst() -> None:
    off = replace(DENIED, kind=GapKind.SWITCHED_OFF)
    skipped = CheckResult(name="y", status=CheckStatus.SKIPPED, gap=off)
    reports = [
        part("a", passed=("x", "y", "z")).report,
        replace(part("c", passed=("x",)).report, checks=(skipped,)),
        part("b", finding("x"), skipped=("y",)).report,
    ]
    merged = {check.name: check for check in merged_checks(reports)}
    assert {name: check.status.value for name, check in merged.items()} == {
        "x": "failed",
        "y": "skipped",
        "z": "passed",
    }
    assert merged["y"].gap is DENIED, "the reason that can be mended"


def test_a_moment_of_all_is_told_once_and_of_one_with_its_name() -> None:
    shared = Moment(at=NOW, what="service account web created")
    own = Moment(at=NOW + timedelta(minutes=1), what="container app started")
    named = Moment(at=NOW + timedelta(minutes=2), what="pod b created")
    parts = [part("a"), part("b")]
    parts = [
        Part("a", replace(parts[0].report, timeline=(shared, own))),
        Part("b", replace(parts[1].report, timeline=(shared, named))),
    ]
    assert [moment.what for moment in merged_timeline(parts)] == [
        "service account web created",
        "a: container app started",
        "pod b created",
    ]
    assert [moment.what for moment in merged_timeline(parts[:1])] == [shared.what, own.what]
    long = tuple(Moment(at=NOW + timedelta(minutes=each), what=f"a {each}") for each in range(50))
    assert len(merged_timeline([Part("a", replace(parts[0].report, timeline=long))])) == 30


def test_names_are_cut_where_there_are_many() -> None:
    assert names([]) == ""
    assert names(["a"]) == "a"
    assert names("abc") == "a, b and c"
    assert names("abcdefgh") == "a, b, c, d, e and 3 more"


# --- whole answers, from recorded snapshots ---------------------------------------------------------------------


def recorded(name: str, as_pod: str = "") -> Snapshot:
    snapshot = Case(cause="", kind="pass", recorded=name).snapshot()
    return replace(snapshot, target=replace(snapshot.target, name=as_pod)) if as_pod else snapshot


def survey(*pods: Snapshot, total: int = 0, **more: object) -> Survey:
    fields = {"target": TARGET, "taken_at": NOW, "pods": pods, "total": total or len(pods)}
    return msgspec.structs.replace(Survey(target=TARGET, taken_at=NOW), **{**fields, **more})


def test_one_sick_pod_of_three() -> None:
    report = conclude(
        survey(recorded("healthy-plain", "a"), recorded("account-recreated", "b"), recorded("healthy-plain", "c"))
    )
    assert report.verdict is Verdict.CRITICAL
    assert report.headline == "The service account was deleted and created again: 1 of 3 pods"
    assert report.findings[0].explanation.startswith("1 of 3 pods: b; not a and c.")
    assert [(member.name, member.verdict.value) for member in report.members] == [
        ("b", "critical"),
        ("a", "healthy"),
        ("c", "healthy"),
    ]
    assert report.notes == ("All 3 pods were examined.",)
    assert {check.name: check.status for check in report.checks}["service-account-recreated"] is CheckStatus.FAILED
    assert report.blast_radius is not None
    assert report.blast_radius.sentence.startswith("Beside the 3 examined:")
    assert report.target == TARGET


def test_of_many_it_says_how_many_and_which() -> None:
    report = conclude(
        survey(recorded("healthy-plain", "a"), recorded("healthy-plain", "b"), total=40, more=True, ended=2)
    )
    assert report.verdict is Verdict.HEALTHY
    assert report.headline.startswith("Nothing is wrong with the tokens of 2 of 40 pods: ")
    examined, left_out = report.notes
    assert examined.startswith("2 of at least 40 pods were examined: those in trouble first, then one of each revision")
    assert left_out == "2 pods in which nothing runs any more were left out."


@pytest.mark.parametrize(
    ("workload", "said"),
    [
        (Workload(wanted=0), "Scaled to zero"),
        (Workload(wanted=2), "It has no pod"),
        (Workload(suspended=True), "Suspended, without any pod"),
        (Workload(ended="Complete"), "Done, and its pods are gone"),
        (Workload(ended="Failed", failure="BackoffLimitExceeded: too often"), "Failed, and its pods are gone"),
    ],
)
def test_without_a_pod_it_says_why_and_that_the_template_was_judged(workload: Workload, said: str) -> None:
    own = replace(recorded("healthy-scaled-to-zero"), target=TARGET)
    report = conclude(survey(own=own, workload=workload))
    assert report.verdict is Verdict.HEALTHY
    assert report.headline.startswith(f"{said}; nothing is wrong with its pod template: ")
    assert report.notes[0] == f"{said}: its pod template was examined instead."
    assert ("The Job has failed. BackoffLimitExceeded: too often" in report.notes) is bool(workload.failure)


def test_pods_that_could_not_be_listed_leave_no_verdict() -> None:
    own = replace(recorded("healthy-scaled-to-zero"), target=TARGET)
    gap = replace(DENIED, facet="pods")
    report = conclude(survey(own=own, workload=Workload(wanted=2), gaps=(gap,)))
    assert (report.verdict, report.headline) == (Verdict.UNKNOWN, "Nothing found, but its pods could not be read")
    assert gap in report.gaps
    assert report.notes == ()


def test_a_template_s_own_fault_is_told_as_the_template_s() -> None:
    own = replace(recorded("new-revision-without-its-account"), target=TARGET)
    report = conclude(survey(recorded("healthy-plain", "a"), own=own, workload=Workload(wanted=2)))
    root = report.findings[0]
    assert (root.code, report.verdict) == ("service-account-missing", Verdict.CRITICAL)
    assert root.explanation.startswith("The pod template, for new pods: Its pods are to run as ")
    assert report.headline == root.cause.title, "no pod has it, so none is counted"


def test_advice_is_never_the_headline() -> None:
    own = recorded("account-that-may-do-everything")
    report = conclude(survey(target=own.target, own=own))
    assert report.verdict is Verdict.HEALTHY
    assert report.headline.startswith("No pod runs as it now; nothing is wrong with it: ")
    assert report.faults == ()
    assert [found.code for found in report.advice] == [
        "bindings-too-wide",
        "token-minting-granted",
        "token-secrets-readable",
    ]


def test_a_namespace_is_told_by_its_workloads() -> None:
    namespace = replace(TARGET, kind="Namespace", name="shop")
    sick = survey(
        recorded("account-recreated", "b-1"), recorded("healthy-plain", "b-2"), target=replace(TARGET, name="b")
    )
    well = survey(recorded("healthy-plain", "a-1"), target=replace(TARGET, name="a", kind="StatefulSet"))
    report = conclude(survey(target=namespace, workloads=(well, sick), total=3))
    assert report.verdict is Verdict.CRITICAL
    assert report.headline == "The service account was deleted and created again: 1 of 2 examined workloads"
    root = report.findings[0]
    assert root.explanation.startswith("1 of 2 examined workloads: deployment b. 1 of 2 pods: b-1; not b-2.")
    assert root.evidence[0].source.startswith("deployment b: pod b-1: ")
    assert [(member.name, member.verdict.value) for member in report.members] == [
        ("deployment b", "critical"),
        ("statefulset a", "healthy"),
    ]
    assert report.notes[0] == "2 of 3 workloads were examined: those sick first."
    empty = conclude(survey(target=namespace))
    assert (empty.verdict, empty.headline) == (Verdict.HEALTHY, "There is no workload in it")


def test_a_pod_by_itself_is_answered_as_ever() -> None:
    snapshot = recorded("account-recreated")
    report = conclude(Survey(target=snapshot.target, taken_at=NOW, own=snapshot, total=1))
    assert (report.notes, report.members, report.target) == ((), (), snapshot.target)
