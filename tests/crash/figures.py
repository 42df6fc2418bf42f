"""The figures of a long campaign, as a section of benchmarks/results.md."""

import os
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from tests.crash.campaign import Outcome
from tests.crash.plan import Way

TITLE = "Crash campaign"


def section(outcomes: Sequence[Outcome]) -> list[str]:
    """Lines of Markdown, without the heading."""
    wrong = [sentence for outcome in outcomes for sentence in outcome.wrong]
    return [
        "Written by `make crash N=1000`; what happens is in `tests/crash/plan.py`, what must hold in `verdict.py`.",
        "",
        f"- {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores",
        f"- {_size(outcomes)} ({_seeds(outcomes)}), {sum(one.seconds for one in outcomes):.0f} s",
        f"- {_where(outcomes, 1)} by one replica on SQLite, {_where(outcomes, 2)} by two on PostgreSQL",
        "",
        "| what | number |",
        "| --- | --- |",
        *(f"| {what} | {told} |" for what, told in _rows(outcomes)),
        "",
        f"**What did not hold: {len(wrong) or 'nothing'}.**",
        *(f"- {sentence}" for sentence in wrong),
    ]


def _rows(outcomes: Sequence[Outcome]) -> list[tuple[str, str]]:
    total = _summed(outcomes)
    looking = [one for one in outcomes if one.plan.may_look]
    blind = [one for one in outcomes if not one.plan.may_look]
    return [
        *((str(way), _counted(_of(way, total(lambda one: one.deaths)))) for way in Way),
        ("processes started", str(sum(one.starts for one in outcomes))),
        ("faults of the API server and of Slack", _counted(total(lambda one: one.faults))),
        ("requests, by how they stand at the end", _counted(total(lambda one: one.states))),
        ("effects on the API server", _counted(total(lambda one: one.effects))),
        ("executions taken over from the dead", str(sum(one.taken_over for one in outcomes))),
        ("outcomes told as a reply", str(sum(one.outcomes for one in outcomes))),
        (
            "messages posted twice, where the bot may look for lost ones",
            f"{sum(one.doubled for one in looking)} of {sum(one.messages for one in looking)}",
        ),
        (
            "the same, where it may not (the manifest's scopes)",
            f"{sum(one.doubled for one in blind)} of {sum(one.messages for one in blind)}",
        ),
    ]


def _summed(outcomes: Sequence[Outcome]) -> Callable[[Callable[[Outcome], Counter[str]]], Counter[str]]:
    def total(part: Callable[[Outcome], Counter[str]]) -> Counter[str]:
        found: Counter[str] = Counter()
        for outcome in outcomes:
            found.update(part(outcome))
        return found

    return total


def _of(way: Way, deaths: Counter[str]) -> Counter[str]:
    """Without the words that all of them begin with."""
    mine = {name: count for name, count in deaths.items() if name.partition(":")[0] == way}
    return Counter({name.partition(": ")[2]: count for name, count in mine.items()})


def _counted(found: Counter[str]) -> str:
    return ", ".join(f"{count} {name}".strip() for name, count in sorted(found.items())) or "0"


def _where(outcomes: Sequence[Outcome], replicas: int) -> str:
    return _several(sum(len(one.plan.rounds) for one in outcomes if one.plan.replicas == replicas), "death")


def _size(outcomes: Sequence[Outcome]) -> str:
    deaths = sum(len(one.plan.rounds) for one in outcomes)
    return f"{_several(deaths, 'death')} in {_several(len(outcomes), 'campaign')}"


def _seeds(outcomes: Sequence[Outcome]) -> str:
    seeds = [outcome.plan.seed for outcome in outcomes]
    return f"seeds {min(seeds)} to {max(seeds)}"


def _several(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"
