"""An inventory as JSON, schema 1: the outward contract. A key that changes here is a breaking change."""

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from bot.cli.inventory_page import verdict_of
from bot.digest.tallies import total
from bot.model import Due, Inventory, Item, Tally, Unscanned, due
from bot.redact import redact_each


class Action(Struct, frozen=True, kw_only=True):
    """Something that the bot would do on request: its kind and what to."""

    action: str
    target: str


class ItemLine(Struct, frozen=True, kw_only=True):
    kind: str
    namespace: str
    object_kind: str
    name: str
    place: str
    owner: str
    severity: str
    due: str
    ends: str | None
    why: str
    next_step: str
    used: str
    code: str
    actions: tuple[Action, ...]


class Totals(Struct, frozen=True, kw_only=True):
    """How many there are by kind, and of those that end, how many by when."""

    kinds: Mapping[str, int]
    due: Mapping[str, int]


class ScannedLine(Struct, frozen=True, kw_only=True):
    """`secrets` is null where the data of Secrets was not read."""

    namespaces: int
    token_secrets: int
    service_accounts: int
    pods: int
    secrets: int | None


class UnscannedLine(Struct, frozen=True, kw_only=True):
    """`namespaces` names at most twenty of `count`; none: it is true of all. `kinds` may be missing because of it."""

    what: str
    reason: str
    mend: str
    namespaces: tuple[str, ...]
    count: int
    by_choice: bool
    kinds: tuple[str, ...]


class InventoryDocument(Struct, frozen=True, kw_only=True):
    schema: int
    cluster: str
    taken_at: str
    namespaces: tuple[str, ...]
    window_days: float
    verdict: str
    items: tuple[ItemLine, ...]
    left_out: Mapping[str, int]
    totals: Totals
    by_namespace: Mapping[str, Totals]
    scanned: ScannedLine
    unscanned: tuple[UnscannedLine, ...]
    took_ms: int


def inventory_json(inventory: Inventory) -> str:
    """The inventory, indented, every text redacted once more."""
    document = InventoryDocument(
        schema=1,
        cluster=inventory.cluster,
        taken_at=_iso(inventory.taken_at),
        namespaces=inventory.namespaces,
        window_days=inventory.window.total_seconds() / 86400,
        verdict=verdict_of(inventory),
        items=tuple(_item(item, inventory) for item in inventory.items),
        left_out={kind.value: count for kind, count in inventory.left_out.items()},
        totals=_totals(total(inventory.tallies.values())),
        by_namespace={name: _totals(tally) for name, tally in inventory.tallies.items()},
        scanned=ScannedLine(
            namespaces=inventory.scanned.namespaces,
            token_secrets=inventory.scanned.token_secrets,
            service_accounts=inventory.scanned.service_accounts,
            pods=inventory.scanned.pods,
            secrets=inventory.scanned.secrets,
        ),
        unscanned=tuple(map(_unscanned, inventory.unscanned)),
        took_ms=inventory.took_ms,
    )
    plain = redact_each(msgspec.to_builtins(document), keys=True)  # namespaces and clusters are keys
    return msgspec.json.format(msgspec.json.encode(plain), indent=2).decode()


def _item(item: Item, inventory: Inventory) -> ItemLine:
    return ItemLine(
        kind=item.kind.value,
        namespace=item.namespace,
        object_kind=item.object_kind,
        name=item.name,
        place=item.place,
        owner=item.owner,
        severity=item.severity.value,
        due=due(item.ends, inventory.taken_at, inventory.window).name.lower(),
        ends=_iso(item.ends) if item.ends else None,
        why=item.why,
        next_step=item.next_step,
        used=item.used,
        code=item.cause,
        actions=tuple(Action(action=offer.kind.value, target=str(offer.ref)) for offer in item.offers),
    )


def _totals(tally: Tally) -> Totals:
    """Of what can be counted only: a kind that was not looked for is not named, and so is no 0."""
    return Totals(
        kinds={kind.value: count for kind, count in tally.kinds.items()},
        due={bucket.name.lower(): tally.due[bucket] for bucket in Due if bucket in tally.due},
    )


def _unscanned(one: Unscanned) -> UnscannedLine:
    return UnscannedLine(
        what=one.what,
        reason=one.reason,
        mend=one.mend,
        namespaces=one.namespaces,
        count=one.count,
        by_choice=one.by_choice,
        kinds=tuple(kind.value for kind in one.kinds),
    )


def _iso(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
