"""Names that come near one that does not exist: a workload's own before those that it gave to its pods."""

from collections.abc import Sequence
from difflib import get_close_matches

from msgspec import Struct

from bot import objects
from bot.kube import read
from bot.kube.client import Cluster
from bot.kube.gaps import AbsentError, DeniedError, UnreadableError
from bot.kube.kinds import BY_WORD, NAMESPACE, POD, SECRET, SERVICE_ACCOUNT, WORKLOADS, Kind
from bot.kube.permissions import Operation
from bot.kube.together import all_of
from bot.model import Target

_MOST_OFFERED = 5
_MOST_LISTED = 5_000
_CLOSENESS = 0.6


class _Candidate(Struct, frozen=True):
    """`generated` names are a controller's: pods', and those of a CronJob's Jobs."""

    kind: Kind
    name: str
    generated: bool


async def nearest(cluster: Cluster, target: Target) -> tuple[str, ...]:
    """At most five targets that could be meant, best first."""
    kinds = (POD, *WORKLOADS, SERVICE_ACCOUNT)
    said = BY_WORD[target.kind] if target.kind else None
    if said and said not in kinds:
        kinds = (*kinds, said)
    lists = await all_of(_candidates(cluster, target.namespace, kind) for kind in kinds)
    found = [candidate for some in lists for candidate in some]
    near: dict[str, None] = {}
    for tier in _tiers(found, target.name, said):
        for name in _nearest(target.name, [candidate.name for candidate in tier]):
            for candidate in tier:
                if candidate.name == name:
                    near[_written(target.namespace, candidate, found)] = None
    return tuple(near)[:_MOST_OFFERED]


async def other_namespaces(cluster: Cluster, target: Target) -> tuple[str, ...] | None:
    """The same target in the nearest namespaces, when its own does not exist; None when it does, or nobody may know."""
    try:
        await read.metadata(
            cluster.main, NAMESPACE.get, objects.Named, namespace=target.namespace, name=target.namespace
        )
    except AbsentError:
        names = [found.metadata.name for found in await _listed(cluster, NAMESPACE.list)]
        if target.kind == NAMESPACE.word:
            return tuple(f"{NAMESPACE.word}/{name}" for name in _nearest(target.namespace, names))
        kind = f"{target.kind}/" if target.kind else ""
        return tuple(f"{name}/{kind}{target.name}" for name in _close(target.namespace, names))
    except DeniedError:
        return None
    return None


def _tiers(found: Sequence[_Candidate], name: str, said: Kind | None) -> list[list[_Candidate]]:
    """Those of the kind that was said, then others of just that name, then the rest: what people named comes first."""
    of_kind = [each for each in found if each.kind is said]
    exact = [each for each in found if each.name == name and each.kind is not SECRET]
    own = [each for each in found if not each.generated and each.kind not in {SERVICE_ACCOUNT, SECRET}]
    taken = {each.name for each in own}
    accounts = [each for each in found if each.kind is SERVICE_ACCOUNT and each.name not in taken]
    return [exact, of_kind, own, accounts, [each for each in found if each.generated]]


def _written(namespace: str, candidate: _Candidate, found: Sequence[_Candidate]) -> str:
    """With its kind only where the bare name would mean something else, or several things."""
    alike = [each.kind for each in found if each.name == candidate.name and each.kind is not candidate.kind]
    rivals = [kind for kind in alike if kind not in {SERVICE_ACCOUNT, SECRET} or candidate.kind is SECRET]
    bare = not rivals and candidate.kind in {POD, *WORKLOADS, SERVICE_ACCOUNT}
    return f"{namespace}/{'' if bare else f'{candidate.kind.word}/'}{candidate.name}"


async def _candidates(cluster: Cluster, namespace: str, kind: Kind) -> list[_Candidate]:
    found = await _listed(cluster, kind.list, namespace=namespace)
    return [_Candidate(kind, item.metadata.name, _is_generated(kind, item)) for item in found]


def _is_generated(kind: Kind, item: objects.Named) -> bool:
    return any(owner.controller for owner in item.metadata.owner_references) or kind is POD


async def _listed(cluster: Cluster, operation: Operation, *, namespace: str = "") -> list[objects.Named]:
    """What may not be listed is not offered: the answer stays true without it."""
    try:
        found = await read.get_all(
            cluster.main, operation, objects.Named, namespace=namespace, accept=read.METADATA_LIST, most=_MOST_LISTED
        )
    except UnreadableError:
        return []
    return sorted(found, key=lambda item: item.metadata.name)


def _nearest(name: str, names: Sequence[str]) -> list[str]:
    """Those that begin with the name first (a workload's pods), then those that look like it."""
    begin = [candidate for candidate in names if candidate.startswith(name)]
    rest = [candidate for candidate in names if candidate not in set(begin)]
    return (begin + _close(name, rest))[:_MOST_OFFERED]


def _close(name: str, names: Sequence[str]) -> list[str]:
    return get_close_matches(name, names, n=_MOST_OFFERED, cutoff=_CLOSENESS)
