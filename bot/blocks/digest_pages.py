"""The thread of a digest: every item in words, page by page.

Which item stands on which page hangs on the digest alone, never on what became of its items since: so a page can be
edited in its place when one of them is snoozed.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bot.blocks import elements as kit
from bot.blocks.digest_items import Told, next_step, whole
from bot.blocks.digest_words import KINDS, counted, kinds, number, unread
from bot.blocks.limits import BLOCKS, BUDGET, Block, Message, fallback, one_line, size
from bot.model import ClusterDigest, Digest, Item, ItemKind, Resolved, Unscanned

PAGES = 15
"""A thread longer than this is read by nobody; what does not fit is counted, and the terminal shows everything."""

_ROOM = 600  # for the line that says who snoozed an item, which may come later
_FRAME = 1_200  # for a page's first line, and for what is said at the end of the last one
_GONE = 20
_PART = 2_500

Overlay = Callable[[Told], Told]


@dataclass(frozen=True, slots=True)
class Part:
    """What is never torn: an item with the heading above it, or a piece of text. `told` is None for a text."""

    blocks: tuple[Block, ...]
    told: Told | None = None
    alike: bool = False


def pages(digest: Digest, now: Overlay, *, acts: bool) -> tuple[Message, ...]:
    """`now` puts the present snooze over an item; `acts` where there is a policy."""
    packed, left = _packed(digest, acts=acts)
    messages = []
    for index, parts in enumerate(packed, 1):
        blocks = [kit.context(f"{name_of(digest)}, page {index} of {len(packed)}")]
        for part in parts:
            blocks += part.blocks
            if part.told:
                blocks += whole(now(part.told), alike=part.alike, acts=acts)
        if index == len(packed):
            blocks += _end(digest, left)
        messages.append(Message(fallback(f"{name_of(digest)}, page {index} of {len(packed)}"), tuple(blocks)))
    return tuple(messages)


def page_of(digest: Digest, place: tuple[str, str], *, acts: bool) -> int:
    """The page that tells of the item, counted as messages are: 0, the channel's message, where none does."""
    packed, _ = _packed(digest, acts=acts)
    found = (index for index, parts in enumerate(packed, 1) for part in parts if part.told and part.told.place == place)
    return next(found, 0)


def name_of(digest: Digest) -> str:
    return f"Digest {digest.schedule}" if digest.schedule else "Census"


def item_count(digest: Digest) -> int:
    """How many items the thread tells of, if it is long enough."""
    return sum(len(group.items) for cluster in digest.clusters for group in _groups(cluster, digest))


def known(cluster: ClusterDigest) -> str:
    """The heading above what is not due."""
    return "Also found" if cluster.is_first else "Known already"


def every(digest: Digest, now: Overlay) -> Iterator[Told]:
    """Each item that the digest names, with its present snooze."""
    yield from (now(told) for cluster in digest.clusters for group in _groups(cluster, digest) for told in group.items)


def _packed(digest: Digest, *, acts: bool) -> tuple[list[list[Part]], int]:
    """The pages, and how many items did not find room."""
    full: list[list[Part]] = []
    weight = count = items = 0
    parts = _parts(digest)
    for part in parts:
        own = list(part.blocks) + (whole(part.told, alike=part.alike, acts=acts) if part.told else [])
        heavy = size(own) + (_ROOM if part.told else 0)
        if not full or weight + heavy > BUDGET - _FRAME or count + len(own) > BLOCKS - 6:
            if len(full) == PAGES:
                break
            full.append([])
            weight = count = 0
        full[-1].append(part)
        weight, count, items = weight + heavy, count + len(own), items + (part.told is not None)
    return full, item_count(digest) - items


def _end(digest: Digest, left: int) -> list[Block]:
    """How many more there are, and where."""
    missing: Counter[ItemKind] = Counter()
    for cluster in digest.clusters:
        missing.update(cluster.left_out)
    more = left + missing.total()
    if not more:
        return []
    command = "token-doctor digest"
    if len(digest.clusters) == 1 and digest.clusters[0].cluster:
        command += f" --cluster {one_line(digest.clusters[0].cluster, 100)}"
    what = f" ({one_line(kinds(missing), 400)} among them)" if missing.total() else ""
    said = f"… and {number(more)} more that {'is' if more == 1 else 'are'} counted but not listed here{what}: "
    return [kit.rich(kit.line(kit.words(said, 700), kit.code(command), kit.words(" in a terminal lists more.")))]


# --- what stands in it, in order ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Group:
    heading: str
    items: Sequence[Told]
    alike: bool = False


def _parts(digest: Digest) -> Iterator[Part]:
    several = len(digest.clusters) > 1
    for cluster in digest.clusters:
        where = f" · {one_line(cluster.cluster, 100)}" if several and cluster.cluster else ""
        for group in _groups(cluster, digest):
            heading = f"{group.heading} ({number(len(group.items))}){where}"
            yield from _alike(heading, group.items) if group.alike else _each(heading, group.items)
        yield from _gone(cluster.resolved, where)
        yield from _unread(cluster.unscanned, where)


def _groups(cluster: ClusterDigest, digest: Digest) -> Iterator[_Group]:
    def told(items: Sequence[Item]) -> tuple[Told, ...]:
        return tuple(Told(item, cluster, digest) for item in items)

    lapsed = [Told(one.item, cluster, digest, lapsed=one.snooze) for one in cluster.lapsed]
    snoozed = [Told(one.item, cluster, digest, snooze=one.snooze) for one in cluster.snoozed]
    groups = (
        _Group("New", told(cluster.new)),
        _Group("Due", told(cluster.due)),
        _Group("Told again", lapsed),
        _Group(known(cluster), told(cluster.rest), alike=True),
        _Group("Kept quiet", snoozed),
    )
    yield from (group for group in groups if group.items)


def _each(heading: str, items: Sequence[Told]) -> Iterator[Part]:
    for index, told in enumerate(items):
        yield Part((_title(heading),) if not index else (), told)


def _alike(heading: str, items: Sequence[Told]) -> Iterator[Part]:
    """Items that matter for the same reason share it: it stands once above them."""
    reasons: dict[tuple[str, str, str], list[Told]] = {}
    for told in items:
        reasons.setdefault((told.item.kind, told.item.why, told.item.next_step), []).append(told)
    above = [_title(heading)]
    for same in reasons.values():
        if len(same) > 1:
            above.append(_shared(same[0].item, len(same)))
        for told in same:
            yield Part(tuple(above), told, alike=len(same) > 1)
            above = []


def _shared(item: Item, count: int) -> Block:
    what = kit.line(kit.bold(f"{counted(count, *KINDS[item.kind])}:"), kit.words(" "), *kit.prose(item.why, 400))
    return kit.rich(what, next_step(item))


def _gone(resolved: Sequence[Resolved], where: str) -> Iterator[Part]:
    if resolved:
        items = [
            kit.line(kit.bold(f"{one.namespace}/{one.name}", 320), kit.words(f" · {_called(one)}", 260))
            for one in resolved[:_GONE]
        ]
        if len(resolved) > _GONE:
            items.append(kit.line(kit.words(f"… and {number(len(resolved) - _GONE)} more")))
        yield from _listed(f"Gone ({number(len(resolved))}){where}", items)


def _called(one: Resolved) -> str:
    """`embedded token, Secret, config.bearerToken`."""
    parts = (KINDS[one.kind][0], one.object_kind, one.place)
    return ", ".join(one_line(part, 120) for part in parts if part)


def _unread(unscanned: Sequence[Unscanned], where: str) -> Iterator[Part]:
    failed = [one for one in unscanned if not one.by_choice]
    chosen = [one for one in unscanned if one.by_choice]
    for heading, some in (("Could not be read", failed), ("Not looked at", chosen)):
        if some:
            yield from _listed(f"{heading}{where}", [kit.line(*kit.prose(unread(one), 600)) for one in some])


def _listed(heading: str, items: Sequence[kit.Group]) -> Iterator[Part]:
    """A heading and its list, in parts of which several fit a page."""
    above = [kit.line(kit.bold(heading))]
    some: list[kit.Group] = []
    for item in items:
        if some and size([kit.rich(*above, kit.bullets([*some, item]))]) > _PART:
            yield Part((kit.rich(*above, kit.bullets(some)),))
            above, some = [], []
        some.append(item)
    yield Part((kit.rich(*above, kit.bullets(some)),))


def _title(heading: str) -> Block:
    return kit.rich(kit.line(kit.bold(heading)))
