"""Two replicas, a cluster that lies, clocks that are set, and people who come and go: any sequence of it.

Whatever happens: nothing is done that the policy does not allow at that moment, nothing is done twice, what succeeded
was done, every request ends exactly once, and every message shows it.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bot.actions.approvals import Ask
from bot.actions.executor import CHECKPOINTS
from bot.model import Person, State
from bot.store import open_store
from tests.unit.actions.world import APPROVERS, AVERY, CHANNEL, ERIN, ON_CALL, SAM, Worker, World

T = TypeVar("T")

THINGS = st.sampled_from(["checkout", "cart"])
PEOPLE = st.sampled_from([ERIN, AVERY, SAM])
NUMBERS = st.integers(0, 4)
WORKERS = st.integers(0, 1)
DEATHS = st.sampled_from(["", "", *CHECKPOINTS])
TROUBLES = st.sampled_from(["", "", "answers_get_lost", "answers_come_late", "stalls", "rollout_fails"])
UNDONE = {State.DENIED, State.EXPIRED, State.CANCELLED}


@cache
def empty_database() -> Path:
    """A database with all tables, to copy."""
    file = Path(tempfile.mkdtemp(prefix="token-doctor-")) / "empty.db"

    async def make() -> None:
        await (await open_store(f"sqlite+aiosqlite:///{file}")).close()

    asyncio.run(make())
    return file


@dataclass
class Asked:
    """What the machine knows of a request by itself."""

    requester: Person
    expires_at: datetime
    approvers: set[str] = field(default_factory=set)


class Replicas(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        shutil.copy(empty_database(), f"{self.folder.name}/doctor.db")
        self.store = self.run(open_store(f"sqlite+aiosqlite:///{self.folder.name}/doctor.db"))
        self.world = World(applying=self.may_be_applied)
        self.approvals = self.world.approvals(self.store)
        self.workers = [Worker(self.world, self.store, self.approvals, name) for name in ("w1", "w2")]
        self.asked: dict[str, Asked] = {}

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        async def bounded() -> T:
            async with asyncio.timeout(60):
                return await work

        return self.runner.run(bounded())

    def may_be_applied(self, request: str) -> None:
        """The promise, in the machine's own words: enough of those who agreed may still agree, just now."""
        asked, groups = self.asked[request], self.world.groups
        assert asked.requester.id in groups[ON_CALL]
        assert (asked.approvers & groups[APPROVERS]) - {asked.requester.id}
        assert self.world.time.wall < asked.expires_at
        assert not self.world.slack_down

    def one(self, number: int) -> str:
        return f"r{number % (len(self.asked) + 1) + 1}"  # sometimes one that does not exist

    @rule(thing=THINGS, person=PEOPLE)
    def ask(self, thing: str, person: Person) -> None:
        ask = Ask(plan=self.world.plan(thing), requester=person, reason="401s", channel=CHANNEL, cause="token-expired")
        found = self.run(self.approvals.propose(ask))
        allowed = person.id in self.world.groups[ON_CALL] and not self.world.slack_down
        assert (found.request is not None) is allowed
        if found.request and not found.joined:
            self.asked[found.request.id] = Asked(person, found.request.expires_at)

    @rule(thing=THINGS, trouble=TROUBLES)
    def something_is_approved(self, thing: str, trouble: str) -> None:
        """The way that leads somewhere, in one step, and what then goes wrong."""
        self.ask(thing, ERIN)
        for number in range(len(self.asked)):
            self.decide(number, AVERY, approves=True)
        if trouble:
            setattr(self.world, trouble, True)

    @rule(number=NUMBERS, person=PEOPLE, approves=st.sampled_from([True, True, True, False]))
    def decide(self, number: int, person: Person, *, approves: bool) -> None:
        request = self.one(number)
        decided = self.run(self.approvals.decide(request, person, approves=approves))
        if decided.counted:
            assert person.id in self.world.groups[APPROVERS]
            if approves:
                assert person.id != self.asked[request].requester.id
                self.asked[request].approvers.add(person.id)
        else:
            assert decided.why

    @precondition(lambda self: len(self.asked) > 1)
    @rule(number=NUMBERS, person=PEOPLE)
    def cancel(self, number: int, person: Person) -> None:
        self.run(self.approvals.cancel(self.one(number), person))

    @rule(person=PEOPLE, group=st.sampled_from([ON_CALL, APPROVERS]), belongs=st.sampled_from([True, True, False]))
    def people_come_and_go(self, person: Person, group: str, *, belongs: bool) -> None:
        (self.world.groups[group].add if belongs else self.world.groups[group].discard)(person.id)

    @rule(thing=THINGS, replaced=st.booleans())
    def somebody_changes_it(self, thing: str, *, replaced: bool) -> None:
        (self.world.replace if replaced else self.world.edit)(thing)

    @rule(down=st.sampled_from([(False, False), (False, False), (True, False), (False, True)]))
    def the_cluster_or_slack_goes_and_comes(self, down: tuple[bool, bool]) -> None:
        self.world.down, self.world.slack_down = down

    @rule(looks=st.integers(1, 5))
    def evidence_takes_its_time(self, looks: int) -> None:
        self.world.proven_after = looks

    @rule()
    def late_answers_arrive(self) -> None:
        self.world.deliver_late()

    @rule()
    def what_stalled_goes_on(self) -> None:
        self.let_go()
        self.settle()

    @rule(number=WORKERS, dies_at=DEATHS, seconds=st.sampled_from([0, 6, 31, 31, 301, 1800]))
    def a_worker_works(self, number: int, dies_at: str, seconds: int) -> None:
        self.time_passes(seconds)
        worker = self.workers[number]
        worker.dies_at = dies_at
        self.run(self.work(worker))

    @rule(number=WORKERS, dies_at=DEATHS)
    def two_workers_work(self, number: int, dies_at: str) -> None:
        self.a_worker_works(number, dies_at, 0)
        self.a_worker_works(1 - number, "", 31)

    @precondition(lambda self: any(worker.task for worker in self.workers))
    @rule(number=WORKERS)
    def a_worker_is_killed(self, number: int) -> None:
        self.run(self.workers[number].killed())

    @rule(seconds=st.sampled_from([1, 6, 31, 301, 1000]))
    def time_passes(self, seconds: int) -> None:
        self.world.time.advance(seconds)
        self.settle()

    @rule(seconds=st.sampled_from([-3600, -20, 20, 40, 3600]))
    def the_clock_is_set(self, seconds: int) -> None:
        self.world.time.wall += timedelta(seconds=seconds)

    @rule()
    def the_late_expire(self) -> None:
        self.run(self.approvals.expire())

    @invariant()
    def nothing_is_done_twice(self) -> None:
        assert not [request for request, times in self.world.effects.items() if times > 1]

    def teardown(self) -> None:
        try:
            self.all_is_well_again()
            self.everything_has_ended_once()
            self.every_message_shows_it()
        finally:
            self.run(self.all_killed())
            self.run(self.store.close())
            self.runner.close()
            self.folder.cleanup()

    def all_is_well_again(self) -> None:
        """Both work on for as long as anything is open, and longer than any clock was set back."""
        self.world.down = self.world.slack_down = self.world.answers_get_lost = self.world.answers_come_late = False
        self.world.stalls = False
        self.world.deliver_late()
        for worker in self.workers:
            worker.dies_at = ""
        self.let_go()
        for seconds in (0, *6 * [31], 4 * 3600, *8 * [301]):
            self.world.time.advance(seconds)
            self.settle()
            for _ in range(1 + len(self.asked)):
                for worker in self.workers:
                    self.run(self.work(worker))
            self.run(self.approvals.expire())

    def everything_has_ended_once(self) -> None:
        for id_ in self.asked:
            request = self.run(self.store.requests.get(id_))
            assert request is not None
            ends = [entry for entry in self.run(self.store.requests.trail(request=id_)) if entry.became.is_final]
            assert [entry.became for entry in ends] == [request.state]
            if request.state in {State.SUCCEEDED, *UNDONE}:
                assert self.world.effects[id_] == (request.state is State.SUCCEEDED), request.state
            assert request.outcome or request.state in UNDONE
        assert set(self.world.effects) <= set(self.asked)

    def every_message_shows_it(self) -> None:
        """Also of those that a dying worker ended and did not show."""
        self.run(self.approvals.show_all(timedelta(days=30)))
        at = self.world.time.now()
        while behind := self.run(self.store.messages.behind(at, "announcer", 60)):
            for message in behind:
                request = self.run(self.store.requests.get(message.request))
                assert request is not None
                self.run(self.store.messages.shown(message, ts=f"{message.id}.0", version=request.version))
        for id_ in self.asked:
            messages = self.run(self.store.messages.of(id_))
            assert {message.purpose for message in messages} == {"decision", "progress", "outcome"}

    async def work(self, worker: Worker) -> None:
        worker.start()
        await worker.settled()

    async def all_killed(self) -> None:
        for worker in self.workers:
            await worker.killed()

    def settle(self) -> None:
        for worker in self.workers:
            self.run(worker.settled())

    def let_go(self) -> None:
        for _, gate in self.world.stalled:
            if not gate.done():
                gate.set_result(None)


TestReplicas = Replicas.TestCase
TestReplicas.settings = settings(
    max_examples=20, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
