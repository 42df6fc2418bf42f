"""A digest as a channel sees it: the verdict first, what is new, due and gone in short; each item in the thread."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.blocks import elements as kit
from bot.blocks.digest_chart import charts, table
from bot.blocks.digest_items import Told, quiet, short
from bot.blocks.digest_pages import Overlay, every, item_count, known, name_of, pages
from bot.blocks.digest_words import counted, local, number, scanned, since, unread, verdict
from bot.blocks.limits import BUDGET, HEADER, Block, Message, fallback, one_line, size, weight
from bot.model import ClusterDigest, Digest, Item, Snooze

Snoozes = Mapping[tuple[str, str], Snooze]
"""Those in force, by cluster and an item's key."""

_DETAIL = ((5, 2, 4), (3, 2, 3), (3, 1, 3), (2, 1, 2), (1, 1, 2), (1, 0, 1), (0, 0, 1))
"""How many lines of each list, charts, and notes on what is quiet or was not read: the most that fits."""

_CLUSTERS = 8
_HEADLINE = HEADER - 5  # the sign
_MISSED = 3
_GONE = 5
_CHANNELS = 8
_LATE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class _Seen:
    """`now` puts the present snooze over an item."""

    digest: Digest
    now: Overlay


def messages(digest: Digest, snoozes: Snoozes | None = None, *, acts: bool = False) -> tuple[Message, ...]:
    """The channel's message, and the pages of its thread: as many, in the same order, whatever is snoozed since.

    `snoozes` are those in force now, None for those that the digest itself knows of. `acts` where there is a policy,
    so that the items' offers become buttons.
    """
    if digest.heartbeat:
        return (_heartbeat(digest),)
    if not digest.clusters:
        return (_too_late(digest),)

    def now(told: Told) -> Told:
        if snoozes is None:
            return told
        return replace(told, snooze=snoozes.get(told.place))

    return (_main(_Seen(digest, now)), *pages(digest, now, acts=acts))


def _main(seen: _Seen) -> Message:
    sign, parts = verdict(seen.digest)
    said = ", ".join(parts)
    blocks: list[Block] = []
    instead: list[Block] = []
    for lines, drawn, notes in _DETAIL:
        above = [kit.header(f"{sign} {_headline(parts)}"), _small_print(seen), *_clusters(seen, lines)]
        below = [*_notes(seen, notes), _last(seen)]
        figures = charts(seen.digest, most=drawn)
        blocks = [*above, *figures, *below]
        instead = [*above, *table(seen.digest), *below] if figures else []
        if size(blocks) <= BUDGET and size(instead) <= BUDGET:
            break
    asked = f" Asked by <@{seen.digest.asker}>" if seen.digest.asker else ""
    return Message(f"{fallback(f'{sign} {said} ({_title(seen)})')}{asked}", tuple(blocks), tuple(instead))


def _headline(parts: Sequence[str]) -> str:
    """As much as a header holds: the first part, and the last, which may say that not everything was read."""
    kept = list(parts)
    while len(kept) > 2 and weight(", ".join(kept)) > _HEADLINE:  # noqa: PLR2004  # the first and the last
        del kept[-2]
    return ", ".join(kept)


def _title(seen: _Seen) -> str:
    """`Digest daily, cluster prod`."""
    clusters = [cluster.cluster for cluster in seen.digest.clusters if cluster.cluster]
    where = f"cluster{'s' * (len(clusters) > 1)} {', '.join(clusters[:_CLUSTERS])}" if clusters else ""
    return ", ".join(part for part in (name_of(seen.digest), where, seen.digest.about) if part)


def _small_print(seen: _Seen) -> Block:
    digest = seen.digest
    texts = [_title(seen), local(digest.at, digest.timezone)]
    if digest.due_at and digest.at - digest.due_at > _LATE:
        texts.append(f"late: it was due {local(digest.due_at, digest.timezone)}")
    return kit.context(" · ".join(texts), asker=seen.digest.asker)


# --- what each cluster has ----------------------------------------------------------------------------------


def _clusters(seen: _Seen, lines: int) -> Iterator[Block]:
    for cluster in seen.digest.clusters[:_CLUSTERS]:
        groups = list(_cluster(cluster, seen, lines))
        if groups:
            yield kit.rich(*groups)
    left = len(seen.digest.clusters) - _CLUSTERS
    if left > 0:
        yield kit.context(f"… and {counted(left, 'more cluster', 'more clusters')}, in the thread")


def _cluster(cluster: ClusterDigest, seen: _Seen, lines: int) -> Iterator[kit.Group]:
    name = one_line(cluster.cluster or "The cluster", 100)
    if cluster.unreachable:
        why = " ".join(kit.sentence(words) for words in (cluster.unreachable, cluster.mend) if words)
        yield kit.line(kit.words("⚪ "), kit.bold(f"{name} could not be read"), *kit.prose(f": {why}", 500))
        return
    if len(seen.digest.clusters) > 1:
        yield kit.line(kit.bold(name))
    for heading, some in _lists(cluster, seen):
        yield kit.line(kit.bold(f"{heading} ({number(len(some))})"))
        shown = [short(told) for told in some[:lines]]
        if shown and len(some) > lines:
            shown.append(kit.line(kit.words(f"… and {number(len(some) - lines)} more, in the thread")))
        if shown:
            yield kit.bullets(shown)
    if cluster.resolved:
        names = ", ".join(f"{one.namespace}/{one.name}" for one in cluster.resolved[:_GONE])
        more = f" and {number(len(cluster.resolved) - _GONE)} more" if len(cluster.resolved) > _GONE else ""
        yield kit.line(
            kit.bold(f"Gone ({number(len(cluster.resolved))}):"),
            kit.words(" "),
            kit.words(f"{one_line(names, 400)}{more}"),
        )
    if cluster.is_first and seen.digest.schedule:
        yield kit.line(kit.italic("The first digest: from the next one on it says what is new."))


def _lists(cluster: ClusterDigest, seen: _Seen) -> Iterator[tuple[str, list[Told]]]:
    def told(items: Sequence[Item]) -> list[Told]:
        return [seen.now(Told(item, cluster, seen.digest)) for item in items]

    lists = (
        (f"New{since(seen.digest)}", told(cluster.new)),
        ("Due", told(cluster.due)),
        ("Told again: the snooze has ended", told([one.item for one in cluster.lapsed])),
        (known(cluster), told(cluster.rest if seen.digest.asker or cluster.is_first else ())),
    )
    yield from ((heading, some) for heading, some in lists if some)


# --- what else is to be said --------------------------------------------------------------------------------


def _notes(seen: _Seen, most: int) -> Iterator[Block]:
    groups = [*_kept_quiet(seen, most), *_not_read(seen.digest, most), *_slots(seen.digest), *_elsewhere(seen.digest)]
    if groups:
        yield kit.rich(*groups)


def _kept_quiet(seen: _Seen, most: int) -> Iterator[kit.Group]:
    """Who keeps what quiet, why and until when."""
    quiet_ones = [told for told in every(seen.digest, seen.now) if told.snooze]
    if not quiet_ones:
        return
    items = [
        kit.line(kit.bold(f"{told.item.namespace}/{told.item.name}", 200), kit.words(" "), *quiet(told.snooze))
        for told in quiet_ones[:most]
        if told.snooze
    ]
    if len(quiet_ones) > most:
        items.append(kit.line(kit.words(f"… and {number(len(quiet_ones) - most)} more, in the thread")))
    yield kit.line(kit.bold(f"Kept quiet ({number(len(quiet_ones))})"))
    yield kit.bullets(items)


def _not_read(digest: Digest, most: int) -> Iterator[kit.Group]:
    """What was not read is said: it is not nothing."""
    several = len(digest.clusters) > 1
    for heading, by_choice in (("Could not be read", False), ("Not looked at", True)):
        found = [
            f"{one_line(cluster.cluster, 60)}: {unread(one)}" if several else unread(one)
            for cluster in digest.clusters
            for one in cluster.unscanned
            if one.by_choice is by_choice
        ]
        for words in dict.fromkeys(found[:most]):
            yield kit.line(kit.bold(f"{heading}:"), kit.words(" "), *kit.prose(words, 350))
        if len(found) > most:
            yield kit.line(kit.words(f"… and {number(len(found) - most)} more, in the thread"))


def _slots(digest: Digest) -> Iterator[kit.Group]:
    if digest.missed_count:
        shown = ", ".join(one_line(minute.replace("T", " "), 40) for minute in digest.missed[-_MISSED:])
        what = f"{counted(digest.missed_count, 'digest was', 'digests were')} missed while token-doctor was not running"
        yield kit.line(kit.words(f"⚠️ {what}: {'… ' if digest.missed_count > _MISSED else ''}{shown}."))


def _elsewhere(digest: Digest) -> Iterator[kit.Group]:
    told = [(channel, count) for channel, count in digest.elsewhere.items() if count]
    if told:
        leaves = [kit.words("Told in other channels:")]
        for channel, count in told[:_CHANNELS]:
            leaves += [kit.words(" "), kit.channel(channel), kit.words(f" ({number(count)})")]
        if len(told) > _CHANNELS:
            leaves.append(kit.words(f" and {number(len(told) - _CHANNELS)} more"))
        yield kit.line(*leaves)


def _last(seen: _Seen) -> Block:
    """What was read, what the thread has, and when it comes again."""
    digest = seen.digest
    several = len(digest.clusters) > 1
    texts = [_read(cluster, several=several) for cluster in digest.clusters if cluster.scanned.namespaces]
    items = item_count(digest)
    texts = texts[:_CLUSTERS]
    if items:
        texts.append(f"In the thread: {counted(items, 'item', 'items')}, each with its owner and the next step.")
    if digest.next_at:
        texts.append(f"Next: {local(digest.next_at, digest.timezone)}.")
    return kit.context(*(texts or ["Nothing was read."]))


def _read(cluster: ClusterDigest, *, several: bool) -> str:
    name = f" in {one_line(cluster.cluster, 60)}" if several and cluster.cluster else ""
    return f"Read{name}: {scanned(cluster.scanned)}."


# --- when there is nothing to tell --------------------------------------------------------------------------


def _heartbeat(digest: Digest) -> Message:
    """One line, so that silence is never a failure that nobody sees."""
    since_when = f" since {local(digest.quiet_since, digest.timezone)}" if digest.quiet_since else ""
    unscanned = [one for cluster in digest.clusters for one in cluster.unscanned]
    looked = "nothing new and nothing due in what was read" if unscanned else "nothing new and nothing due"
    clusters = ", ".join(cluster.cluster for cluster in digest.clusters if cluster.cluster)
    where = f" ({one_line(clusters, 200)})" if clusters else ""
    following = f" Next: {local(digest.next_at, digest.timezone)}." if digest.next_at else ""
    said = f"🟢 {name_of(digest)}{where}: {looked}{since_when}.{following}"
    return Message(fallback(said), (kit.context(said),))


def _too_late(digest: Digest) -> Message:
    """The slot was missed, and is said to have been."""
    minute = f" of {digest.minute.replace('T', ' ')}, {digest.timezone}," if digest.minute else ""
    following = f" The next one comes {local(digest.next_at, digest.timezone)}." if digest.next_at else ""
    said = f"⚪ {name_of(digest)}{minute} was missed: token-doctor was not running. Nothing was read.{following}"
    return Message(fallback(said), (kit.rich(kit.line(kit.words(said)), *_slots(digest)),))
