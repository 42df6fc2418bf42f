"""What is told fits the cluster: its version, and who runs its control plane."""

import pytest
from msgspec.structs import replace

from bot.diagnosis import diagnose
from bot.model import Facet, Gap, GapKind, Snapshot, Verdict
from bot.objects import Version
from tests.causes.cases import Case


def recorded(name: str) -> Snapshot:
    return Case(cause="", kind="fail", recorded=name).snapshot()


def gap(facet: str, kind: GapKind) -> Facet[object]:
    return Facet(gap=Gap(facet=facet, kind=kind, reason="for this test"))


def test_a_hidden_log_is_to_be_seen_at_the_vendor() -> None:
    hidden = {name: gap(name, GapKind.UNOBSERVABLE) for name in ("api_server_logs", "authentication")}
    version = Facet(value=Version(git_version="v1.33.5-eks-3cfe0ce"))
    report = diagnose(replace(recorded("healthy-plain"), **hidden, version=version))
    mends = {found.facet: found.mend for found in report.gaps}
    assert "EKS (version v1.33.5-eks-3cfe0ce)" in mends["api_server_logs"]
    assert "CloudWatch" in mends["api_server_logs"]
    assert "aws eks" in mends["authentication"]
    assert report.verdict is Verdict.HEALTHY


@pytest.mark.parametrize("facet", ["authentication", "authentication_files", "token_counts"])
@pytest.mark.parametrize("kind", [GapKind.DENIED, GapKind.TIMED_OUT, GapKind.UNAVAILABLE])
def test_how_the_api_server_authenticates_is_no_reason_for_a_doubt(facet: str, kind: GapKind) -> None:
    report = diagnose(replace(recorded("healthy-plain"), **{facet: gap(facet, kind)}))
    assert report.verdict is Verdict.HEALTHY
    assert facet in [found.facet for found in report.gaps]


@pytest.mark.parametrize(
    ("version", "count"), [("v1.36.3", 1), ("v1.21.14", 1), ("", 2)], ids=["present", "old", "unknown"]
)
def test_of_two_remedies_for_different_versions_one_is_told(version: str, count: int) -> None:
    told = Facet(value=Version(git_version=version)) if version else gap("version", GapKind.DENIED)
    root = diagnose(replace(recorded("issuer-changed-exec"), version=told)).findings[0]
    about_the_change = [remedy.text for remedy in root.remedies if "If the issuer was changed" in remedy.text]
    assert len(about_the_change) == count
    assert all(("(Kubernetes " in text) is (count == 2) for text in about_the_change)
