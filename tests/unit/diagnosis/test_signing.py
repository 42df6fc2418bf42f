"""What is said of keys that differ: no more than was seen."""

import pytest
from msgspec.structs import replace

from bot.diagnosis import diagnose
from bot.model import Facet, Finding, Gap, GapKind, Review, SeenToken, Snapshot, TokenSource, Verdict
from tests.causes.cases import Case

HEALTHY = Case(cause="", kind="pass", recorded="healthy-two-api-servers-exec-probe").snapshot()
UNKNOWN = "[invalid bearer token, invalid signature, no keys found]"


def disagreement(snapshot: Snapshot) -> Finding:
    return next(finding for finding in diagnose(snapshot).findings if finding.code == "signing-keys-disagree")


def fresh(*errors: str) -> Snapshot:
    """The probe's token, judged by as many API servers; "" accepts it."""
    reviews = tuple(
        Review(endpoint=f"https://10.0.0.{number}:6443", authenticated=not error, error=error)
        for number, error in enumerate(errors, 1)
    )
    token = SeenToken(source=TokenSource.PROBE, place="a fresh token", reviews=reviews)
    return replace(HEALTHY, probe=Facet(value=(token,)))


def test_a_token_that_one_accepts_is_known_to_somebody() -> None:
    said = disagreement(fresh("", UNKNOWN)).explanation
    assert said == "a fresh token: accepted at https://10.0.0.1:6443, refused at https://10.0.0.2:6443."


def test_a_token_that_nobody_accepts_is_signed_with_a_key_of_its_signer_s_own() -> None:
    said = disagreement(fresh(UNKNOWN, UNKNOWN)).explanation
    assert said == "a fresh token: signed just now by the API server, and no API server knows its key."


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [(GapKind.UNOBSERVABLE, Verdict.HEALTHY), (GapKind.DENIED, Verdict.UNKNOWN), (GapKind.TIMED_OUT, Verdict.UNKNOWN)],
)
def test_an_api_server_that_was_not_asked_is_told(kind: GapKind, verdict: Verdict) -> None:
    """A private address is nobody's fault; a missing right is."""
    gap = Gap(facet="endpoint_discoveries", kind=kind, reason="not every API server could be asked by itself")
    report = diagnose(replace(HEALTHY, endpoint_discoveries=Facet(value=(), missing=gap)))
    assert report.verdict is verdict
    assert gap in report.gaps
