"""A request to its row and back, and the line of the trail that goes with each change."""

import hashlib
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, Update, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Person, Plan, Request, State, TrailEntry
from bot.store.tables import REQUESTS, TRAIL


def same(plan: Plan) -> str:
    """The key under which two plans do the same thing to the same object."""
    ref = plan.ref
    which = [ref.uid] if ref.uid else [ref.namespace, ref.kind.lower(), ref.name]
    parts = [ref.cluster, which, plan.kind.value, sorted(plan.parameters.items()), plan.fingerprint]
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


def row_of(request: Request) -> dict[str, object]:
    ref = request.plan.ref
    row = {name: getattr(request, name) for name in Request.__struct_fields__ if name != "requester"}
    return {
        **row,
        "state": request.state.value,
        "requester_id": request.requester.id,
        "requester_name": request.requester.name,
        "key": same(request.plan),
        "cluster": ref.cluster,
        "namespace": ref.namespace,
        "kind": ref.kind.lower(),
        "name": ref.name,
    }


def request_of(row: Row[Any]) -> Request:
    values = row._mapping  # noqa: SLF001  # the public name of a row's columns
    plain = {name: values[name] for name in Request.__struct_fields__ if name not in {"requester", "state"}}
    requester = Person(id=values["requester_id"], name=values["requester_name"])
    return Request(**plain, state=State(values["state"]), requester=requester)


async def locked(connection: AsyncConnection, id_: str) -> Request | None:
    """The request, which nobody else changes until this transaction ends."""
    found = await connection.execute(select(REQUESTS).where(REQUESTS.c.id == id_).with_for_update())
    row = found.one_or_none()
    return request_of(row) if row else None


async def changed(
    connection: AsyncConnection, guarded: Update, *, was: State, who: str, why: str, at: datetime
) -> tuple[Request, ...]:
    """What a guarded UPDATE changed: each row is a version further and has a line in the trail."""
    update = guarded.values(version=REQUESTS.c.version + 1, changed_at=at).returning(REQUESTS)
    requests = tuple(map(request_of, await connection.execute(update)))
    for request in requests:
        entry = TrailEntry(request=request.id, at=at, who=who, was=was, became=request.state, why=why)
        await note(connection, entry)
    return requests


async def note(connection: AsyncConnection, entry: TrailEntry) -> None:
    was = entry.was.value if entry.was else None
    values = {name: getattr(entry, name) for name in TrailEntry.__struct_fields__}
    await connection.execute(insert(TRAIL).values({**values, "was": was, "became": entry.became.value}))
