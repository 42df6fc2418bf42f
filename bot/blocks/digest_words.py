"""What a digest says in sentences: the verdict, since when, what was not read. Nothing unread counts as nothing."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.blocks.elements import sentence
from bot.model import ClusterDigest, Digest, Due, Item, ItemKind, Scanned, Severity, Unscanned

KINDS = {
    ItemKind.LEGACY_SECRET: ("auto-generated token Secret", "auto-generated token Secrets"),
    ItemKind.MANUAL_SECRET: ("token Secret made by hand", "token Secrets made by hand"),
    ItemKind.UNFILLED_SECRET: ("unfilled token Secret", "unfilled token Secrets"),
    ItemKind.ORPHANED_SECRET: ("orphaned token Secret", "orphaned token Secrets"),
    ItemKind.EMBEDDED_TOKEN: ("embedded token", "embedded tokens"),
    ItemKind.KUBECONFIG_CERTIFICATE: ("kubeconfig certificate", "kubeconfig certificates"),
    ItemKind.SUBPATH_MOUNT: ("token mounted by subPath", "tokens mounted by subPath"),
    ItemKind.CAPPED_LIFETIME: ("capped token lifetime", "capped token lifetimes"),
    ItemKind.EXTENDED_CLIFF: ("extended token", "extended tokens"),
    ItemKind.DEFAULT_ACCOUNT: ("workload on the default account", "workloads on the default account"),
}
"""What one and what several of a kind are called."""

NEVER = (ItemKind.LEGACY_SECRET, ItemKind.MANUAL_SECRET)
_TOKENS = {ItemKind.EMBEDDED_TOKEN, ItemKind.EXTENDED_CLIFF, ItemKind.CAPPED_LIFETIME}
_NEAR = (Due.EXPIRED, Due.TODAY, Due.WEEK, Due.WINDOW)
_WEEK = 7
_NAMED = 6


def number(value: int) -> str:
    """`4 200`."""
    return f"{value:,}".replace(",", " ")


def counted(value: int, one: str, several: str) -> str:
    """`1 token`, `4 200 tokens`."""
    return f"{number(value)} {one if value == 1 else several}"


def of_kind(kind: ItemKind, value: int) -> str:
    return counted(value, *KINDS[kind])


def verdict(digest: Digest) -> tuple[str, tuple[str, ...]]:
    """A sign, and the parts of the sentence that stands first."""
    read = [cluster for cluster in digest.clusters if not cluster.unreachable]
    if not read:
        return "⚪", ("Nothing could be read",)
    parts = [*_ends(read), *_counts(digest, read)]
    spoilt = len(read) < len(digest.clusters) or any(spoilers(cluster) for cluster in read)
    if spoilt:
        parts.append("not everything could be read")
    if not parts:
        return "🟢", ("Nothing new and nothing due in what was read",)
    if _sum_due(read, Due.EXPIRED, Due.TODAY):
        sign = "🔴"
    else:
        told = any(cluster.new or cluster.due or cluster.lapsed or _stands(cluster) for cluster in read)
        sign = "🟠" if told or spoilt or _sum_due(read, *_NEAR) else "🟢"
    return sign, (f"{parts[0][:1].upper()}{parts[0][1:]}", *parts[1:])


def _stands(cluster: ClusterDigest) -> bool:
    """Whether somebody who hears of it for the first time should look into it."""
    return cluster.is_first and any(item.severity is not Severity.INFO for item in cluster.rest)


def spoilers(cluster: ClusterDigest) -> list[Unscanned]:
    """What should have been read and could not be."""
    return [one for one in cluster.unscanned if not one.by_choice]


def _ends(read: list[ClusterDigest]) -> Iterator[str]:
    """`1 token has expired`, `2 expire within 24 hours`."""
    window = max(cluster.window for cluster in read)
    noun = _noun(read)
    begun = False
    for bucket in _NEAR:
        count = _sum_due(read, bucket)
        if count:
            what = number(count) if begun else counted(count, noun, f"{noun}s")
            verb = ("has", "have") if bucket is Due.EXPIRED else ("expires", "expire")
            rest = "expired" if bucket is Due.EXPIRED else bucket.within(window)
            yield f"{what} {verb[count != 1]} {rest}"
            begun = True


def _noun(read: list[ClusterDigest]) -> str:
    """What those that end soon are called together."""
    kinds = {item.kind for cluster in read for item in everything(cluster) if ends_soon(item, cluster)}
    if kinds and kinds <= _TOKENS:
        return "token"
    return "certificate" if kinds == {ItemKind.KUBECONFIG_CERTIFICATE} else "credential"


def ends_soon(item: Item, cluster: ClusterDigest) -> bool:
    return item.ends is not None and item.ends - cluster.taken_at <= cluster.window


def everything(cluster: ClusterDigest) -> Iterator[Item]:
    """Each item that has a name here."""
    yield from cluster.new
    yield from cluster.due
    yield from (one.item for one in (*cluster.lapsed, *cluster.snoozed))
    yield from cluster.rest


def _counts(digest: Digest, read: list[ClusterDigest]) -> Iterator[str]:
    never = sum(cluster.totals.kinds.get(kind, 0) for cluster in read for kind in NEVER)
    if never:
        yield f"{counted(never, 'Secret', 'Secrets')} never expire{'s' * (never == 1)}"
    new = sum(len(cluster.new) for cluster in read)
    if new:
        yield f"{number(new)} {_is(new)} new{since(digest)}"
    gone = sum(len(cluster.resolved) for cluster in read)
    if gone:
        yield f"{number(gone)} {_is(gone)} gone"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _sum_due(read: Iterable[ClusterDigest], *buckets: Due) -> int:
    return sum(cluster.totals.due.get(bucket, 0) for cluster in read for bucket in buckets)


def since(digest: Digest) -> str:
    """` since Friday`: since the digest before this one, "" where there was none."""
    before = [point.at for cluster in digest.clusters for point in cluster.trend[:-1][-1:]]
    if not before:
        return ""
    zone = zone_of(digest.timezone)
    then, now = max(before).astimezone(zone), digest.at.astimezone(zone)
    days = (now.date() - then.date()).days
    if days <= 0:
        return f" since {then:%H:%M}"
    return " since yesterday" if days == 1 else f" since {then:%A}" if days < _WEEK else f" since {day(then)}"


def zone_of(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder of zones, such as Europe
        return UTC


def day(at: datetime) -> str:
    """`3 Nov`."""
    return f"{at.day} {at:%b}"


def local(at: datetime, zone: str) -> str:
    """`Mon 23 Nov 09:00 CET`, by the digest's own time zone."""
    there = at.astimezone(zone_of(zone))
    return f"{there:%a} {day(there)} {there:%H:%M %Z}"


def scanned(read: Scanned, *, where: bool = True) -> str:
    """`212 token Secrets, 1 420 service accounts and 9 870 pods in 41 namespaces`."""
    parts = [
        counted(read.token_secrets, "token Secret", "token Secrets"),
        counted(read.service_accounts, "service account", "service accounts"),
        counted(read.pods, "pod", "pods"),
    ]
    if read.secrets is not None:
        parts.append(f"the data of {counted(read.secrets, 'Secret', 'Secrets')}")
    place = f" in {counted(read.namespaces, 'namespace', 'namespaces')}" if where and read.namespaces else ""
    return f"{', '.join(parts[:-1])} and {parts[-1]}{place}"


def unread(one: Unscanned) -> str:
    """`pods (shop, pay and 3 more): forbidden. Allow it: …`."""
    where = ""
    if one.namespaces:
        shown = ", ".join(one.namespaces[:_NAMED])
        left = max(one.count, len(one.namespaces)) - len(one.namespaces[:_NAMED])
        where = f" ({shown}{f' and {number(left)} more' if left > 0 else ''})"
    elif one.count:
        where = f" in {counted(one.count, 'namespace', 'namespaces')}"
    mend = f" {sentence(one.mend)}" if one.mend else ""
    return f"{one.what}{where}: {one.reason.rstrip('.')}.{mend}"


def kinds(counts: Mapping[ItemKind, int]) -> str:
    """`9 000 embedded tokens, 12 unfilled token Secrets`."""
    return ", ".join(of_kind(kind, count) for kind, count in counts.items() if count)
