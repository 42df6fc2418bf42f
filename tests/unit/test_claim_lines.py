"""Every claim is explained in one line of plain words."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from bot.claim_lines import ClaimLine, explain
from bot.model import Binding, Claims
from bot.tokens import RawToken, inspect
from tests.unit.jwts import BOUND, LEGACY, token

BOUND_CLAIMS = inspect(RawToken(token(BOUND)))
LEGACY_CLAIMS = inspect(RawToken(token(LEGACY)))
FOREIGN_CLAIMS = inspect(RawToken(token({"iss": "https://login.example", "sub": "ann", "aud": "app"})))
EXPIRY = datetime(2026, 11, 22, 12, tzinfo=UTC)


def line(claims: Claims, claim: str, now: datetime = EXPIRY) -> ClaimLine:
    (found,) = (line for line in explain(claims, now) if line.claim == claim)
    return found


def test_each_claim_of_a_bound_token_has_its_line() -> None:
    names = [line.claim for line in explain(BOUND_CLAIMS, EXPIRY)]
    assert names == [
        "kind",
        "sub",
        "account uid",
        "iss",
        "aud",
        "iat",
        "nbf",
        "exp",
        "warnafter",
        "pod",
        "node",
        "jti",
        "kid",
        "alg",
    ]


def test_a_sound_token_has_no_bad_line() -> None:
    now = EXPIRY - timedelta(hours=1)
    for claims in (BOUND_CLAIMS, LEGACY_CLAIMS, FOREIGN_CLAIMS):
        assert [line.claim for line in explain(claims, now) if line.bad] == []


@pytest.mark.parametrize(
    ("after", "meaning", "bad"),
    [
        (timedelta(minutes=-48), "expires in 48 min (lifetime 1 y)", False),
        (timedelta(seconds=60), "expired 1 min ago, still accepted within the 60 s of leeway (lifetime 1 y)", False),
        (timedelta(hours=3, minutes=12), "expired 3 h 12 min ago (lifetime 1 y)", True),
    ],
)
def test_an_expiry_is_told_with_the_leeway(after: timedelta, meaning: str, *, bad: bool) -> None:
    told = line(BOUND_CLAIMS, "exp", EXPIRY + after)
    assert (told.value, told.meaning, told.bad) == ("2026-11-22 12:00:00 UTC", meaning, bad)


def test_a_legacy_token_never_expires() -> None:
    assert line(LEGACY_CLAIMS, "exp").meaning == "never expires"
    assert "deleting it" in line(LEGACY_CLAIMS, "secret").meaning


def test_a_bound_token_without_expiry_is_told_as_odd() -> None:
    assert "never issues such a token" in line(replace(BOUND_CLAIMS, expires_at=None), "exp").meaning


@pytest.mark.parametrize(
    ("ahead", "meaning", "bad"),
    [
        (timedelta(hours=-1), "became valid 1 h ago", False),
        (timedelta(seconds=60), "valid in 1 min, within the 60 s of leeway", False),
        (timedelta(minutes=5), "valid in 5 min: the API server refuses it until then", True),
    ],
)
def test_a_start_is_told_with_the_leeway(ahead: timedelta, meaning: str, *, bad: bool) -> None:
    told = line(replace(BOUND_CLAIMS, not_before=EXPIRY + ahead), "nbf")
    assert (told.meaning, told.bad) == (meaning, bad)


def test_a_token_issued_ahead_means_a_wrong_clock() -> None:
    told = line(replace(BOUND_CLAIMS, issued_at=EXPIRY + timedelta(minutes=5)), "iat")
    assert told.bad
    assert told.meaning == "issued in 5 min, so a clock is wrong: the API server refuses it until then"


def test_an_extended_token_is_told_as_one() -> None:
    assert line(BOUND_CLAIMS, "warnafter").meaning == (
        "extended token: valid for 1 y, warned about after 1 h; the warning time passed 364 d 22 h ago"
    )


def test_the_node_beside_a_pod_is_not_verified_but_a_node_binding_is() -> None:
    assert line(BOUND_CLAIMS, "node").meaning == "where the pod runs; is not verified by the API server"
    alone = replace(BOUND_CLAIMS, pod=None)
    assert line(alone, "node").meaning.startswith("bound to this Node")


def test_a_token_bound_to_a_secret_or_to_nothing_says_so() -> None:
    secret = replace(BOUND_CLAIMS, pod=None, node=None, bound_secret=Binding(kind="Secret", name="s"))
    assert line(secret, "secret").meaning.startswith("bound to this Secret")
    assert line(replace(secret, bound_secret=None), "bound to").value == "nothing"


@pytest.mark.parametrize(
    ("algorithm", "meaning", "bad"),
    [
        ("none", "unsigned: proves nothing", True),
        ("NonE", "unsigned: proves nothing", True),
        ("HS256", "not a service-account algorithm", True),
        ("ES256", "as Kubernetes signs; the signature was not checked here", False),
    ],
)
def test_the_algorithm_is_never_proof(algorithm: str, meaning: str, *, bad: bool) -> None:
    told = line(replace(BOUND_CLAIMS, algorithm=algorithm), "alg")
    assert (told.meaning, told.bad) == (meaning, bad)


def test_a_subject_that_contradicts_the_service_account_is_bad() -> None:
    told = line(replace(BOUND_CLAIMS, service_account="billing"), "sub")
    assert told.bad
    assert "its other claims say shop/billing" in told.meaning


@pytest.mark.parametrize("subject", ["", "ann"])
def test_a_subject_that_is_no_service_account_is_bad_in_a_service_account_token(subject: str) -> None:
    assert line(replace(BOUND_CLAIMS, subject=subject), "sub").bad
    assert not line(replace(FOREIGN_CLAIMS, subject=subject), "sub").bad


def test_a_token_inside_a_claim_is_taken_out() -> None:
    inner = token(BOUND)
    for told in explain(replace(BOUND_CLAIMS, subject=f"system:serviceaccount:shop:{inner}", key_id=inner), EXPIRY):
        assert inner[:30] not in told.value + told.meaning
