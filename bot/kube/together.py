"""Several requests at once: when one fails the others are cancelled, and its own error is raised."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

A = TypeVar("A")
B = TypeVar("B")

AT_ONCE = 8


async def both(first: Coroutine[Any, Any, A], second: Coroutine[Any, Any, B]) -> tuple[A, B]:
    try:
        async with asyncio.TaskGroup() as group:
            one, two = group.create_task(first), group.create_task(second)
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return one.result(), two.result()


async def all_of(works: Iterable[Coroutine[Any, Any, A]]) -> tuple[A, ...]:
    """The results in the order of the works, at most eight of which run at a time."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def gated(work: Coroutine[Any, Any, A]) -> A:
        try:
            async with gate:
                return await work
        finally:
            work.close()  # one that never began must not be left unawaited

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(gated(work)) for work in works]
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return tuple(task.result() for task in tasks)
