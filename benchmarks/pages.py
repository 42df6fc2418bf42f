"""The pages that a census reads, bare: in the same sizes, thrown away as they come.

It is the floor that a census is measured against. All lists are read at once, each page after the one before it. Of a
page only its first bytes are looked at, for the place that the next one begins at.
"""

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass

from yarl import URL

from benchmarks.bare import Bare
from benchmarks.same import Request

CONTINUE = re.compile(rb'"continue":"([^"]+)"')
HEAD_BYTES = 4096


@dataclass(frozen=True)
class List:
    """`limits` are those of its pages."""

    path: str
    query: tuple[tuple[str, str], ...]
    accept: str
    limits: tuple[int, ...]


@dataclass(frozen=True)
class Asked:
    """All that a census asks: lists, and single objects."""

    lists: tuple[List, ...]
    others: tuple[Request, ...]

    @property
    def pages(self) -> int:
        return sum(len(each.limits) for each in self.lists)


def asked(requests: Iterable[Request]) -> Asked:
    """In the order in which they were sent."""
    lists: dict[tuple[str, tuple[tuple[str, str], ...], str], list[int]] = {}
    others = []
    for request in requests:
        url = URL(request.uri)
        if "limit" not in url.query:
            others.append(request)
            continue
        query = tuple((name, value) for name, value in url.query.items() if name not in {"limit", "continue"})
        lists.setdefault((url.path, query, request.accept), []).append(int(url.query["limit"]))
    return Asked(tuple(List(*key, tuple(limits)) for key, limits in lists.items()), tuple(others))


async def read(bare: Bare, what: Asked) -> int:
    """How many bytes it was."""
    sizes = await asyncio.gather(
        *(_rest(bare, each) for each in what.others), *(_all_of(bare, each) for each in what.lists)
    )
    return sum(sizes)


async def _rest(bare: Bare, request: Request) -> int:
    size, _ = await _page(bare, request.uri, (), request.accept)
    return size


async def _all_of(bare: Bare, wanted: List) -> int:
    place, size, limits = "", 0, list(wanted.limits)
    while True:
        limit = limits.pop(0) if len(limits) > 1 else limits[0]
        following = (("continue", place),) if place else ()
        read_now, place = await _page(
            bare, wanted.path, (*wanted.query, ("limit", str(limit)), *following), wanted.accept
        )
        size += read_now
        if not place:
            return size


async def _page(bare: Bare, path: str, query: tuple[tuple[str, str], ...], accept: str) -> tuple[int, str]:
    """Its size, and where the next begins."""
    head, size = b"", 0
    headers = {**bare.headers, "Accept": accept}
    async with bare.session.get(URL(bare.url + path, encoded=True).update_query(query), headers=headers) as response:
        async for chunk in response.content.iter_any():
            size += len(chunk)
            if len(head) < HEAD_BYTES:
                head += chunk[:HEAD_BYTES]
    found = CONTINUE.search(head)
    return size, found[1].decode() if found else ""
