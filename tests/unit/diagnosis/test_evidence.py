"""Evidence holds no token, and a finding is no more certain than its routes of proof."""

from bot.diagnosis.evidence import found, quote
from bot.model import Certainty, Route, Severity
from bot.redact import MARK
from tests.unit.jwts import BOUND, token


def test_a_quote_is_redacted_before_it_is_cut() -> None:
    raw = token(BOUND)
    text = f"{'x' * 390} {raw}"
    for piece in (quote(Route.LOG, "log", raw), quote(Route.LOG, "log", text), quote(Route.LOG, raw, "")):
        assert raw[:16] not in piece.text + piece.source
    assert quote(Route.LOG, "log", f"sent {raw} off").text == f"sent {MARK} off"


def test_an_explanation_is_redacted_too() -> None:
    raw = token(BOUND)
    assert raw[:16] not in found("token-expired", f"it is {raw}", []).explanation


def test_certainty_is_the_best_of_its_routes_and_at_most_what_the_check_says() -> None:
    line, review = quote(Route.LOG, "log", "a"), quote(Route.REVIEW, "TokenReview", "b")
    assert found("token-expired", "", [line]).certainty is Certainty.LIKELY
    assert found("token-expired", "", [line, review]).certainty is Certainty.PROVEN
    assert found("token-expired", "", [review], at_most=Certainty.POSSIBLE).certainty is Certainty.POSSIBLE
    assert found("token-expired", "", []).certainty is Certainty.POSSIBLE


def test_the_same_quote_stands_once_and_at_most_five_do() -> None:
    quotes = [quote(Route.LOG, "log", str(number % 7)) for number in range(20)]
    assert [piece.text for piece in found("token-expired", "", quotes).evidence] == ["0", "1", "2", "3", "4"]


def test_severity_is_the_catalogues_unless_the_check_knows_better() -> None:
    assert found("token-expired", "", []).severity is Severity.CRITICAL
    assert found("token-expired", "", [], severity=Severity.WARNING).severity is Severity.WARNING
