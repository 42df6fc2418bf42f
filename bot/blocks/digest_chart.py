"""Totals and their trend: as Slack's own charts, and as a table for a workspace that refuses these.

Limits: title 50, labels 20, at most 20 points and 6 series, two charts and one table a message
(docs.slack.dev/reference/block-kit/blocks/data-visualization-block).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from bot.blocks.digest_words import KINDS, NEVER, day, number, zone_of
from bot.blocks.limits import Block, one_line
from bot.model import ClusterDigest, Digest, Due, ItemKind, Tally, TrendPoint

_POINTS = 12
_COLUMNS = 4
_LABEL = 20
_CLUSTERS = 6

_SHORT = {
    ItemKind.LEGACY_SECRET: "auto-generated",
    ItemKind.MANUAL_SECRET: "made by hand",
    ItemKind.UNFILLED_SECRET: "unfilled",
    ItemKind.ORPHANED_SECRET: "orphaned",
    ItemKind.EMBEDDED_TOKEN: "embedded tokens",
    ItemKind.KUBECONFIG_CERTIFICATE: "certificates",
    ItemKind.SUBPATH_MOUNT: "subPath mounts",
    ItemKind.CAPPED_LIFETIME: "capped lifetimes",
    ItemKind.EXTENDED_CLIFF: "extended tokens",
    ItemKind.DEFAULT_ACCOUNT: "default accounts",
}


class Point(NamedTuple):
    """All clusters together, at one digest. Not `whole`: there may have been more than was read."""

    label: str
    kinds: Mapping[ItemKind, int]
    near: int
    expired: int
    whole: bool


def charts(digest: Digest, *, most: int = 2) -> list[Block]:
    """What there is by kind, and how it went; nothing where there is nothing to draw."""
    drawn = [block for block in (_by_kind(digest), _trend(digest)) if block]
    return drawn[:most]


def table(digest: Digest) -> list[Block]:
    """The same as one table: a row a kind, a column a digest, the newest last."""
    now = _now(digest)
    past = _points(digest)[-_COLUMNS:-1]
    shown = [kind for kind in ItemKind if any(point.kinds.get(kind) for point in (*past, now))]
    if not shown and not now.near and not now.expired:
        return []
    rows = [["What", *(point.label for point in past), "now"]]
    columns = (*past, now)
    rows += [[KINDS[kind][1], *(_figure(point.kinds.get(kind, 0), point) for point in columns)] for kind in shown]
    if any(point.near or point.expired for point in columns):
        rows.append([_ending(digest), *(_figure(point.near, point) for point in columns)])
        rows.append(["expired", *(_figure(point.expired, point) for point in columns)])
    return [{"type": "table", "rows": [[_cell(text) for text in row] for row in rows]}]


def _by_kind(digest: Digest) -> Block | None:
    """A bar a kind; a series a cluster, where there are few enough to tell them apart."""
    read = _read(digest)
    total = _now(digest).kinds
    shown = [kind for kind in ItemKind if total.get(kind)]
    if not shown:
        return None
    labels = [_SHORT[kind] for kind in shown]
    by_cluster = {one_line(cluster.cluster, _LABEL - 1): cluster.totals.kinds for cluster in read}
    # A cluster in which something was not read must not stand there with a nought.
    if not 1 < len(by_cluster) == len(read) <= _CLUSTERS or any(cluster.unscanned for cluster in read):
        by_cluster = {"now": total}
    series = {name: [counts.get(kind, 0) for kind in shown] for name, counts in by_cluster.items()}
    return _chart("bar", f"What there is{_of_what_was_read(digest)}", labels, series)


def _trend(digest: Digest) -> Block | None:
    points = _points(digest)[-_POINTS:]
    if len(points) < 2:  # noqa: PLR2004  # one point is no line
        return None
    series = {
        "never expire": [sum(point.kinds.get(kind, 0) for kind in NEVER) for point in points],
        _ending(digest): [point.near for point in points],
        "expired": [point.expired for point in points],
    }
    drawn = {name: values for name, values in series.items() if any(values)}
    if not drawn:
        return None
    return _chart("line", f"How it went{_of_what_was_read(digest)}", [point.label for point in points], drawn)


def _chart(kind: str, title: str, labels: Sequence[str], series: Mapping[str, Sequence[int]]) -> Block:
    drawn = [
        {"name": name, "data": [{"label": label, "value": value} for label, value in zip(labels, values, strict=True)]}
        for name, values in series.items()
    ]
    chart = {"type": kind, "series": drawn, "axis_config": {"categories": list(labels)}}
    return {"type": "data_visualization", "title": title, "chart": chart}


def _points(digest: Digest) -> list[Point]:
    """The digests that all clusters have, each once, by its local day, or its minute where a day has several."""
    read = _read(digest)
    zone = zone_of(digest.timezone)

    def labelled(form: str) -> list[dict[str, TrendPoint]]:
        return [{_label(point.at.astimezone(zone), form): point for point in one.trend} for one in read]

    by_label = labelled("day")
    if any(len(some) < len(one.trend) for some, one in zip(by_label, read, strict=True)):
        by_label = labelled("minute")
    first, *others = by_label or [{}]
    common = [label for label in first if all(label in other for other in others)]
    return [_earlier(label, [some[label] for some in by_label]) for label in common]


def _label(at: datetime, form: str) -> str:
    return day(at) if form == "day" else f"{day(at)} {at:%H:%M}"


def _now(digest: Digest) -> Point:
    return _point("now", [cluster.totals for cluster in _read(digest)], whole=_is_whole(digest))


def _earlier(label: str, points: Sequence[TrendPoint]) -> Point:
    return _point(label, [point.totals for point in points], whole=all(point.complete for point in points))


def _point(label: str, totals: Sequence[Tally], *, whole: bool) -> Point:
    kinds = {kind: sum(one.kinds.get(kind, 0) for one in totals) for kind in ItemKind}
    near = sum(one.due.get(bucket, 0) for one in totals for bucket in (Due.TODAY, Due.WEEK, Due.WINDOW))
    return Point(label, kinds, near, sum(one.due.get(Due.EXPIRED, 0) for one in totals), whole)


def _figure(count: int, point: Point) -> str:
    """A nought stands only where there is none."""
    return number(count) if count or point.whole else "?"


def _ending(digest: Digest) -> str:
    """`end within 14 d`: at most twenty characters."""
    return f"end within {max(cluster.window for cluster in digest.clusters).days} d"


def _of_what_was_read(digest: Digest) -> str:
    seen = all(point.complete for cluster in _read(digest) for point in cluster.trend)
    return "" if _is_whole(digest) and seen else ", of what could be read"


def _is_whole(digest: Digest) -> bool:
    return not any(cluster.unreachable or cluster.unscanned for cluster in digest.clusters)


def _read(digest: Digest) -> list[ClusterDigest]:
    return [cluster for cluster in digest.clusters if not cluster.unreachable]


def _cell(text: str) -> dict[str, str]:
    return {"type": "raw_text", "text": text}
