"""From what a person typed to an object that exists; near misses are offered, never guessed."""

import asyncio
import re
from collections.abc import Sequence

from msgspec import Struct

from bot import objects
from bot.errors import ClusterForbiddenError, ClusterUnreachableError, DoctorError, TargetNotFoundError
from bot.kube import read
from bot.kube.client import Cluster
from bot.kube.gaps import AbsentError, DeniedError, UnreadableError, denied_sentence, how_to_allow
from bot.kube.kinds import BY_WORD, NAMESPACE, POD, SERVICE_ACCOUNT, WORKLOADS, Kind
from bot.kube.near import nearest, other_namespaces
from bot.kube.together import all_of
from bot.model import ObjectRef, Rule, Target
from bot.targets import KINDS

_BARE = (POD, *WORKLOADS, SERVICE_ACCOUNT)
_GENERATED = re.compile(r"-[bcdfghjklmnpqrstvwxz2456789]{5}$")
"""How a controller's pod ends (`apimachinery/pkg/util/rand`): the name of one is what people copy out of an alert."""


async def resolve(cluster: Cluster, target: Target, *, deadline_seconds: float = 10) -> ObjectRef:
    """The object that the target names: a bare name is a pod, a workload, or else a service account.

    Raises TargetNotFoundError with the nearest names, or with those of which it may be any; ClusterForbiddenError with
    the rule to add, and ClusterUnreachableError.
    """
    try:
        async with asyncio.timeout(deadline_seconds):
            return await _resolve(cluster, target)
    except TimeoutError:
        raise ClusterUnreachableError(
            f"Cluster {cluster.name} did not answer within {deadline_seconds:.0f} seconds.",
            next_step=f"Check that {cluster.server} can be reached from here.",
        ) from None
    except UnreadableError as error:
        raise ClusterUnreachableError(
            f"Cluster {cluster.name} cannot be asked: {error}.",
            next_step=f"Check that {cluster.server} can be reached from here.",
        ) from None


class _Looked(Struct, frozen=True):
    """What came of looking for one kind: the object, or the rule that keeps it from being looked for."""

    kind: Kind
    ref: ObjectRef | None = None
    denied: Rule | None = None


async def _resolve(cluster: Cluster, target: Target) -> ObjectRef:
    if not target.kind and _GENERATED.search(target.name):
        pod = await _look(cluster, target, POD)
        if pod.ref:
            return pod.ref
    wanted = (BY_WORD[target.kind],) if target.kind else _BARE
    # Side by side: a name that may be seven things costs the time of one.
    looked = await all_of(_look(cluster, target, kind) for kind in wanted)
    found = [look for look in looked if look.ref]
    denied = [look for look in looked if look.denied]
    running = [look for look in found if look.kind is not SERVICE_ACCOUNT]
    if len(running) > 1:
        raise _several(target, running)
    chosen = running or ([] if denied else found)
    if chosen and chosen[0].ref:
        return chosen[0].ref
    if denied:
        raise _not_looked_for(target, denied, found)
    raise await _not_found(cluster, target)


async def _look(cluster: Cluster, target: Target, kind: Kind) -> _Looked:
    try:
        found = await read.metadata(cluster.main, kind.get, objects.Named, namespace=target.namespace, name=target.name)
    except AbsentError:
        return _Looked(kind)
    except DeniedError as error:
        return _Looked(kind, denied=error.rule)
    return _Looked(
        kind,
        ObjectRef(
            cluster=cluster.name,
            api_version=kind.api_version,
            kind=kind.name,
            namespace=target.namespace,
            name=target.name,
            uid=found.metadata.uid,
        ),
    )


def _several(target: Target, found: Sequence[_Looked]) -> TargetNotFoundError:
    kinds = " and ".join(f"a {look.kind}" for look in found)
    names = tuple(f"{target.namespace}/{look.kind.word}/{target.name}" for look in found)
    return TargetNotFoundError(
        f"More than one thing is called {target.namespace}/{target.name}: {kinds}.",
        nearest=names,
        next_step=f"Which: {' or '.join(names)}?",
    )


def _not_looked_for(target: Target, denied: Sequence[_Looked], found: Sequence[_Looked]) -> ClusterForbiddenError:
    """What may not be read is not taken for absent."""
    rules = [look.denied for look in denied if look.denied]
    step = how_to_allow(*rules)
    if target.kind:
        return ClusterForbiddenError(f"{denied_sentence(*rules)}, so nothing can be said.", next_step=step)
    name = f"{target.namespace}/{target.name}"
    sentence = f"{denied_sentence(*rules)}, so it was not looked whether {name} is a {_any(denied)}."
    if found:
        word = found[0].kind.word
        sentence += f" There is a {found[0].kind} of that name."
        step += f"; or ask for {target.namespace}/{word}/{target.name}"
    elif len(denied) < len(_BARE):
        sentence += " It is nothing else."
    return ClusterForbiddenError(sentence, next_step=step)


def _any(looked: Sequence[_Looked]) -> str:
    words = [str(look.kind) for look in looked]
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


async def _not_found(cluster: Cluster, target: Target) -> DoctorError:
    others = await other_namespaces(cluster, target)
    if others is not None or target.kind == NAMESPACE.word:
        near = others or ()
        sentence = f"There is no namespace {target.namespace} in cluster {cluster.name}."
        hint = _kind_first(target)
    else:
        near = await nearest(cluster, target)
        name = f"{target.namespace}/{target.name}"
        said = BY_WORD[target.kind] if target.kind else None
        sentence = f"There is no {said or 'pod, workload or service account'} {name} in cluster {cluster.name}."
        hint = f"Check the name with `kubectl -n {target.namespace} get {said.get.resource if said else 'pods'}`."
    return TargetNotFoundError(sentence, nearest=near, next_step=f"Did you mean {' or '.join(near)}?" if near else hint)


def _kind_first(target: Target) -> str:
    """`deploy/checkout`, as kubectl takes it, names no namespace here."""
    if not target.kind and (kind := KINDS.get(target.namespace)):
        return f"If {target.namespace} is meant as a kind, write it as NAMESPACE/{kind}/{target.name}."
    return "Check the name with `kubectl get namespaces`."
