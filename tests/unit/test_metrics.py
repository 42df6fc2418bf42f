"""Figures from a real store, over the real server: bounded, the same on every replica, and without a token."""

import itertools
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession
from prometheus_client.parser import text_string_to_metric_families

from bot.errors import StoreUnavailableError, WrongUsageError
from bot.metrics import Metrics
from bot.model import Due, ItemKind, Tally
from bot.store import Look, Store, open_store
from bot.web import Web
from config.digests import Digest as Schedule
from tests.store.samples import NOW, after, saw
from tests.unit.digest.samples import schedule
from tests.unit.jwts import BOUND, token


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(f"sqlite+aiosqlite:///{tmp_path}/doctor.db")
    yield opened
    await opened.close()


def metrics(store: Store | None, *schedules: Schedule, clusters: tuple[str, ...] = ("prod",)) -> Metrics:
    return Metrics(store, schedules or (schedule(),), now=lambda: after(90_000), clusters=lambda: clusters)


async def values(shown: Metrics) -> dict[tuple[str, tuple[str, ...]], float]:
    """By name, and the values of its labels in the order of their names: cluster, digest, due or kind, namespace."""
    families = text_string_to_metric_families(await shown.text())
    return {
        (sample.name.removeprefix("token_doctor_"), tuple(sample.labels.values())): sample.value
        for family in families
        for sample in family.samples
        if sample.name.startswith("token_doctor_")
    }


async def test_what_the_last_census_found_is_shown_by_cluster_and_namespace(store: Store) -> None:
    await saw(store, ["a"], at=NOW)
    tally = Tally(kinds={ItemKind.LEGACY_SECRET: 3, ItemKind.EMBEDDED_TOKEN: 2}, due={Due.TODAY: 2})
    look = Look(cluster="prod", at=after(9), complete=False, found=(), gone=(), tallies={"shop": tally})
    assert await store.slots.claim("daily", "m", "w", after(9), 60, due_at=after(9))
    assert await store.digests.record("daily", "m", "w", at=after(9), looks=[look], digests=[], told=[])
    assert await store.slots.done("daily", "m", "w", after(9), failure="Slack refused it")
    shown = await values(metrics(store))
    assert shown == {
        ("database_up", ()): 1,
        ("digest_due_timestamp_seconds", ("daily",)): (NOW + timedelta(days=1)).timestamp(),
        ("digest_success_timestamp_seconds", ("daily",)): NOW.timestamp(),
        ("digest_failures_total", ("daily",)): 1,
        ("census_timestamp_seconds", ("prod", "daily")): after(9).timestamp(),
        ("census_complete", ("prod", "daily")): 0,
        ("items", ("prod", "daily", "legacy-secret", "shop")): 3,
        ("items", ("prod", "daily", "embedded-token", "shop")): 2,
        ("expiring_items", ("prod", "daily", "today", "shop")): 2,
    }


async def test_what_never_was_is_zero_and_what_is_not_configured_any_more_is_not_shown(store: Store) -> None:
    await store.slots.begin("daily", NOW)
    await saw(store, ["a"], schedule="removed")
    shown = await values(metrics(store, schedule(clusters=["*"]), clusters=("prod", "stage")))
    assert {name for _, labels in shown for name in labels} == {"daily", "prod", "stage"}
    assert shown["census_timestamp_seconds", ("stage", "daily")] == 0
    assert shown["digest_success_timestamp_seconds", ("daily",)] == 0
    assert (await values(metrics(store, clusters=("other",)))).keys() >= {("digest_failures_total", ("daily",))}


async def test_a_digest_that_was_never_due_is_not_overdue(store: Store) -> None:
    assert [name for name, _ in await values(metrics(store))] == ["database_up"]
    await store.slots.begin("daily", NOW)
    yearly = schedule(cron="0 9 1 1 *")
    assert (await values(metrics(store, yearly)))["digest_due_timestamp_seconds", ("daily",)] == 0


async def test_without_a_store_the_process_alone_is_shown() -> None:
    text = await metrics(None).text()
    assert "process_resident_memory_bytes" in text
    assert "token_doctor" not in text


async def test_a_database_that_is_away_is_said(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(_: object) -> None:
        raise StoreUnavailableError("The database cannot be reached.")

    monkeypatch.setattr(store.slots, "standings", away)
    assert await values(metrics(store)) == {("database_up", ()): 0}


async def test_no_token_is_shown_even_if_one_is_a_name(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    planted = token(BOUND)
    tallies = {planted: Tally(kinds={ItemKind.LEGACY_SECRET: 1})}
    look = Look(cluster=planted, at=NOW, complete=True, found=(), gone=(), tallies=tallies)
    assert await store.slots.claim("daily", "m", "w", NOW, 60, due_at=NOW)
    assert await store.digests.record("daily", "m", "w", at=NOW, looks=[look], digests=[], told=[])
    text = await metrics(store, schedule(clusters=["*"]), clusters=(planted,)).text()
    assert planted[10:30] not in text
    assert "a token was about to be shown" in capsys.readouterr().out


async def test_the_server_shows_figures_and_answers_probes() -> None:
    reasons = itertools.chain(["starting"], itertools.repeat(""))

    async def lacks() -> str:
        return next(reasons)

    web = Web("127.0.0.1", 0, metrics=metrics(None).text, not_ready=lacks)
    port = await web.start()
    base = f"http://127.0.0.1:{port}"
    async with ClientSession() as session:
        async with session.get(f"{base}/healthz") as answer:
            assert (answer.status, await answer.text()) == (200, "ok\n")
        async with session.get(f"{base}/readyz") as answer:
            assert (answer.status, await answer.text()) == (503, "starting\n")
        async with session.get(f"{base}/readyz") as answer:
            assert answer.status == 200
        async with session.get(f"{base}/metrics") as answer:
            assert answer.headers["Content-Type"].startswith("text/plain; version=")
            assert "process_cpu_seconds_total" in await answer.text()
        async with session.get(f"{base}/") as answer:
            assert answer.status == 404
        async with session.post(f"{base}/metrics") as answer:
            assert answer.status == 405
    with pytest.raises(WrongUsageError, match=f"The bot cannot listen on 127.0.0.1:{port}: ") as raised:
        await Web("127.0.0.1", port, metrics=metrics(None).text, not_ready=lacks).start()
    assert "web.port" in raised.value.next_step
    await web.stop()


async def test_refused_requests_are_counted_where_slack_sends_any() -> None:
    shown = Metrics(None, (), now=lambda: NOW, clusters=tuple, refused=lambda: {"signature": 2, "stale": 0})
    found = await values(shown)
    assert found == {("slack_refusals_total", ("signature",)): 2, ("slack_refusals_total", ("stale",)): 0}
    assert "slack_refusals" not in await metrics(None).text()
