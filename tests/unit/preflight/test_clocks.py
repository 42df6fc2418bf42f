"""The clocks' part: what is proven by the Date of an answer, and no more."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.model import ServedDate
from bot.preflight.clocks import of_cluster, of_slack
from bot.preflight.trial import Outcome, Section
from tests.unit.preflight.conftest import Preflight, but_ok

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


def served(ahead: float, took: float = 0.2, endpoint: str = "https://api") -> ServedDate:
    """A clock that is so many seconds ahead of ours; the answer took so long."""
    sent = NOON
    date = sent + timedelta(seconds=ahead + took / 2)
    received = sent + timedelta(seconds=took)
    return ServedDate(endpoint=endpoint, date=date.replace(microsecond=0), sent=sent, received=received)


@pytest.mark.parametrize(
    ("ahead", "outcome", "text"),
    [
        (0, Outcome.OK, "this machine's clock agrees with Slack's, to 1 s"),
        (-20, Outcome.OK, "this machine's clock is at least 19 s ahead of Slack's"),
        (45, Outcome.WARNING, "this machine's clock is at least 44 s behind Slack's; expiry and leases go by"),
        (-45, Outcome.WARNING, "this machine's clock is at least 44 s ahead of Slack's; expiry and leases go by"),
        (400, Outcome.WARNING, "this machine's clock is at least 6 min 39 s behind Slack's; expiry and leases go by"),
    ],
)
def test_slack_s_clock(ahead: float, outcome: Outcome, text: str) -> None:
    (trial,) = of_slack(served(ahead), signed=False)
    assert trial.outcome is outcome
    assert trial.text.startswith(text)


def test_signed_requests_would_be_refused_by_a_clock_that_is_five_minutes_off() -> None:
    (trial,) = of_slack(served(400), signed=True)
    assert trial.outcome is Outcome.FAILED
    assert trial.text.endswith("every signed request would be refused")
    (trial,) = of_slack(served(290), signed=True)
    assert trial.outcome is Outcome.WARNING
    assert list(of_slack(None, signed=True)) == []


def test_a_slow_answer_proves_little() -> None:
    (trial,) = of_slack(served(40, took=30), signed=True)
    assert trial.outcome is Outcome.OK


def test_each_api_server_has_its_own_clock_and_all_its_answers_count() -> None:
    right, wrong = served(0, took=5, endpoint="https://one"), served(-90, endpoint="https://two")
    one, two = of_cluster("prod", [right, wrong, served(0, endpoint="https://one")])
    assert (one.outcome, one.text) == (
        Outcome.OK,
        "this machine's clock agrees with that of cluster prod at https://one, to 1 s",
    )
    assert two.outcome is Outcome.WARNING
    assert two.text.startswith(
        "this machine's clock is at least 1 min 29 s ahead of that of cluster prod at https://two"
    )


async def test_a_machine_whose_clock_is_wrong(preflight: Preflight) -> None:
    skew = timedelta(minutes=3)
    found = but_ok(await preflight(now=lambda: datetime.now(UTC) - skew))
    assert [(trial.section, trial.outcome) for trial in found] == [(Section.CLOCKS, Outcome.WARNING)]
    assert "this machine's clock is at least 2 min 5" in found[0].text
    assert "behind Slack's" in found[0].text
