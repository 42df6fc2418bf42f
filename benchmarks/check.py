"""How long a check takes, in a large cluster: against kubectl by hand, and against the bare requests."""

import statistics
from dataclasses import dataclass, field

from benchmarks import audit, in_slack
from benchmarks.bare import find_out
from benchmarks.contest import Contest, contest, same_requests
from benchmarks.fill import Size
from benchmarks.results import Row, Table
from benchmarks.same import recorder
from benchmarks.target import LOG_LINES, Target
from benchmarks.timing import longest_block, seconds
from tests.cluster.api import JsonObject
from tests.cluster.plane import Plane

FASTER_THAN_KUBECTL = 8.0
SLOWER_THAN_BARE = 1.5


@dataclass(frozen=True)
class Runs:
    """How many of each. Those of kubectl are spread over the pairs of a check and the bare requests.

    The warm-up's pairs are not counted.
    """

    warm_up: int
    pairs: int
    by_hand: int
    cold: int
    blocks: int
    slack: int


@dataclass
class Times:
    """Seconds, a value for each run."""

    check: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    by_hand: list[float] = field(default_factory=list)
    cold_check: list[float] = field(default_factory=list)
    cold_bare: list[float] = field(default_factory=list)
    blocks: list[float] = field(default_factory=list)
    slack: list[float] = field(default_factory=list)


async def measure(plane: Plane, target: Target, size: Size, runs: Runs) -> Table:
    """The check of the target, timed in a cluster that was filled to this size.

    Raises WrongAnswerError when the check misses the cause, DifferentError when the bare script sends something else.
    """
    async with contest(plane, target, await find_out(plane, target)) as sides:
        async with recorder(plane) as recording:
            await same_requests(recording, sides)
        for _ in range(runs.warm_up):
            await sides.check()
            await sides.requests()
        times = await _timed(sides, runs)
    times.slack = await in_slack.timed(plane, target, runs.slack)
    return Table("A check", _rows(times, audit.requests_of(plane)), _notes(size, runs))


async def _timed(sides: Contest, runs: Runs) -> Times:
    times = Times()
    for number in range(runs.pairs):
        pair = [(sides.check, times.check), (sides.requests, times.bare)]
        for work, into in pair if number % 2 else reversed(pair):
            into.append(await seconds(work))
        if number % max(1, runs.pairs // runs.by_hand) == 0 and len(times.by_hand) < runs.by_hand:
            times.by_hand.append(await seconds(sides.by_hand))
    for _ in range(runs.blocks):
        times.blocks.append(await longest_block(sides.check))
    for _ in range(runs.cold):
        times.cold_bare.append(await seconds(sides.cold_requests))
        times.cold_check.append(await seconds(sides.cold_check))
    return times


def _rows(times: Times, sent: list[JsonObject]) -> list[Row]:
    check = statistics.median(times.check)
    faster, slower = statistics.median(times.by_hand) / check, check / statistics.median(times.bare)
    cold = statistics.median(times.cold_check) / statistics.median(times.cold_bare)
    lists = [event for event in sent if audit.lists_whole_cluster(event)]
    return [
        Row("a check in a running bot", times.check),
        Row(
            "ten kubectl calls, one after another",
            times.by_hand,
            f"the check is {faster:.1f} times as fast",
            f"≥ {FASTER_THAN_KUBECTL:g} times",
            faster >= FASTER_THAN_KUBECTL,
        ),
        Row(
            "the same requests, bare",
            times.bare,
            f"the check takes {slower:.2f} times as long",
            f"≤ {SLOWER_THAN_BARE:g} times",
            slower <= SLOWER_THAN_BARE,
        ),
        Row("a check with no connection open", times.cold_check, f"{cold:.2f} times the bare requests"),
        Row("the same requests, bare, with no connection open", times.cold_bare),
        Row("the event loop's longest block during a check", times.blocks),
        Row("a slash command, until the answer stands in the channel", times.slack),
        Row("lists over a whole cluster", (), f"{len(lists)} of {len(sent)} requests", "0", bool(sent) and not lists),
    ]


def _notes(size: Size, runs: Runs) -> tuple[str, ...]:
    """Texts that are wrapped where they are written."""
    return (
        f"""In a real control plane with {size}. The pod has two containers and belongs to a Deployment of 20; one log
        has {LOG_LINES:,} lines, the last three of them refusals that the API server's log explains.""",
        f"""A check is all that the bot does between a command's words and the finished message, in a process that is
        warm and has its connections open. The bare requests are the same ones (compared by a proxy, with their queries
        and Accept headers) with the same dependencies, their bodies read and thrown away. The two alternate, pair by
        pair, and kubectl has its {runs.by_hand} of the runs between them. Its calls: get pod, describe pod, logs, get
        serviceaccount, get secrets, get secret, a TokenReview, kube-system's pods, leases, events.""",
        """The slash command goes through the Slack stand-in to a bot in a process of its own. Lists over a whole
        cluster are counted in the API server's audit log, over everything that the bot did here.""",
    )
