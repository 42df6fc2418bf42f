"""Which namespaces are asked about, and which of them there are."""

from collections.abc import Sequence
from contextlib import aclosing
from fnmatch import fnmatchcase

from msgspec import Struct

from bot.kube import read
from bot.kube.connection import Connection
from bot.kube.gaps import AbsentError, UnreadableError
from bot.kube.permissions import GET_NAMESPACE, LIST_NAMESPACES
from bot.kube.stream import stream
from bot.kube.together import all_of
from bot.objects import KubeStruct

_MANY = 100
"""So many namespaces are read with lists of the whole cluster, where these are allowed."""


class Scope(Struct, frozen=True, kw_only=True):
    """`names` are those that match and are there, in the order of lists; None where they could not be listed.

    `is_wide`: lists of the whole cluster come first. `absent` were named in full and do not exist.
    """

    patterns: tuple[str, ...]
    names: tuple[str, ...] | None
    is_wide: bool
    absent: tuple[str, ...] = ()

    @property
    def is_everything(self) -> bool:
        return "*" in self.patterns

    def wants(self, namespace: str) -> bool:
        return self.is_everything or any(fnmatchcase(namespace, pattern) for pattern in self.patterns)


def place_of(namespace: str) -> str:
    """What lists are sorted by: a namespace's objects come after those of all that are smaller.

    Keys in etcd are `…/NAMESPACE/NAME`, and a hyphen is smaller than a slash.
    """
    return f"{namespace}/"


class _NamespaceMeta(KubeStruct, frozen=True, kw_only=True):
    name: str


class _Namespace(KubeStruct, frozen=True, kw_only=True):
    metadata: _NamespaceMeta


async def scope_of(connection: Connection, patterns: Sequence[str]) -> Scope:
    """Raises ClusterUnreachableError, for the bot's own credentials."""
    wanted = tuple(dict.fromkeys(patterns)) or ("*",)
    if not any(_is_pattern(pattern) for pattern in wanted):
        return await _named(connection, wanted)
    bare = Scope(patterns=wanted, names=None, is_wide=True)
    try:
        there = await _all(connection)
    except UnreadableError:
        return bare
    names = tuple(sorted(filter(bare.wants, there), key=place_of))
    absent = tuple(name for name in wanted if not _is_pattern(name) and name not in there)
    return Scope(patterns=wanted, names=names, is_wide=bare.is_everything or len(names) > _MANY, absent=absent)


async def _named(connection: Connection, names: tuple[str, ...]) -> Scope:
    """Where it may not be told whether one is there, it is taken to be."""
    missing = await all_of(_is_missing(connection, name) for name in names)
    absent = tuple(name for name, gone in zip(names, missing, strict=True) if gone)
    there = sorted(set(names) - set(absent), key=place_of)
    return Scope(patterns=names, names=tuple(there), is_wide=len(there) > _MANY, absent=absent)


async def _is_missing(connection: Connection, name: str) -> bool:
    try:
        await read.metadata(connection, GET_NAMESPACE, _Namespace, name=name)
    except AbsentError:
        return True
    except UnreadableError:
        return False
    return False


async def _all(connection: Connection) -> set[str]:
    found: set[str] = set()
    async with aclosing(stream(connection, LIST_NAMESPACES, _Namespace, accept=read.METADATA_LIST)) as pages:
        async for page in pages:
            found |= {each.metadata.name for each in page}
    return found


def _is_pattern(name: str) -> bool:
    return any(letter in name for letter in "*?[")
