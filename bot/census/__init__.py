"""One streamed pass over a cluster: what never expires in it, what is about to, and what will go wrong."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from bot.census import unread
from bot.census.aspects import Aspect, listing
from bot.census.circumstances import facts_of
from bot.census.facts import Facts
from bot.census.reading import Batches, Pass, Progress, UnsortedError
from bot.census.scope import Scope, scope_of
from bot.census.sources import batches
from bot.census.tally import MOST_ITEMS
from bot.errors import ClusterForbiddenError, ClusterUnreachableError
from bot.kube.client import Cluster
from bot.kube.gaps import DeniedError, UnreadableError
from bot.kube.stream import StartAgainError
from bot.kube.together import both
from bot.model import WINDOW, Inventory, Unscanned

__all__ = ["MOST_ITEMS", "Progress", "census"]

_TIMES = 3
_SWITCHES: Mapping[Aspect, str] = {
    Aspect.DATA: "switch it on with `--scan-secrets` or `checks.read_secret_data: true`",
    Aspect.PODS: "ask for the pods too",
}


async def census(  # what is looked at, how far, with which clocks, and who is told meanwhile
    cluster: Cluster,
    *,
    namespaces: Sequence[str] = ("*",),
    window: timedelta = WINDOW,
    scan_secrets: bool = False,
    pods: bool = True,
    now: Callable[[], datetime],
    monotonic: Callable[[], float],
    progress: Callable[[Progress], None] | None = None,
    most: int = MOST_ITEMS,
) -> Inventory:
    """The inventory of the namespaces that match the patterns (`shop-*`).

    With `scan_secrets` the data of all Secrets is read, a page at a time, and dropped. `most` items of a kind are
    kept, the most urgent. What could not be read is in `unscanned`; where that is everything, ClusterUnreachableError
    or ClusterForbiddenError is raised.
    """
    started, taken_at = monotonic(), now()
    (facts, missing), scope = await both(facts_of(cluster, taken_at, window), scope_of(cluster.main, namespaces))
    off = [aspect for aspect, is_on in ((Aspect.PODS, pods), (Aspect.DATA, scan_secrets)) if not is_on]
    wanted = [aspect for aspect in Aspect if aspect not in off]
    done = await _passed(cluster, facts, scope, wanted, most=most, monotonic=monotonic, progress=progress)
    _raise_if_nothing_was_read(cluster, done, wanted)
    lines: list[Unscanned] = [*unread.absent(scope.absent)]
    for aspect in wanted:
        lines += unread.told(aspect, done.troubles[aspect], scope) if aspect in done.troubles else ()
    lines += [*missing, *(unread.switched_off(aspect, _SWITCHES[aspect]) for aspect in off)]
    return Inventory(
        cluster=cluster.name,
        taken_at=taken_at,
        window=window,
        namespaces=scope.patterns,
        items=done.tally.items(),
        tallies=done.tally.tallies(),
        left_out=done.tally.left_out(),
        scanned=done.scanned,
        unscanned=tuple(sorted(lines, key=lambda one: one.by_choice)),
        took_ms=round((monotonic() - started) * 1000),
    )


async def _passed(  # the parts of a pass
    cluster: Cluster,
    facts: Facts,
    scope: Scope,
    wanted: Sequence[Aspect],
    *,
    most: int,
    monotonic: Callable[[], float],
    progress: Callable[[Progress], None] | None,
) -> Pass:
    """A whole pass: begun anew where a list has to be, and without forgetting anything where one is not in order."""
    hold = False
    for left in reversed(range(_TIMES)):
        this = Pass(facts, scope, most=most, hold=hold, monotonic=monotonic, progress=progress)
        sources: dict[Aspect, Batches] = {
            aspect: batches(listing(cluster.main, aspect), scope, last_try=not left) for aspect in wanted
        }
        try:
            await this.read(sources)
        except UnsortedError:
            hold = True
        except StartAgainError:
            pass
        else:
            return this
    raise ClusterUnreachableError(
        f"Cluster {cluster.name} changes faster than its lists can be read.", next_step="Try it again later."
    )


def _raise_if_nothing_was_read(cluster: Cluster, done: Pass, wanted: Sequence[Aspect]) -> None:
    errors: list[UnreadableError] = []
    for aspect in wanted:
        trouble = done.troubles.get(aspect)
        if trouble is None:
            return
        errors += filter(None, (*trouble.namespaces.values(), trouble.error))
    if done.scanned.namespaces or not errors:
        return
    first = next((error for error in errors if not isinstance(error, DeniedError)), errors[0])
    sentence = f"Nothing of cluster {cluster.name} could be read: {first}."
    kind = ClusterForbiddenError if isinstance(first, DeniedError) else ClusterUnreachableError
    raise kind(sentence, next_step=first.mend)
