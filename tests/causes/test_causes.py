"""Each cause against its cases: what must be found, what must not, and what looks very like it."""

import json

import pytest

from bot.diagnosis import CAUSES, diagnose
from bot.diagnosis.checks import CHECKS
from bot.model import Severity, Verdict
from tests.causes.cases import FOLDER, RECORDED, Case, cases, complaints

ALL = tuple(cases())


@pytest.mark.parametrize("case", ALL, ids=str)
def test_case(case: Case) -> None:
    assert not [*complaints(case, diagnose(case.snapshot()))]


@pytest.mark.parametrize("path", sorted(RECORDED.glob("healthy-*.json")), ids=lambda path: path.stem)
def test_a_healthy_pod_is_healthy(path: object) -> None:
    snapshot = Case(cause="", kind="pass", recorded=getattr(path, "stem", "")).snapshot()
    report = diagnose(snapshot)
    assert report.verdict is Verdict.HEALTHY, report.headline
    assert all(finding.severity is Severity.INFO for finding in report.findings)


def test_every_cause_has_a_check_and_cases_of_each_kind() -> None:
    assert {check.name for check in CHECKS} == set(CAUSES)
    kinds = {code: {case.kind for case in ALL if case.cause == code} for code in CAUSES}
    assert {code for code, found in kinds.items() if found != {"fail", "pass", "near_miss"}} == set()
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(CAUSES)


def test_every_recording_says_where_it_comes_from_and_is_used() -> None:
    used = {case.recorded for case in ALL}
    for path in RECORDED.glob("*.json"):
        assert json.loads(path.read_text())["recorded_from"].startswith("kube-apiserver v"), path.name
        assert path.stem in used or path.stem.startswith("healthy-"), f"{path.name} is used by no case"
