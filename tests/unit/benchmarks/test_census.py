"""The census's benchmark: its pages are found and read bare, its figures are judged."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from benchmarks.bare import Bare
from benchmarks.census import Alone, Figures, Pairs, confirm
from benchmarks.census_table import table
from benchmarks.contest import WrongAnswerError
from benchmarks.fill import Size
from benchmarks.pages import Asked, List, asked, read
from benchmarks.results import Table
from benchmarks.same import Request
from benchmarks.timing import Block
from benchmarks.whole_lists import Listed
from bot.model import Inventory, ItemKind, Scanned, Tally, Unscanned
from tests.unit.kube.fake_api import FakeApi, listed, named, says, served

SIZE = Size(namespaces=5, teams_each=2)
PODS = "/api/v1/pods"
MB = 1_000_000


@pytest.fixture
async def api() -> AsyncIterator[FakeApi]:
    fake = FakeApi()
    server = await served(fake)
    yield fake
    await server.close()


def requests() -> list[Request]:
    return [
        Request("GET", "/version", "application/json"),
        Request("GET", f"{PODS}?limit=100", "application/json"),
        Request("GET", "/api/v1/secrets?fieldSelector=type%3DOpaque&limit=100", "metadata"),
        Request("GET", f"{PODS}?continue=a%3D&limit=90", "application/json"),
        Request("GET", f"{PODS}?continue=b&limit=80", "application/json"),
    ]


def test_lists_are_told_from_other_requests() -> None:
    found = asked(requests())
    assert found.lists == (
        List(PODS, (), "application/json", (100, 90, 80)),
        List("/api/v1/secrets", (("fieldSelector", "type=Opaque"),), "metadata", (100,)),
    )
    assert [each.uri for each in found.others] == ["/version"]
    assert found.pages == 4


async def test_bare_pages_have_the_same_sizes_and_are_read_to_the_end(api: FakeApi) -> None:
    page = listed(named("a"), following="b+=")
    api.on(PODS, *[says(str(page).replace("'", '"').replace(": ", ":").encode())] * 3, says(listed(named("z"))))
    api.on("/version", says({"gitVersion": "v1.36.3"}))
    api.on("/api/v1/secrets", says(listed()))
    async with aiohttp.ClientSession() as session:
        size = await read(Bare(session, api.url), asked(requests()))
    assert size > 400
    queries = [dict(request.query) for request in api.asked(PODS)]
    assert queries == [{"limit": "100"}, *({"limit": limit, "continue": "b+="} for limit in ("90", "80", "80"))]
    assert [dict(request.query) for request in api.asked("/api/v1/secrets")] == [
        {"fieldSelector": "type=Opaque", "limit": "100"}
    ]
    assert len(api.asked("/version")) == 1


def inventory() -> Inventory:
    kinds = {ItemKind.MANUAL_SECRET: 290, ItemKind.LEGACY_SECRET: 10, ItemKind.EMBEDDED_TOKEN: 8}
    tally = Tally(kinds={**kinds, ItemKind.KUBECONFIG_CERTIFICATE: 2})
    return Inventory(
        cluster="prod",
        taken_at=datetime(2026, 11, 22, tzinfo=UTC),
        window=timedelta(days=14),
        tallies={"shop": tally},
        scanned=Scanned(token_secrets=300, secrets=SIZE.opaque_secrets),
    )


def test_a_census_that_miscounts_counts_for_nothing() -> None:
    confirm(inventory(), SIZE, scan=True)
    confirm(inventory(), SIZE, scan=False)
    with pytest.raises(WrongAnswerError, match="300 token Secrets, not 600"):
        confirm(inventory(), replace(SIZE, namespaces=10), scan=False)
    found = inventory()
    with pytest.raises(WrongAnswerError, match="token Secrets: forbidden"):
        confirm(
            Inventory(
                cluster="prod",
                taken_at=found.taken_at,
                window=found.window,
                tallies=found.tallies,
                scanned=found.scanned,
                unscanned=(Unscanned(what="token Secrets", reason="forbidden"),),
            ),
            SIZE,
            scan=True,
        )


def figures() -> Figures:
    nothing = Asked((), ())
    return Figures(
        secrets=[Listed(25.0, 1200 * MB)],
        pods=[Listed(10.0, 1000 * MB)],
        metadata=Pairs(nothing, census=[0.4], bare=[0.35]),
        everything=Pairs(nothing, census=[2.5], bare=[2.0]),
        alone=Alone(100 * MB, 140 * MB, (Block(0.09, 0.03), Block(0.02, 0.02))),
    )


def judged(made: Figures, larger: Alone | None) -> Table:
    return table(SIZE, made, replace(SIZE, namespaces=20), larger)


def test_figures_that_meet_the_goals() -> None:
    result = judged(figures(), Alone(100 * MB, 145 * MB, ()))
    assert result.missed() == []
    told = {row.what: row.result for row in result.rows}
    assert told["a census of metadata"] == "kubectl's Secrets take 62.5 times as long"
    assert told["a census of everything"] == "kubectl's two lists take 14.0 times as long"
    assert told["the pages of everything, bare"] == "the census takes 1.25 times as long"
    assert told["the same, of a cluster four times as large"] == "145 MB (+4%)"


def test_figures_that_miss_them() -> None:
    good = figures()
    slow = Figures(
        secrets=[Listed(19.0, 1)],
        pods=[Listed(5.0, 1)],
        metadata=Pairs(good.metadata.asked, census=[0.4], bare=[0.3]),
        everything=Pairs(good.everything.asked, census=[2.5], bare=[1.9]),
        alone=Alone(100 * MB, 151 * MB, (Block(0.02, 0.02), Block(0.06, 0.051))),
    )
    assert len(judged(slow, Alone(100 * MB, 152 * MB, ())).missed()) == 7
    grown = judged(good, Alone(100 * MB, 160 * MB, ())).missed()
    assert [row.what for row in grown] == ["the same, of a cluster four times as large"]


def test_what_was_not_measured_is_not_met_either() -> None:
    row = judged(figures(), None).rows[-1]
    assert row.met is None
    assert "not measured" in row.result
