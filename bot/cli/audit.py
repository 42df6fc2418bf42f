"""`audit`: who did what and when, from the trail that nobody can change."""

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

import msgspec
from msgspec import Struct

from bot.cli.page import Page, page
from bot.cli.requests import entry_row
from bot.cli.stored import with_store
from bot.durations import typed
from bot.errors import WrongUsageError
from bot.model import Request, Target, TrailEntry
from bot.redact import redact
from bot.store import Store
from bot.targets import parse_target

_MOST = 1000


class Entry(Struct, frozen=True, kw_only=True):
    """A line of the audit as JSON: the outward contract. `was` is null where the request began."""

    request: str
    at: datetime
    who: str
    was: str | None
    became: str
    why: str
    action: str
    cluster: str
    namespace: str
    kind: str
    name: str


class AuditDocument(Struct, frozen=True, kw_only=True):
    """`complete` is false where older entries were left out."""

    schema: int
    entries: tuple[Entry, ...]
    complete: bool


def run(config: Path | None, since: str, target: str, *, json: bool) -> int:
    """Raises WrongUsageError for a duration or a target that is none."""
    age = typed(since) if since else None
    if since and age is None:
        raise WrongUsageError(f"“{since}” is no duration.", next_step="Write 7d, 12h or 90min.")
    wanted = parse_target(target) if target else None
    start = datetime.now(UTC) - age if age is not None else None
    return with_store(config, lambda store: _audit(store, start, wanted, json=json))


async def _audit(store: Store, since: datetime | None, target: Target | None, *, json: bool) -> int:
    found = await store.requests.trail(since=since, target=target, limit=_MOST + 1)
    entries = found[-_MOST:]
    requests = {
        id_: request
        for id_ in dict.fromkeys(entry.request for entry in entries)
        if (request := await store.requests.get(id_)) is not None
    }
    if json:
        sys.stdout.write(f"{_json(entries, requests, complete=len(found) <= _MOST)}\n")
    else:
        _text(page(), entries, requests, complete=len(found) <= _MOST)
    return 0


def _text(out: Page, entries: Sequence[TrailEntry], requests: Mapping[str, Request], *, complete: bool) -> None:
    if not entries:
        out.put("Nothing was asked for or done.")
        return
    order = list(dict.fromkeys(entry.request for entry in entries))
    by_request = sorted(entries, key=lambda entry: order.index(entry.request))  # each request's own in their order
    for id_, of_request in groupby(by_request, key=lambda entry: entry.request):
        request = requests.get(id_)
        summary = request.plan.summary if request else "It was removed meanwhile."
        out.put((id_, "bold"), f"  {summary}")
        out.rows([entry_row(entry) for entry in of_request], indent=2)
        out.gap()
    if not complete:
        out.put((f"Only the latest {_MOST} entries: narrow it with --since or --target.", "yellow"))


def _json(entries: Sequence[TrailEntry], requests: Mapping[str, Request], *, complete: bool) -> str:
    lines = tuple(_entry(entry, requests[entry.request]) for entry in entries if entry.request in requests)
    document = AuditDocument(schema=1, entries=lines, complete=complete)
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


def _entry(entry: TrailEntry, request: Request) -> Entry:
    ref = request.plan.ref
    return Entry(
        request=entry.request,
        at=entry.at,
        who=redact(entry.who),
        was=entry.was.value if entry.was else None,
        became=entry.became.value,
        why=redact(entry.why),
        action=request.plan.kind.value,
        cluster=ref.cluster,
        namespace=ref.namespace,
        kind=ref.kind,
        name=ref.name,
    )
