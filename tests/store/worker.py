"""One process of several on the same database: `python -m tests.store.worker JOB URL NAME`.

It says "ready", waits for a line on standard input, does its job, and writes what it got as JSON.
"""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping

from bot.model import Person, State
from bot.store import Store, open_store
from tests.store.samples import after, request, vote

_TOGETHER = 4


async def claims(store: Store, name: str) -> list[str]:
    """Claims until nothing is left, several at once, and ends each: [id, fence] of all."""
    ids: list[str] = []

    async def one() -> None:
        while found := await store.requests.claim(name, after(1), 3600):
            ids.append(f"{found.id} {found.fence}")
            ended = await store.requests.advance(
                found.id, State.RUNNING, State.SUCCEEDED, who=name, why="", at=after(2), fence=found.fence
            )
            assert ended is not None

    await asyncio.gather(*(one() for _ in range(_TOGETHER)))
    return ids


async def behind(store: Store, name: str) -> list[str]:
    found: list[str] = []
    while messages := await store.messages.behind(after(1), name, 3600, limit=3):
        for message in messages:
            found.append(f"{message.id} {message.claim}")
            await store.messages.shown(message, ts=f"{message.id}.0", version=1)
    return found


async def slots(store: Store, name: str) -> list[str]:
    minutes = [f"2026-03-29T{hour:02}:{minute:02}" for hour in range(5) for minute in range(20)]
    at = after(0)
    return [each for each in minutes if await store.slots.claim(f"at {each}", each, name, at, 3600, due_at=at)]


async def votes(store: Store, name: str) -> list[str]:
    """Approves all of r0 … r49, as somebody of this name."""
    return [
        id_
        for id_ in (f"r{number}" for number in range(50))
        if (await store.requests.vote(vote(id_, Person(id=name)), at=after(1))).counted
    ]


async def creates(store: Store, name: str) -> list[str]:
    """Asks for the same fifty things as the others."""
    made = [await store.requests.create(request(f"{name}-{n}", f"thing-{n}"), after(1)) for n in range(50)]
    return [stored.plan.ref.name for stored, is_new in made if is_new]


async def writes(store: Store, name: str) -> list[str]:
    """Requests and votes without end, to be killed in the middle; each is said once it is stored."""
    number = 0
    while True:
        id_ = f"{name}-{number}"
        await store.requests.create(request(id_), after(0))
        await store.requests.vote(vote(id_), at=after(1))
        sys.stdout.write(f"{id_}\n")
        sys.stdout.flush()
        number += 1


JOBS: Mapping[str, Callable[[Store, str], Awaitable[list[str]]]] = {
    job.__name__: job for job in (claims, behind, slots, votes, creates, writes)
}


async def _main(job: str, url: str, name: str) -> None:
    store = await open_store(url, password=os.environ.get("DATABASE_PASSWORD", ""))
    try:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        got = await JOBS[job](store, name)
    finally:
        await store.close()
    sys.stdout.write(f"{json.dumps(got)}\n")


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
