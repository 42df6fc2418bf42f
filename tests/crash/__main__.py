"""`python -m tests.crash N`: N deaths, in campaigns of twenty; see tests/crash/plan.py for what happens in one."""

import argparse
import asyncio
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from benchmarks.plane import own_plane
from benchmarks.results import put
from tests.cluster.binaries import CannotBuildError
from tests.cluster.launch import StartError
from tests.crash import campaign, figures, replicas
from tests.crash.books import Address
from tests.crash.campaign import Outcome
from tests.crash.plan import Plan, planned
from tests.store.server import PASSWORD, CannotServeError, Server

ROUNDS = 20
MANIFEST = Path(__file__).parents[2] / "config" / "slack-manifest.yaml"
_HELD, _BROKEN, _CANNOT = 0, 1, 3


def main() -> int:
    """0 when everything held, 1 when not, 3 where it cannot be run."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("rounds", type=int, metavar="N", help="how many deaths")
    parser.add_argument("--seed", type=int, default=1, help="of the first campaign (default: %(default)s)")
    parser.add_argument("--replicas", type=int, choices=(1, 2), help="on SQLite or PostgreSQL (default: in turn)")
    parser.add_argument("--results", type=Path, help="a file that has a section for the figures")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="token-doctor-crash-"))
    try:
        outcomes = asyncio.run(_run(list(_plans(asked.rounds, asked.seed, asked.replicas)), folder))
    except (CannotBuildError, CannotServeError, StartError) as error:
        _say(str(error))
        return _CANNOT
    if asked.results:
        put(asked.results, figures.TITLE, figures.section(outcomes))
    if any(outcome.wrong for outcome in outcomes):
        _say(f"What the bots wrote is in {folder}.")
        return _BROKEN
    shutil.rmtree(folder)
    return _HELD


def scopes() -> tuple[str, ...]:
    """The manifest's."""
    return tuple(yaml.safe_load(MANIFEST.read_text("utf-8"))["oauth_config"]["scopes"]["bot"])


def told(outcome: Outcome) -> Iterator[str]:
    """What came of it, and how to repeat what went wrong."""
    plan = outcome.plan
    states = ", ".join(f"{count} {state}" for state, count in outcome.states.most_common())
    head = f"seed {plan.seed}: {len(plan.rounds)} deaths of {plan.replicas} replica{'s' * (plan.replicas > 1)}"
    yield f"{head}, {outcome.seconds:.0f} s, {sum(outcome.effects.values())} effects: {states}"
    yield from (f"  WRONG {sentence}" for sentence in outcome.wrong)
    if outcome.wrong:
        yield f"  again: python -m tests.crash {len(plan.rounds)} --seed {plan.seed} --replicas {plan.replicas}"


def _plans(rounds: int, seed: int, count: int | None) -> Iterator[Plan]:
    while rounds > 0:
        yield planned(seed, min(rounds, ROUNDS), count or 1 + seed % 2)
        rounds, seed = rounds - ROUNDS, seed + 1


async def _run(plans: Sequence[Plan], folder: Path) -> list[Outcome]:
    replicas.prepare()
    server = await asyncio.to_thread(Server.create) if any(plan.replicas > 1 for plan in plans) else None
    outcomes = []
    try:
        async with own_plane(folder / "control-plane") as plane:
            for plan in plans:
                own = folder / f"seed-{plan.seed}"
                await asyncio.to_thread(own.mkdir)
                address = Address(f"sqlite+aiosqlite:///{own}/doctor.db")
                if plan.replicas > 1 and server is not None:
                    address = Address(await server.create_database(f"seed_{plan.seed}"), PASSWORD)
                outcomes.append(await campaign.run(plan, plane, own, address, scopes()))
                for line in told(outcomes[-1]):
                    _say(line)
    finally:
        if server is not None:
            await asyncio.to_thread(server.remove)
    return outcomes


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
