"""An inventory as text: the verdict first, then what is due, what never expires, and what was not looked at."""

from collections.abc import Iterable, Iterator

from bot.blocks.digest_words import KINDS, counted, number, of_kind, scanned
from bot.cli.meaning import SEVERITY
from bot.cli.page import Page, Piece, sentence, took
from bot.digest.tallies import total
from bot.durations import relative
from bot.model import Due, Inventory, Item, ItemKind, Severity, Unscanned, Verdict, due

_VERDICT = {
    Verdict.CRITICAL: "bold red",
    Verdict.WARNING: "bold yellow",
    Verdict.HEALTHY: "bold green",
    Verdict.UNKNOWN: "bold magenta",
}
_TITLES = {
    "broken": "Refused, or never good",
    "never": "Never expires",
    "projected": "Projected tokens at risk",
    "default": "On the default service account",
}
_GROUPS = {
    ItemKind.UNFILLED_SECRET: "broken",
    ItemKind.ORPHANED_SECRET: "broken",
    ItemKind.LEGACY_SECRET: "never",
    ItemKind.MANUAL_SECRET: "never",
    ItemKind.EMBEDDED_TOKEN: "never",
    ItemKind.KUBECONFIG_CERTIFICATE: "never",
    ItemKind.SUBPATH_MOUNT: "projected",
    ItemKind.CAPPED_LIFETIME: "projected",
    ItemKind.EXTENDED_CLIFF: "projected",
    ItemKind.DEFAULT_ACCOUNT: "default",
}
_BROKEN = {"legacy-token-invalidated", "embedded-credential-broken"}
_MOST_ALIKE = 6
_MOST_OF_A_GROUP = 8
_NAMED = 6


def verdict_of(inventory: Inventory) -> Verdict:
    """Unknown where nothing was found, and something that should have been read was not."""
    severities = {item.severity for item in inventory.items}
    if Severity.CRITICAL in severities:
        return Verdict.CRITICAL
    if Severity.WARNING in severities:
        return Verdict.WARNING
    return Verdict.HEALTHY if all(one.by_choice for one in inventory.unscanned) else Verdict.UNKNOWN


def inventory_page(page: Page, inventory: Inventory, *, program: str) -> None:
    """The whole inventory; `program` is how the reader calls this program."""
    _verdict(page, inventory)
    groups: dict[str, list[Item]] = {}
    for item in inventory.items:
        groups.setdefault(_group(item, inventory), []).append(item)
    for group, title in _titles(inventory):
        if group in groups:
            _section(page, title, groups[group], inventory, program)
    _totals(page, inventory)
    _unscanned(page, inventory.unscanned)
    _footer(page, inventory)


# --- the verdict --------------------------------------------------------------------------------------------


def _verdict(page: Page, inventory: Inventory) -> None:
    verdict = verdict_of(inventory)
    page.put((f"{verdict.upper()}  {_headline(inventory, verdict)}", _VERDICT[verdict]))
    where = "" if inventory.namespaces == ("*",) else f" · namespaces {', '.join(inventory.namespaces)}"
    page.put((f"cluster {inventory.cluster}{where} · {inventory.taken_at:%Y-%m-%d %H:%M} UTC", "dim"))


def _headline(inventory: Inventory, verdict: Verdict) -> str:
    parts = [*_ends(inventory), *_others(inventory)]
    if parts:
        sentence = ", ".join(parts)
        return f"{sentence[0].upper()}{sentence[1:]}"
    if verdict is Verdict.UNKNOWN:
        return "Nothing was found, but not everything could be read"
    return "Nothing is due and there is no legacy token, in what was read"


def _ends(inventory: Inventory) -> Iterator[str]:
    """`2 credentials have expired`, `3 end within 7 days`: exact, over all namespaces."""
    ending, begun = total(inventory.tallies.values()).due, False
    for bucket in (Due.EXPIRED, Due.TODAY, Due.WEEK, Due.WINDOW):
        if count := ending.get(bucket):
            is_one = count == 1
            told = ("has" if is_one else "have") + " expired" if bucket is Due.EXPIRED else "ends" if is_one else "end"
            within = "" if bucket is Due.EXPIRED else f" {bucket.within(inventory.window)}"
            what = number(count) if begun else counted(count, "credential", "credentials")
            yield f"{what} {told}{within}"
            begun = True


def _others(inventory: Inventory) -> Iterator[str]:
    kinds = total(inventory.tallies.values()).kinds
    broken = sum(kinds.get(kind, 0) for kind in (ItemKind.UNFILLED_SECRET, ItemKind.ORPHANED_SECRET))
    legacy = sum(kinds.get(kind, 0) for kind in (ItemKind.LEGACY_SECRET, ItemKind.MANUAL_SECRET))
    if broken:
        yield f"{counted(broken, 'token Secret gives', 'token Secrets give')} no good token"
    if legacy:
        yield f"{counted(legacy, 'token Secret never expires', 'token Secrets never expire')}"
    copied = kinds.get(ItemKind.SUBPATH_MOUNT, 0)
    if copied:
        yield f"{counted(copied, 'mounted token is', 'mounted tokens are')} never refreshed"


# --- the items ----------------------------------------------------------------------------------------------


def _titles(inventory: Inventory) -> Iterator[tuple[str, str]]:
    """The groups in their order."""
    for bucket in (Due.EXPIRED, Due.TODAY, Due.WEEK, Due.WINDOW):
        yield bucket.name, "Expired" if bucket is Due.EXPIRED else f"Ends {bucket.within(inventory.window)}"
    yield from _TITLES.items()


def _group(item: Item, inventory: Inventory) -> str:
    bucket = due(item.ends, inventory.taken_at, inventory.window)
    if bucket.is_near:
        return bucket.name
    return "broken" if item.cause in _BROKEN else _GROUPS[item.kind]


def _section(page: Page, title: str, items: list[Item], inventory: Inventory, program: str) -> None:
    """What is alike is told together: the sentences once, then the names."""
    page.gap()
    page.put((f"{title}  ", "bold"), (number(len(items)), "dim"))
    alike: dict[tuple[str, ...], list[Item]] = {}
    for item in items:
        alike.setdefault((item.kind, item.severity, item.why, item.next_step, item.cause), []).append(item)
    groups = list(alike.values())
    for some in groups[:_MOST_OF_A_GROUP]:
        _alike(page, some, inventory, program)
    if rest := sum(map(len, groups[_MOST_OF_A_GROUP:])):
        page.put((f"and {number(rest)} more: {program} digest -o json names them", "dim"), indent=2)


def _alike(page: Page, items: list[Item], inventory: Inventory, program: str) -> None:
    first, colour = items[0], SEVERITY[items[0].severity]
    page.gap()
    for place, item in enumerate(items[:_MOST_ALIKE]):
        bullet = page.bullet if place == 0 else " " * len(page.bullet)
        page.put(*_name(page, item, inventory), marker=f"{bullet} ", style=colour)
        if item.used and item.object_kind == "Secret":
            page.put((item.used, "dim"), indent=2)
    if len(items) > _MOST_ALIKE:
        page.put((f"and {number(len(items) - _MOST_ALIKE)} more like these", "dim"), indent=2)
    page.put(first.why, indent=2)
    page.put(first.next_step, indent=2, marker=page.arrow, style="green")
    if first.cause:
        page.put((f"More: {program} explain {first.cause}", "dim"), indent=2)


def _name(page: Page, item: Item, inventory: Inventory) -> Iterator[Piece]:
    what = f"{item.object_kind.lower()} " if item.object_kind != "Secret" else ""
    yield f"{what}{item.namespace}/{item.name}", "bold"
    if item.place:
        yield f", {item.place}", ""
    yield f"  {page.tied(f'{KINDS[item.kind][0]}{_when(item, inventory)}')}", SEVERITY[item.severity]
    if item.used and item.object_kind != "Secret":
        yield f"  {page.tied(item.used)}", "dim"
    if item.owner:
        yield f"  {page.tied(f'owner: {item.owner}')}", "dim"


def _when(item: Item, inventory: Inventory) -> str:
    """Only of what is due: of the rest the sentence below says what becomes of it."""
    if item.ends is None or not due(item.ends, inventory.taken_at, inventory.window).is_near:
        return ""
    told = "ended" if item.ends < inventory.taken_at else "ends"
    return f", {told} {relative(item.ends, inventory.taken_at)}"


# --- what there is, and what was not looked at --------------------------------------------------------------


def _totals(page: Page, inventory: Inventory) -> None:
    kinds = total(inventory.tallies.values()).kinds
    if not kinds:
        return
    page.gap()
    page.put(("Totals", "bold"))
    rows: list[tuple[Piece, tuple[Piece, ...]]] = []
    for kind in ItemKind:
        if count := kinds.get(kind):
            where = [name for name, tally in inventory.tallies.items() if tally.kinds.get(kind)]
            places = ", ".join(where[:_NAMED]) + (f" and {number(len(where) - _NAMED)} more" if where[_NAMED:] else "")
            rows.append((of_kind(kind, count), ((f"in {places}", "dim"),)))
    page.rows(rows, indent=2)
    if inventory.left_out:
        left = ", ".join(of_kind(kind, count) for kind, count in inventory.left_out.items())
        page.put((f"Counted, but not named above: {left}.", "dim"), indent=2)


def _unscanned(page: Page, lines: Iterable[Unscanned]) -> None:
    """What something went wrong with comes first; what was not asked for, after it."""
    ordered = sorted(lines, key=lambda one: one.by_choice)
    if not ordered:
        return
    page.gap()
    page.put(("Not looked at", "bold"))
    for one in ordered:
        words = "dim" if one.by_choice else ""
        page.put(
            (one.what, "dim" if one.by_choice else "yellow"),
            (_where(one), words),
            (f": {sentence(one.reason)}", words),
            indent=2,
        )
        if one.mend:
            page.put((one.mend, words), indent=4, marker=page.arrow, style="green")


def _where(one: Unscanned) -> str:
    if not one.namespaces:
        return ""
    named = one.namespaces[:_NAMED]
    more = one.count - len(named)
    return f" in {', '.join(named)}{f' and {number(more)} more namespaces' if more > 0 else ''}"


def _footer(page: Page, inventory: Inventory) -> None:
    page.gap()
    page.put((f"Read {scanned(inventory.scanned)} in {took(inventory.took_ms)}", "dim"))
