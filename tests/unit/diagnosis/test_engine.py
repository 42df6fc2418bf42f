"""The verdict's rules: unreadable is never healthy, and a root comes before its symptoms."""

import pytest
from msgspec.structs import replace

from bot.diagnosis import CAUSES, diagnose
from bot.diagnosis.checks import CHECKS
from bot.diagnosis.ranking import rank
from bot.model import Certainty, CheckStatus, Facet, Finding, Gap, GapKind, Severity, Snapshot, Verdict
from tests.causes.cases import Case

HEALTHY = Case(cause="", kind="pass", recorded="healthy-plain").snapshot()


def _with_gap(snapshot: Snapshot, facet: str, kind: GapKind) -> Snapshot:
    gap: Facet[object] = Facet(gap=Gap(facet=facet, kind=kind, reason="for this test"))
    return replace(snapshot, **{facet: gap})


def _finding(code: str, severity: Severity | None = None, certainty: Certainty = Certainty.LIKELY) -> Finding:
    cause = CAUSES[code]
    return Finding(cause=cause, severity=severity or cause.severity, certainty=certainty, explanation="", evidence=())


@pytest.mark.parametrize(
    "facet",
    [
        "pod",
        "logs",
        "service_account",
        "referenced_secrets",
        "events",
        "other_issuers",
        "node",
        "node_lease",
        "identity_leases",
    ],
)
@pytest.mark.parametrize("kind", [GapKind.DENIED, GapKind.TIMED_OUT, GapKind.UNAVAILABLE])
def test_what_could_not_be_read_spoils_a_healthy_verdict(facet: str, kind: GapKind) -> None:
    report = diagnose(_with_gap(HEALTHY, facet, kind))
    assert report.verdict is Verdict.UNKNOWN
    assert "could not run" in report.headline
    assert any(check.status is CheckStatus.SKIPPED and "for this test" in check.reason for check in report.checks)


@pytest.mark.parametrize("facet", ["exec_tokens", "probe", "secret_tokens"])
def test_a_route_that_was_switched_on_and_failed_spoils_it_too(facet: str) -> None:
    assert diagnose(_with_gap(HEALTHY, facet, GapKind.DENIED)).verdict is Verdict.UNKNOWN
    assert diagnose(_with_gap(HEALTHY, facet, GapKind.SWITCHED_OFF)).verdict is Verdict.HEALTHY


@pytest.mark.parametrize("facet", ["api_server_logs", "peers", "owners", "version", "token_secrets"])
def test_what_no_critical_check_needs_does_not_spoil_it(facet: str) -> None:
    report = diagnose(_with_gap(HEALTHY, facet, GapKind.DENIED))
    assert report.verdict is Verdict.HEALTHY
    assert facet in [gap.facet for gap in report.gaps]


def test_needs_and_uses_are_facets() -> None:
    assert {name for check in CHECKS for name in (*check.needs, *check.uses)} <= set(Snapshot.__struct_fields__)


def test_roots_come_before_symptoms_whatever_their_order() -> None:
    codes = ["api-unauthorized", "token-expired", "token-cached-in-process", "default-service-account"]
    ranked = rank([_finding(code) for code in codes])
    assert [finding.code for finding in ranked] == [
        "token-cached-in-process", "token-expired", "api-unauthorized", "default-service-account",
    ]  # fmt: skip
    assert set(ranked[0].symptoms) == {"token-expired", "api-unauthorized"}


def test_a_symptom_is_explained_through_another() -> None:
    ranked = rank([_finding("api-unauthorized"), _finding("token-from-another-cluster"), _finding("issuer-unknown")])
    assert next(finding.code for finding in ranked) == "token-from-another-cluster"
    assert set(ranked[0].symptoms) == {"api-unauthorized", "issuer-unknown"}


def test_the_certain_comes_before_the_possible() -> None:
    ranked = rank(
        [
            _finding("audience-mismatch", certainty=Certainty.POSSIBLE),
            _finding("token-malformed", certainty=Certainty.PROVEN),
        ]
    )
    assert ranked[0].code == "token-malformed"


def test_none_explains_what_is_graver_than_itself() -> None:
    """A mount that may fail one day is not why another container is refused now."""
    ranked = rank([_finding("token-mounted-by-subpath", Severity.WARNING), _finding("api-unauthorized")])
    assert [finding.code for finding in ranked] == ["api-unauthorized", "token-mounted-by-subpath"]
    assert not ranked[1].symptoms


def test_an_info_explains_nothing() -> None:
    ranked = rank([_finding("token-in-environment", Severity.INFO), _finding("api-unauthorized")])
    assert ranked[0].code == "api-unauthorized"
    assert not ranked[0].symptoms


def test_a_last_resort_falls_away_beside_a_critical_cause() -> None:
    both = [_finding("failing-for-another-reason"), _finding("service-account-missing")]
    assert [finding.code for finding in rank(both)] == ["service-account-missing"]
    assert [finding.code for finding in rank(both[:1])] == ["failing-for-another-reason"]


def test_explanations_form_no_ring() -> None:
    def reach(code: str, seen: tuple[str, ...] = ()) -> None:
        assert code not in seen, f"{' → '.join(seen)} → {code}"
        for symptom in CAUSES[code].explains:
            assert symptom in CAUSES
            reach(symptom, (*seen, code))

    for code in CAUSES:
        reach(code)


def test_the_same_snapshot_gives_the_same_report() -> None:
    assert diagnose(HEALTHY) == diagnose(HEALTHY)
