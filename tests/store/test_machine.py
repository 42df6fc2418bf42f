"""Any sequence of requests, votes, changes, claims and expiries, against a model of a few lines."""

import asyncio
import tempfile
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bot.model import TRANSITIONS, Person, State
from bot.store import open_store
from tests.store.samples import NOW, after, plan, request, vote

T = TypeVar("T")

THINGS = st.sampled_from(["checkout", "cart"])
PEOPLE = st.sampled_from([Person(id="U1"), Person(id="U2"), Person(id="U3")])
WORKERS = st.sampled_from(["w1", "w2"])
NUMBERS = st.integers(0, 6)
CHANGES = st.sampled_from([(was, became) for was, those in TRANSITIONS.items() for became in sorted(those)])
ANY_CHANGES = st.tuples(st.sampled_from(State), st.sampled_from(State))
LEASE, LIFE = 30, 600


@dataclass
class Modelled:
    """What the store should say of one request."""

    thing: str
    needed: int
    expires_at: datetime
    state: State = State.PENDING
    approvers: set[str] = field(default_factory=set)
    fence: int = 0
    lease_until: datetime = NOW
    version: int = 1
    step: str = ""

    def became(self, state: State) -> None:
        assert state in TRANSITIONS[self.state] or state is self.state
        self.state = state
        self.version += 1


class Life(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.store = self.run(open_store(f"sqlite+aiosqlite:///{self.folder.name}/doctor.db"))
        self.modelled: dict[str, Modelled] = {}
        self.seconds = 0.0

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def teardown(self) -> None:
        self.run(self.store.close())
        self.runner.close()
        self.folder.cleanup()

    @property
    def at(self) -> datetime:
        return after(self.seconds)

    def one(self, number: int) -> str:
        return f"r{number % (len(self.modelled) + 1)}"  # sometimes one that does not exist

    @rule(seconds=st.sampled_from([1, 10, LEASE, LIFE]))
    def wait(self, seconds: int) -> None:
        self.seconds += seconds

    @initialize(needed=st.integers(1, 2))
    def begin(self, needed: int) -> None:
        for thing in ("checkout", "cart"):
            self.ask(thing, needed)

    @rule(thing=THINGS, needed=st.integers(1, 2))
    def ask(self, thing: str, needed: int) -> None:
        id_ = f"r{len(self.modelled)}"
        alike = [found for found in self.modelled.values() if found.thing == thing and not found.state.is_final]
        for found in alike:
            if found.state is not State.RUNNING and found.expires_at <= self.at:
                found.became(State.EXPIRED)
        is_open = any(not found.state.is_final for found in alike)
        asked = request(id_, of=plan(thing), needed=needed, at=self.at, minutes=LIFE / 60)
        stored, is_new = self.run(self.store.requests.create(asked, self.at))
        assert is_new is not is_open
        assert self.modelled.get(stored.id) in alike or is_new
        if is_new:
            self.modelled[id_] = Modelled(thing, needed, asked.expires_at)

    @rule(number=NUMBERS, person=PEOPLE, approves=st.booleans())
    def vote(self, number: int, person: Person, approves: bool) -> None:  # noqa: FBT001  # Hypothesis passes it by name
        id_ = self.one(number)
        found = self.modelled.get(id_)
        counts = (
            found is not None
            and found.state is State.PENDING
            and found.expires_at > self.at
            and not (approves and person.id in found.approvers)
        )
        counted = self.run(self.store.requests.vote(vote(id_, person, approves=approves, at=self.at), at=self.at))
        assert counted.counted is counts
        assert counted.counted or counted.why
        if found and counts:
            found.approvers |= {person.id}
            enough = State.APPROVED if len(found.approvers) >= found.needed else State.PENDING
            found.became(enough if approves else State.DENIED)

    @rule(number=NUMBERS, change=CHANGES | ANY_CHANGES, stale_fence=st.booleans())
    def advance(self, number: int, change: tuple[State, State], stale_fence: bool) -> None:  # noqa: FBT001  # the same
        id_, (was, became) = self.one(number), change
        found = self.modelled.get(id_)
        fence = None
        if was is State.RUNNING:
            fence = found.fence - stale_fence if found else 1
        legal = became in TRANSITIONS[was] - {State.APPROVED, State.RUNNING, State.EXPIRED}
        try:
            advanced = self.run(self.store.requests.advance(id_, was, became, who="x", why="", at=self.at, fence=fence))
        except ValueError:
            assert not legal
            return
        assert legal
        does = found is not None and found.state is was and (fence is None or fence == found.fence)
        assert (advanced is not None) is does
        if found and does:
            found.became(became)

    @rule(worker=WORKERS)
    def claim(self, worker: str) -> None:
        due = {
            id_
            for id_, found in self.modelled.items()
            if (found.state is State.APPROVED and found.expires_at > self.at)
            or (found.state is State.RUNNING and found.lease_until <= self.at)
        }
        claimed = self.run(self.store.requests.claim(worker, self.at, LEASE))
        assert (claimed.id in due) if claimed else not due
        if claimed:
            found = self.modelled[claimed.id]
            found.became(State.RUNNING)
            found.fence += 1
            found.lease_until = after(self.seconds + LEASE)
            assert (claimed.fence, claimed.worker) == (found.fence, worker)

    @rule(number=NUMBERS, stale=st.booleans(), step=st.sampled_from(["", "1 of 2", "2 of 2"]))
    def beat(self, number: int, stale: bool, step: str) -> None:  # noqa: FBT001  # the same
        id_ = self.one(number)
        found = self.modelled.get(id_)
        fence = (found.fence if found else 0) - stale
        beaten = self.run(self.store.requests.beat(id_, fence, after(self.seconds + LEASE), step))
        assert beaten is (found is not None and found.state is State.RUNNING and not stale)
        if found and beaten:
            found.version += found.step != step
            found.step = step
            found.lease_until = after(self.seconds + LEASE)

    @rule()
    def expire(self) -> None:
        expired = {found.id for found in self.run(self.store.requests.expire(self.at))}
        for id_, found in self.modelled.items():
            due = found.state in {State.PENDING, State.APPROVED} and found.expires_at <= self.at
            assert due is (id_ in expired)
            if due:
                found.became(State.EXPIRED)

    @invariant()
    def the_store_is_as_the_model(self) -> None:
        stored = {found.id: found for found in self.run(self.store.requests.list_(limit=1000))}
        assert set(stored) == set(self.modelled)
        for id_, found in self.modelled.items():
            one = stored[id_]
            assert (one.state, one.version, one.fence) == (found.state, found.version, found.fence)

    @invariant()
    def the_trail_is_the_history(self) -> None:
        for id_, found in self.modelled.items():
            entries = self.run(self.store.requests.trail(request=id_))
            assert (entries[0].was, entries[-1].became) == (None, found.state)
            for one, following in pairwise(entries):
                assert one.became is following.was
                assert one.at <= following.at
                assert following.became in TRANSITIONS[one.became] or following.became is one.became
            assert len(entries) <= found.version


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
