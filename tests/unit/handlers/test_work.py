"""Tasks are kept, limited, served in turn, and waited for."""

import asyncio

import pytest

from handlers.work import Turns, Work


async def at_once() -> None:
    pass


async def test_what_is_underway_is_finished_at_the_stop() -> None:
    work, done = Work(at_once), []

    async def slow() -> None:
        await asyncio.sleep(0.05)
        done.append(1)

    for _ in range(3):
        work.start(slow())
    await work.finish(5)
    assert done == [1, 1, 1]


async def test_what_does_not_end_is_told_to() -> None:
    work, told = Work(at_once), []

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            told.append(1)
            raise

    work.start(endless())
    await work.finish(0.05)
    assert told == [1]


async def test_no_work_begins_before_what_comes_first() -> None:
    acknowledged, begun = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        await acknowledged.wait()

    async def job() -> None:
        begun.set()

    work = Work(first)
    work.start(job())
    await asyncio.sleep(0.01)
    assert not begun.is_set()
    acknowledged.set()
    await work.finish(5)
    assert begun.is_set()


async def test_work_that_never_began_leaves_nothing_behind() -> None:
    async def first() -> None:
        await asyncio.Event().wait()

    async def job() -> None:
        raise AssertionError

    work = Work(first)
    work.start(job())
    await work.finish(0.01)


class Hall:
    """Counts who is inside, and lets them out on demand."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.inside: list[str] = []
        self.served: list[str] = []
        self.most = 0
        self.open = asyncio.Event()

    async def visit(self, person: str) -> None:
        async with self.turns.turn(person):
            self.inside.append(person)
            self.served.append(person)
            self.most = max(self.most, len(self.inside))
            await self.open.wait()
            await asyncio.sleep(0)
            self.inside.remove(person)


async def test_no_more_than_so_many_at_once() -> None:
    hall = Hall(Turns(3))
    hall.open.set()
    await asyncio.gather(*(hall.visit(f"U{number}") for number in range(20)))
    assert hall.most == 3
    assert len(hall.served) == 20


async def test_one_person_cannot_crowd_out_the_others() -> None:
    hall = Hall(Turns(1))
    visits = [asyncio.create_task(hall.visit(person)) for person in ["U1"] * 6 + ["U2", "U2", "U3"]]
    await asyncio.sleep(0)
    hall.open.set()
    await asyncio.gather(*visits)
    assert hall.served == ["U1", "U1", "U2", "U3", "U1", "U2", "U1", "U1", "U1"]


async def test_who_gives_up_waiting_gives_the_turn_on() -> None:
    hall = Hall(Turns(1))
    first, second, third = (asyncio.create_task(hall.visit(person)) for person in ("U1", "U2", "U3"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    second.cancel()
    hall.open.set()
    await asyncio.gather(first, third)
    with pytest.raises(asyncio.CancelledError):
        await second
    assert hall.served == ["U1", "U3"]


async def test_a_turn_given_to_somebody_who_is_cancelled_that_very_moment_is_not_lost() -> None:
    turns = Turns(1)
    inside, out = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with turns.turn("U1"):
            inside.set()
            await out.wait()

    async def wait(person: str) -> str:
        async with turns.turn(person):
            return person

    holder = asyncio.create_task(hold())
    await inside.wait()
    unlucky, next_one = asyncio.create_task(wait("U2")), asyncio.create_task(wait("U3"))
    await asyncio.sleep(0)
    out.set()
    await holder
    unlucky.cancel()
    async with asyncio.timeout(2):
        assert await next_one == "U3"
