"""`digest` as a person calls it, against an API server at HTTP level; its text and JSON, whatever stands in them."""

import asyncio
import io
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.console import Console

from bot.census import Progress
from bot.cli.digest_progress import shown
from bot.cli.inventory_json import inventory_json
from bot.cli.inventory_page import verdict_of
from bot.model import Due, Inventory, Scanned, Unscanned, Verdict, due
from tests.unit import jwts
from tests.unit.census.test_census import MARKED, served_cluster
from tests.unit.cli import inventories
from tests.unit.cli.conftest import Ended, Run
from tests.unit.cli.goldens import inventory_text
from tests.unit.kube.fake_api import FakeApi, forbids, listed, refuses, says

TOKEN = jwts.token(jwts.BOUND)


@pytest.fixture
async def api() -> AsyncIterator[FakeApi]:
    async with served_cluster() as fake:
        yield fake


async def called(run: Run, api: FakeApi, folder: Path, *words: str) -> Ended:
    return await asyncio.to_thread(run, "digest", *words, "--kubeconfig", str(api.kubeconfig(folder)))


async def test_a_legacy_token_ends_with_1(run: Run, api: FakeApi, tmp_path: Path) -> None:
    ended = await called(run, api, tmp_path)
    assert (ended.code, ended.err) == (1, "")
    assert ended.out.startswith("WARNING  2 token Secrets never expire\n")
    assert "credentials inside other Secrets: switched off." in ended.out
    assert "--scan-secrets" in ended.out
    assert "0 expir" not in ended.out
    assert "Read 2 token Secrets, 2 service accounts and 2 pods in 2 namespaces in " in ended.out


async def test_the_data_of_secrets_is_read_when_asked_for(run: Run, api: FakeApi, tmp_path: Path) -> None:
    ended = await called(run, api, tmp_path, "--scan-secrets", "-o", "json")
    assert ended.code == 1
    document = json.loads(ended.out)
    assert document["totals"]["kinds"] == {"manual-secret": 2, "embedded-token": 2}
    assert document["totals"]["due"] == {"week": 2}
    assert document["scanned"]["secrets"] == 2
    assert document["unscanned"] == []
    assert not any(part in ended.out for part in MARKED.split("."))


async def test_namespaces_are_chosen_by_name_or_pattern(run: Run, api: FakeApi, tmp_path: Path) -> None:
    for words in (("-n", "shop"), ("-n", "sh*"), ("--namespace", "shop", "-n", "nothing-*")):
        document = json.loads((await called(run, api, tmp_path, *words, "-o", "json")).out)
        assert set(document["by_namespace"]) == {"shop"}, words


async def test_nothing_found_ends_with_0_and_does_not_claim_more_than_was_read(
    run: Run, api: FakeApi, tmp_path: Path
) -> None:
    api.on("/api/v1/secrets", says(listed()))
    ended = await called(run, api, tmp_path)
    assert ended.code == 0
    assert ended.out.startswith("HEALTHY  Nothing is due and there is no legacy token, in what was read\n")
    assert "Not looked at" in ended.out


async def test_nothing_found_while_something_could_not_be_read_ends_with_3(
    run: Run, api: FakeApi, tmp_path: Path
) -> None:
    for path in ("/api/v1/secrets", "/api/v1/namespaces/shop/secrets", "/api/v1/namespaces/cart/secrets"):
        api.on(path, forbids("list", "secrets", namespace=""))
    ended = await called(run, api, tmp_path)
    assert ended.code == 3
    assert ended.out.startswith("UNKNOWN  ")
    assert "token Secrets in cart, shop: token-doctor may not list secrets." in ended.out


@pytest.mark.parametrize("words", [("-n", "shopp"), ("-n", "shopp", "-o", "json")])
async def test_a_misspelt_namespace_ends_with_3(words: tuple[str, ...], run: Run, api: FakeApi, tmp_path: Path) -> None:
    ended = await called(run, api, tmp_path, *words)
    assert ended.code == 3
    assert "there is no such namespace" in ended.out


async def test_an_api_server_that_does_not_answer_ends_with_3(run: Run, api: FakeApi, tmp_path: Path) -> None:
    api.on("/version", refuses(503, "etcd is down"))
    ended = await called(run, api, tmp_path)
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.startswith("Error: Cluster here cannot be read: ")


async def test_the_cluster_is_a_context(run: Run, api: FakeApi, tmp_path: Path) -> None:
    assert (await called(run, api, tmp_path, "--cluster", "here")).code == 1
    assert (await called(run, api, tmp_path, "--cluster", "there")).code == 2
    both = await called(run, api, tmp_path, "--cluster", "here", "--context", "there")
    assert both.code == 2
    assert "leave one of the two out" in both.err


# --- the page -----------------------------------------------------------------------------------------------


def test_what_is_due_comes_before_what_never_expires() -> None:
    text = inventory_text(inventories.FULL)
    parts = (
        "CRITICAL  ",
        "cluster prod · 2026-11-22 13:00 UTC",
        "Expired  ",
        "Ends within 24 hours  ",
        "Ends within 7 days  ",
        "Ends within 14 days  ",
        "Refused, or never good  ",
        "Never expires  ",
        "On the default service account  ",
        "Totals",
        "Read 8 token Secrets",
    )
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_each_item_is_named_or_counted_and_has_its_next_step() -> None:
    text = inventory_text(inventories.FULL)
    alike = [item for item in inventories.FULL.items if item.name in {"worker", "zipper"}]
    for item in inventories.FULL.items:
        assert (f"{item.namespace}/{item.name}" in text) == (item not in alike)
        assert item.next_step in text
        assert item.why in text
    assert "and 2 more like these" in text


def test_what_was_not_looked_for_is_not_counted_as_none() -> None:
    text = inventory_text(inventories.USUAL)
    assert "embedded" not in text.split("Not looked at")[0]
    assert "0 embedded" not in text
    assert "credentials inside other Secrets: switched off." in text


def test_what_is_left_out_is_counted() -> None:
    text = inventory_text(inventories.USUAL)
    assert "Counted, but not named above: 1 auto-generated token Secret, 5 workloads on the default account." in text
    assert "8 workloads on the default account" in text


@pytest.mark.parametrize(
    ("inventory", "verdict"),
    [
        (inventories.FULL, Verdict.CRITICAL),
        (inventories.CLEAN, Verdict.HEALTHY),
        (inventories.DENIED, Verdict.UNKNOWN),
        (replace(inventories.FULL, items=inventories.FULL.items[-1:]), Verdict.HEALTHY),
    ],
)
def test_the_verdict(inventory: Inventory, verdict: Verdict) -> None:
    assert verdict_of(inventory) is verdict
    assert inventory_text(inventory).startswith(verdict.upper())


def test_a_pipe_gets_plain_text_with_whole_lines() -> None:
    text = inventory_text(inventories.FULL, width=80)
    assert "\x1b" not in text
    assert not re.search("[\u2500-\u257f●→↳]", text)
    assert not any(line.endswith(" ") for line in text.splitlines())


@settings(deadline=None, max_examples=30)
@given(st.integers(min_value=40, max_value=200))
def test_no_line_is_wider_than_the_terminal_nor_than_can_be_read(width: int) -> None:
    for inventory in (inventories.FULL, inventories.DENIED):
        text = inventory_text(inventory, width=width, terminal=True)
        assert max(map(len, text.splitlines())) <= min(width, 100)


def hostile(text: str) -> Inventory:
    """An inventory whose every free text is the given one."""
    (first, *_), lines = inventories.FULL.items, inventories.DENIED.unscanned
    fields = ("namespace", "name", "place", "owner", "why", "next_step", "used")
    one = Unscanned(what=text, reason=text, mend=text, namespaces=(text,), count=1)
    return replace(
        inventories.FULL,
        cluster=text,
        items=(replace(first, **dict.fromkeys(fields, text)), replace(first, object_kind=text)),
        unscanned=(one, *lines),
        tallies={text: inventories.FULL.tallies["shop"]},
    )


@pytest.mark.parametrize("terminal", [True, False])
def test_no_token_is_shown(*, terminal: bool) -> None:
    bad = hostile(f"Bearer {TOKEN}")
    for text in (inventory_text(bad, terminal=terminal), inventory_json(bad)):
        assert not any(part in text for part in TOKEN.split("."))


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("evil", ["\x1b[2J", "\u202egnp.exe", "\x9b31m", "\x00", "\r", "\ud800"])
def test_nothing_from_outside_steers_the_terminal(evil: str, *, terminal: bool) -> None:
    text = inventory_text(hostile(f"a{evil}b"), terminal=terminal)
    assert evil not in text
    assert text.encode()


def test_the_json_has_each_item_with_its_actions() -> None:
    document = json.loads(inventory_json(inventories.FULL))
    assert document["schema"] == 1
    assert len(document["items"]) == len(inventories.FULL.items)
    for line, item in zip(document["items"], inventories.FULL.items, strict=True):
        assert line["due"] == due(item.ends, inventories.FULL.taken_at, inventories.FULL.window).name.lower()
        assert [action["action"] for action in line["actions"]] == [offer.kind.value for offer in item.offers]
    assert set(document["totals"]["due"]) <= {bucket.name.lower() for bucket in Due}
    assert json.loads(inventory_json(inventories.USUAL))["scanned"]["secrets"] is None


# --- the bar ------------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


FAR = Progress(scanned=Scanned(namespaces=12, token_secrets=3400, service_accounts=90, pods=1200), passed=12, total=50)


def test_a_pipe_gets_no_bar() -> None:
    stream = io.StringIO()
    with shown(stream) as note:
        note(FAR)
    assert stream.getvalue() == ""


@pytest.mark.parametrize(("total", "told"), [(50, "12 of 50 namespaces"), (None, "Reading")])
def test_a_terminal_sees_how_far_it_is(total: int | None, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    stream = Terminal()
    assert Console(file=stream).is_terminal
    with shown(stream) as note:
        note(replace(FAR, total=total))
    text = stream.getvalue()
    assert told in text
    assert "3 400 token Secrets, 90 service accounts and 1 200 pods" in text


def test_the_bar_goes_away_when_the_census_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()

    def fails() -> None:
        with shown(stream) as note:
            note(FAR)
            raise ValueError("broke")

    with pytest.raises(ValueError, match="broke"):
        fails()
    assert stream.getvalue().endswith("\x1b[2K")
