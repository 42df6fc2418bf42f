"""No token gets into the database, in whichever text it comes; and no text is refused for its characters."""

import asyncpg
import pytest
from msgspec.structs import replace

from bot.model import Digest, Person, Snooze, State, Vote
from bot.redact import MARK, holds_token
from bot.store import Store
from tests.store.conftest import Address
from tests.store.samples import NOW, after, plan, request, saw
from tests.store.server import PASSWORD, Server
from tests.unit.jwts import BOUND, token

JWT = token(BOUND)
SLACK = "xoxb-2718281828-3141592653-PlantedInAReason"
SAID = f"it said {JWT} and {SLACK}"


async def everything(address: Address, server: Server) -> str:
    """The whole database as text: the files as they are, or every row of every table."""
    if address.is_sqlite:
        files = sorted(address.file.parent.iterdir())
        return "\n".join(file.read_bytes().decode("utf-8", "replace") for file in files)
    name = address.url.rpartition("/")[2]
    connection = await asyncpg.connect(
        host="127.0.0.1", port=server.port, user="doctor", password=PASSWORD, database=name
    )
    try:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        rows = [await connection.fetch(f'SELECT * FROM "{table["tablename"]}"') for table in tables]  # noqa: S608
        return str(rows)
    finally:
        await connection.close()


async def test_no_token_is_stored_in_any_text(store: Store, address: Address, server: Server) -> None:
    person = Person(id="U1", name=SAID)
    planted = replace(
        plan("checkout"), summary=SAID, difference=(f"+ {SAID}",), notes=(SAID,), parameters={"note": SAID}
    )
    asked = replace(request("r1", of=planted, requester=person, reason=SAID, needed=1), rule=SAID)
    stored, _ = await store.requests.create(asked, NOW)
    assert MARK in stored.reason
    assert not holds_token(repr(stored))
    await store.requests.vote(Vote(request="r1", approver=person, approves=True, at=NOW, reason=SAID), at=NOW)
    claimed = await store.requests.claim("worker", after(1), 30)
    assert claimed is not None
    await store.requests.beat("r1", 1, after(60), SAID)
    beaten = await store.requests.get("r1")
    assert await store.requests.beat("r1", 1, after(61), SAID)  # the same step: no new version
    again = await store.requests.get("r1")
    assert beaten is not None
    assert again is not None
    assert beaten.version == again.version
    await store.requests.advance(
        "r1", State.RUNNING, State.FAILED, who="worker", why=SAID, at=after(2), fence=1, outcome=SAID
    )
    await store.messages.want("r1", "approval", "C1")
    (message,) = await store.messages.behind(after(3), "worker", 30)
    await store.messages.failed(message, at=after(3), why=SAID)
    await saw(store, [SAID])
    (key,) = await store.seen.sightings("daily", "prod")
    assert await store.seen.snooze("daily", "prod", key, Snooze(until=after(60), by=person, reason=SAID))
    await store.digests.keep(Digest(id="d1", schedule="daily", channel="C1", at=NOW, missed=(SAID,)))
    await store.slots.claim("daily", "m", "w", after(9), 30, due_at=NOW)
    await store.slots.done("daily", "m", "w", after(9), failure=SAID)
    text = await everything(address, server)
    assert "it said" in text
    assert text.count(MARK) >= 12
    for part in (JWT[:24], JWT[-24:], SLACK, "PlantedInAReason"):
        assert part not in text


@pytest.mark.parametrize("reason", ["a\0b", "half \ud800 a pair", "naïve ☸ 🩺", "'; DROP TABLE trail; --", ""])
async def test_any_text_can_be_stored(store: Store, reason: str) -> None:
    stored, is_new = await store.requests.create(request("r1", reason=reason), NOW)
    assert is_new
    assert await store.requests.get("r1") == stored
    if reason.isprintable():
        assert stored.reason == reason
    assert len(await store.requests.trail()) == 1


async def test_a_token_broken_by_an_odd_character_is_none(store: Store) -> None:
    stored, _ = await store.requests.create(request("r1", reason=f"\0{JWT}\0{SLACK[:20]}"), NOW)
    assert not holds_token(stored.reason)
    assert JWT[10:30] not in stored.reason
