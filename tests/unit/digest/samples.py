"""Items, inventories and schedules to compare."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from bot.digest.tallies import total
from bot.model import Due, Inventory, Item, ItemKind, Scanned, Severity, Sighting, Tally, Unscanned, due
from config.digests import Digest as Schedule

NOW = datetime(2026, 8, 3, 9, 0, tzinfo=UTC)
WINDOW = timedelta(days=14)
MAIN, SHOP, OPS = "C0TOKENS001", "C0SHOP00001", "C0OPS000001"


def item(
    name: str, *, namespace: str = "shop", kind: ItemKind = ItemKind.LEGACY_SECRET, days: float | None = None
) -> Item:
    return Item(
        kind=kind,
        namespace=namespace,
        object_kind="Secret",
        name=name,
        severity=Severity.WARNING,
        why="It never expires.",
        next_step="Replace it.",
        ends=None if days is None else NOW + timedelta(days=days),
    )


def inventory(
    items: Iterable[Item],
    *,
    cluster: str = "prod",
    at: datetime = NOW,
    unscanned: tuple[Unscanned, ...] = (),
    left_out: Mapping[ItemKind, int] | None = None,
    namespaces: tuple[str, ...] = ("*",),
) -> Inventory:
    found = tuple(items)
    tallies: dict[str, Tally] = {}
    for one in found:
        more = {due(one.ends, at, WINDOW): 1} if one.ends else {}
        one_more = Tally(kinds={one.kind: 1}, due=more)
        tallies[one.namespace] = total([tallies.get(one.namespace, Tally()), one_more])
    return Inventory(
        cluster=cluster,
        taken_at=at,
        window=WINDOW,
        namespaces=namespaces,
        items=found,
        tallies=tallies,
        left_out=left_out or {},
        scanned=Scanned(namespaces=3, secrets=10),
        unscanned=unscanned,
    )


def denied(*namespaces: str, count: int = 0, kinds: tuple[ItemKind, ...] = tuple(ItemKind)) -> Unscanned:
    return Unscanned(
        what="Secrets", kinds=kinds, reason="forbidden", namespaces=namespaces, count=count or len(namespaces)
    )


def sighting(one: Item, *, days_ago: float = 1) -> Sighting:
    at = NOW - timedelta(days=days_ago)
    return Sighting(key=one.key, first_seen=at, last_seen=at)


def schedule(**also: object) -> Schedule:
    given = {"name": "daily", "cron": "0 9 * * *", "channel": MAIN, "clusters": ["prod"], **also}
    return Schedule.model_validate(given)


ROUTES = [{"namespaces": ["shop-*", "shop"], "channel": SHOP}, {"namespaces": ["ops", "shop-9"], "channel": OPS}]


def counted(tally: Tally) -> int:
    return sum(tally.kinds.values())


def near(tally: Tally) -> int:
    return sum(count for bucket, count in tally.due.items() if Due(bucket).is_near)
