"""What was approved is done once, whatever dies, lies or goes away on the way."""

import asyncio
from datetime import datetime, timedelta

import pytest

from bot.actions.action import CannotActError
from bot.actions.approvals import Approvals, Ask
from bot.actions.executor import CHECKPOINTS
from bot.model import Purpose, Request, State
from bot.store import Store
from tests.cluster.waiting import eventually
from tests.unit.actions.world import APPROVERS, AVERY, CHANNEL, ERIN, ON_CALL, SAM, Worker, World


async def approved(world: World, approvals: Approvals, name: str = "checkout") -> str:
    ask = Ask(plan=world.plan(name), requester=ERIN, reason="401s", channel=CHANNEL, cause="token-cached-in-process")
    request = (await approvals.propose(ask)).request
    assert request is not None
    decided = await approvals.decide(request.id, AVERY, approves=True)
    assert decided.counted, decided.why
    return request.id


async def stored(store: Store, request: str) -> Request:
    found = await store.requests.get(request)
    assert found is not None
    return found


@pytest.fixture
def approvals(world: World, store: Store) -> Approvals:
    return world.approvals(store)


@pytest.fixture
def workers(world: World, store: Store, approvals: Approvals) -> tuple[Worker, Worker]:
    return Worker(world, store, approvals, "w1"), Worker(world, store, approvals, "w2")


async def runs(worker: Worker) -> None:
    worker.start()
    await worker.settled()


async def test_an_approved_request_is_carried_out_step_by_step(
    world: World, store: Store, approvals: Approvals, workers: tuple[Worker, Worker]
) -> None:
    request = await approved(world, approvals)
    await runs(workers[0])
    found = await stored(store, request)
    assert (found.state, found.outcome) == (State.SUCCEEDED, "2 pods are ready. The 401s have stopped.")
    assert world.effects[request] == 1
    assert tuple(workers[0].passed) == CHECKPOINTS
    purposes = {message.purpose for message in await store.messages.of(request)}
    assert purposes == {Purpose.DECISION, Purpose.PROGRESS, Purpose.OUTCOME}
    await runs(workers[1])
    assert (await stored(store, request)) == found


async def test_what_nobody_approved_is_not_taken_up(
    world: World, store: Store, approvals: Approvals, workers: tuple[Worker, Worker]
) -> None:
    ask = Ask(plan=world.plan("checkout"), requester=ERIN, reason="", channel=CHANNEL)
    assert (await approvals.propose(ask)).request
    await runs(workers[0])
    assert world.applies == []
    assert len(await store.requests.list_(states=[State.PENDING])) == 1


@pytest.mark.parametrize("checkpoint", CHECKPOINTS)
async def test_a_worker_that_dies_anywhere_is_taken_over_and_the_effect_stays_one(
    checkpoint: str, world: World, store: Store, approvals: Approvals, workers: tuple[Worker, Worker]
) -> None:
    request = await approved(world, approvals)
    first, second = workers
    first.dies_at = checkpoint
    await runs(first)
    assert first.passed[-1] == checkpoint
    await runs(second)
    assert (await stored(store, request)).state is (State.RUNNING if checkpoint != "recorded" else State.SUCCEEDED)
    world.time.advance(31)
    await runs(second)
    found = await stored(store, request)
    assert (found.state, world.effects[request]) == (State.SUCCEEDED, 1)
    await approvals.show(found)
    assert [entry.became for entry in await store.requests.trail(request=request)].count(State.SUCCEEDED) == 1


async def test_a_lost_answer_is_no_second_effect(
    world: World, store: Store, approvals: Approvals, workers: tuple[Worker, Worker]
) -> None:
    request = await approved(world, approvals)
    world.answers_get_lost = True
    await runs(workers[0])
    assert (await stored(store, request)).state is State.RUNNING
    world.time.advance(6)
    await workers[0].settled()
    assert (await stored(store, request)).state is State.SUCCEEDED
    assert (world.effects[request], world.applies) == (1, [request])


async def test_an_effect_that_comes_late_is_no_second_effect(
    world: World, store: Store, approvals: Approvals, workers: tuple[Worker, Worker]
) -> None:
    request = await approved(world, approvals)
    world.answers_come_late = True
    await runs(workers[0])
    world.time.advance(6)
    await workers[0].settled()
    assert (await stored(store, request)).state is State.SUCCEEDED
    world.deliver_late()
    assert world.effects[request] == 1


async def test_a_worker_that_lost_its_claim_does_and_records_nothing_more(
    world: World, store: Store, approvals: Approvals, workers: tuple[Worker, Worker]
) -> None:
    request = await approved(world, approvals)
    first, second = workers
    world.stalls = True
    await runs(first)  # it stands in the middle of the effect
    world.time.wall += timedelta(hours=1)
    await runs(second)
    world.time.advance(6)  # the first one's heartbeat finds out
    await first.settled()
    assert first.task is None
    assert "applied" not in first.passed
    found = await stored(store, request)
    assert found.state is State.FAILED
    assert "expired" in found.outcome
    assert world.effects[request] == 0


async def test_two_workers_in_the_middle_of_the_same_effect_do_it_once(
    world: World, store: Store, approvals: Approvals, workers: tuple[Worker, Worker]
) -> None:
    request = await approved(world, approvals)
    first, second = workers
    world.stalls = True
    await runs(first)
    world.time.wall += timedelta(seconds=31)
    await runs(second)
    assert world.effects[request] == 1
    world.stalled[0][1].set_result(None)
    await first.settled()
    assert world.effects[request] == 1
    found = await stored(store, request)
    assert (found.state, found.fence) == (State.SUCCEEDED, 2)


async def test_another_object_or_template_makes_it_stale_and_tells_the_new_difference(
    world: World, store: Store, approvals: Approvals, workers: tuple[Worker, Worker]
) -> None:
    edited, replaced = await approved(world, approvals, "edited"), await approved(world, approvals, "replaced")
    world.edit("edited")
    world.replace("replaced")
    await runs(workers[0])
    await runs(workers[0])
    first, second = await stored(store, edited), await stored(store, replaced)
    assert (first.state, second.state) == (State.STALE, State.STALE)
    assert "What would be done now:\n+ v2" in first.outcome
    assert "It is another object by now." in second.outcome
    assert world.applies == []


async def test_who_lost_their_right_meanwhile_gets_nothing_done(
    world: World, store: Store, approvals: Approvals, workers: tuple[Worker, Worker]
) -> None:
    of_requester, of_approver = await approved(world, approvals, "a"), await approved(world, approvals, "b")
    world.groups[APPROVERS] = {SAM.id}
    await runs(workers[0])
    world.groups[ON_CALL] = set()
    await runs(workers[0])
    outcomes = {(await stored(store, request)).outcome for request in (of_requester, of_approver)}
    assert world.applies == []
    assert any("and 0 still count; U0AVERY00 is none of the approvers" in outcome for outcome in outcomes)
    assert any("U0ERIN000 is none of its requesters" in outcome for outcome in outcomes)


async def test_the_cluster_is_waited_for_until_the_approval_expires(
    world: World, store: Store, approvals: Approvals, workers: tuple[Worker, Worker]
) -> None:
    request = await approved(world, approvals)
    world.down = True
    await runs(workers[0])
    world.time.advance(6)
    await workers[0].settled()
    found = await stored(store, request)
    assert (found.state, found.step) == (State.RUNNING, "Waiting: The API server is away.")
    for _ in range(31):
        for _ in range(10):
            world.time.advance(6)
            await workers[0].settled()
    found = await stored(store, request)
    assert found.state is State.FAILED
    assert found.outcome == "The approval expired while this was waited for: The API server is away."


async def test_slack_that_is_away_delays_and_does_not_fail(
    world: World, store: Store, approvals: Approvals, workers: tuple[Worker, Worker]
) -> None:
    request = await approved(world, approvals)
    world.slack_down = True
    await runs(workers[0])
    assert world.applies == []
    world.slack_down = False
    world.time.advance(6)
    await workers[0].settled()
    assert (await stored(store, request)).state is State.SUCCEEDED


async def test_a_failed_rollout_fails_the_request(
    world: World, store: Store, approvals: Approvals, workers: tuple[Worker, Worker]
) -> None:
    request = await approved(world, approvals)
    world.rollout_fails = True
    await runs(workers[0])
    found = await stored(store, request)
    assert (found.state, found.outcome) == (State.FAILED, "2 pods are ready. They crash.")


async def test_without_evidence_it_is_looked_again_by_anybody_and_not_for_ever(
    world: World, store: Store, approvals: Approvals, workers: tuple[Worker, Worker]
) -> None:
    request = await approved(world, approvals)
    world.proven_after = 99
    first, second = workers
    await runs(first)
    found = await stored(store, request)
    assert (found.state, found.looks) == (State.RUNNING, 1)
    assert found.step == "2 pods are ready. No new evidence yet. Looking again in 5 min."
    await runs(second)
    assert (await stored(store, request)) == found  # not before its time
    for _ in range(3):
        world.time.advance(301)
        await runs(second)
    found = await stored(store, request)
    assert (found.state, found.looks) == (State.SUCCEEDED, 3)
    assert found.outcome == ("2 pods are ready. No new evidence yet. That was the last look: check it again yourself.")
    assert world.effects[request] == 1


async def test_evidence_at_a_later_look_closes_the_loop(
    world: World, store: Store, approvals: Approvals, workers: tuple[Worker, Worker]
) -> None:
    request = await approved(world, approvals)
    world.proven_after = 2
    await runs(workers[0])
    world.replace("checkout")  # by now somebody else's change is no business of this request
    world.time.advance(301)
    await runs(workers[1])
    found = await stored(store, request)
    assert (found.state, found.outcome) == (State.SUCCEEDED, "2 pods are ready. The 401s have stopped.")


async def test_an_execution_that_breaks_is_told_with_a_number_for_the_log(
    world: World, store: Store, approvals: Approvals, workers: tuple[Worker, Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    request = await approved(world, approvals)

    async def breaks(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(workers[0].executor._execution, "_may_run", breaks)  # noqa: SLF001  # a bug of ours, made on purpose
    await runs(workers[0])
    found = await stored(store, request)
    assert found.state is State.FAILED
    assert "token-doctor itself failed; its log says why (incident " in found.outcome


@pytest.mark.parametrize(("step", "effects"), [("standing", 0), ("look", 1)])
async def test_whose_claim_is_taken_over_in_the_middle_of_a_step_stops_there(
    *, step: str, effects: int, world: World, store: Store, approvals: Approvals, workers: tuple[Worker, Worker]
) -> None:
    """Before the next heartbeat finds out: neither the effect nor the record comes after it."""
    request = await approved(world, approvals)

    async def taken_over() -> None:
        world.time.wall += timedelta(seconds=31)
        assert await store.requests.claim("w2", world.time.now(), 30)

    world.meanwhile[step] = taken_over
    await runs(workers[0])
    assert (world.effects[request], len(world.applies)) == (effects, effects)
    found = await stored(store, request)
    assert (found.state, found.worker, found.fence) == (State.RUNNING, "w2", 2)


async def test_an_effect_that_arrives_while_it_is_planned_again_is_no_change_of_somebody_elses(
    world: World, store: Store, approvals: Approvals, workers: tuple[Worker, Worker]
) -> None:
    request = await approved(world, approvals)
    world.answers_come_late = True
    await runs(workers[0])

    async def arrives() -> None:
        world.deliver_late()
        raise CannotActError("It is rolling out already.")

    world.meanwhile["plan"] = arrives
    world.time.advance(6)
    await workers[0].settled()
    assert ((await stored(store, request)).state, world.effects[request]) == (State.SUCCEEDED, 1)


async def test_what_is_not_possible_any_more_fails_with_its_sentence(
    world: World, store: Store, approvals: Approvals, workers: tuple[Worker, Worker]
) -> None:
    request = await approved(world, approvals)

    async def paused() -> None:
        raise CannotActError("Deployment shop/checkout is paused.", next_step="Resume it first.")

    world.meanwhile["plan"] = paused
    await runs(workers[0])
    found = await stored(store, request)
    assert (found.state, found.outcome) == (State.FAILED, "Deployment shop/checkout is paused. Resume it first.")


async def test_what_is_claimed_at_the_very_stop_is_given_back(
    world: World, store: Store, approvals: Approvals, workers: tuple[Worker, Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    request = await approved(world, approvals)
    claim, executor = store.requests.claim, workers[0].executor

    async def stopped(worker: str, at: datetime, lease_seconds: float) -> Request | None:
        claimed = await claim(worker, at, lease_seconds)
        await executor.stop(0)
        return claimed

    monkeypatch.setattr(store.requests, "claim", stopped)
    await executor.run()
    assert world.applies == []
    taken = await claim("w2", world.time.now(), 30)
    assert taken is not None
    assert (taken.id, taken.fence) == (request, 2)


async def test_what_is_underway_at_the_stop_is_anybody_elses_at_once(
    world: World, store: Store, approvals: Approvals, workers: tuple[Worker, Worker]
) -> None:
    request = await approved(world, approvals)
    world.down = True
    running = asyncio.ensure_future(workers[0].executor.run())
    await eventually(lambda: store.requests.list_(states=[State.RUNNING]), bool, "it is claimed")
    await workers[0].executor.stop(0.01)
    await running
    world.down = False
    await runs(workers[1])
    assert ((await stored(store, request)).state, world.effects[request]) == (State.SUCCEEDED, 1)


async def test_those_concerned_are_told_even_where_the_heartbeats_end_meanwhile(
    world: World, store: Store, approvals: Approvals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has ended has no lease: the next heartbeat finds nothing to keep."""
    await approved(world, approvals)
    gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    told: list[State] = []
    kept: list[bool] = []
    beat = store.requests.beat

    async def heard(id_: str, fence: int, until: datetime, step: str) -> bool:
        kept.append(await beat(id_, fence, until, step))
        return kept[-1]

    async def beaten() -> list[bool]:
        return kept

    async def slowly(ended: Request) -> None:
        world.stalled.append(("w3", gate))
        await gate
        told.append(ended.state)

    monkeypatch.setattr(approvals, "show", slowly)
    monkeypatch.setattr(store.requests, "beat", heard)
    worker = Worker(world, store, approvals, "w3")
    await runs(worker)
    world.time.advance(6)
    await eventually(beaten, lambda found: found[-1:] == [False], "the heartbeats have ended")
    gate.set_result(None)
    await worker.settled()
    assert told == [State.SUCCEEDED]
