"""A short campaign on one replica and one on two; `make crash N=1000` is the long one."""

from pathlib import Path

import pytest

from bot.actions.executor import CHECKPOINTS
from tests.cluster.plane import Plane
from tests.crash import campaign, replicas
from tests.crash.__main__ import ROUNDS, scopes, told
from tests.crash.books import Address
from tests.crash.campaign import Outcome
from tests.crash.plan import Plan, Way, planned
from tests.store.server import PASSWORD, Server

SHORT = 10


def test_a_seed_makes_one_plan_and_a_campaign_has_every_death() -> None:
    for count in (1, 2):
        plan = planned(7, ROUNDS, count)
        assert plan == planned(7, ROUNDS, count)
        assert plan != planned(8, ROUNDS, count)
        deaths = [each.death for each in plan.rounds]
        assert {death.at for death in deaths if death.way is Way.CHECKPOINT} == set(CHECKPOINTS)
        assert {death.way for death in deaths} == set(Way) - ({Way.FREEZE} if count == 1 else set())


@pytest.mark.cluster
async def test_one_replica_dies_and_dies_and_nothing_is_lost_or_done_twice(plane: Plane, tmp_path: Path) -> None:
    address = Address(f"sqlite+aiosqlite:///{tmp_path}/doctor.db")
    _holds(await _short(planned(1, SHORT, replicas=1), plane, tmp_path, address))


@pytest.mark.cluster
async def test_two_replicas_take_over_from_each_other(plane: Plane, server: Server, tmp_path: Path) -> None:
    address = Address(await server.create_database("crash"), PASSWORD)
    _holds(await _short(planned(2, SHORT, replicas=2), plane, tmp_path, address))


async def _short(plan: Plan, plane: Plane, folder: Path, address: Address) -> Outcome:
    replicas.prepare()
    return await campaign.run(plan, plane, folder, address, scopes())


def _holds(outcome: Outcome) -> None:
    """And something was tried at all."""
    assert outcome.wrong == [], "\n".join(told(outcome))
    assert sum(outcome.deaths.values()) == SHORT
    assert sum(outcome.effects.values()) >= outcome.states["succeeded"] > 0
    assert sum(outcome.faults.values()) > 0
    assert outcome.taken_over > 0
