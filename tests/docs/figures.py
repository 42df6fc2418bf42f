"""Every figure that the bot itself shows at /metrics, with its labels."""

from collections.abc import Iterator
from datetime import UTC, datetime

from prometheus_client import Metric

from bot.metrics import Known, database, families, refusals
from bot.model import Due, ItemKind, Tally
from bot.slack.signature import Refusal
from bot.store import Figures, Standing

AT = datetime(2026, 8, 3, 9, 0, tzinfo=UTC)
TALLY = Tally(kinds=dict.fromkeys(ItemKind, 1), due=dict.fromkeys(Due, 1))
KNOWN = Known(
    standings={"daily": Standing(begun_at=AT)},
    figures=[Figures(schedule="daily", cluster="prod", at=AT, complete=True, tallies={"shop": TALLY})],
)


def families_shown() -> Iterator[Metric]:
    yield from families(KNOWN)
    yield database(up=True)
    yield refusals(dict.fromkeys(Refusal, 1))


def labels() -> dict[str, list[dict[str, str]]]:
    """The labels of each sample, by its name."""
    found: dict[str, list[dict[str, str]]] = {}
    for family in families_shown():
        for sample in family.samples:
            found.setdefault(sample.name, []).append(dict(sample.labels))
    return found


def described() -> Iterator[tuple[str, str]]:
    """The name that each is asked for by, and what it is."""
    for family in families_shown():
        yield next(sample.name for sample in family.samples), family.documentation
