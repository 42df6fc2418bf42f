"""The results as they are written, and what is compared before anything is timed."""

import asyncio
import time
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.audit import lists_whole_cluster
from benchmarks.fill import Size, Stored, Team, copied
from benchmarks.results import Row, Table, percentile, put, write
from benchmarks.same import DifferentError, Request, compare
from benchmarks.timing import longest_block, longest_blocks, seconds

GET = Request("GET", "/api/v1/nodes/one", "application/json")


def test_a_percentile_is_a_value_that_was_measured() -> None:
    assert percentile([float(number) for number in range(100, 0, -1)], 99) == 99
    assert percentile([3.0, 1.0, 2.0], 95) == 3
    assert percentile([1.0], 99) == 1


def test_times_are_shown_in_milliseconds() -> None:
    row = Row("a check", [0.030, 0.010, 0.020], "2 times", "≥ 8 times", met=False)
    assert row.cells() == ("a check", "3", "20.0 ms", "30.0 ms", "30.0 ms", "2 times", "≥ 8 times", "no")
    assert Row("lists", result="0", met=True).cells() == ("lists", "", "", "", "", "0", "", "yes")


def test_the_file_has_the_machine_the_rows_and_the_notes(tmp_path: Path) -> None:
    table = Table("A check", [Row("a check", [0.02], "", "", met=False), Row("bare", [0.01])], ["How:\n    so."])
    write(tmp_path / "results.md", [table], quick=True)
    text = (tmp_path / "results.md").read_text("utf-8")
    assert "| a check | 1 | 20.0 ms | 20.0 ms | 20.0 ms |  |  | no |\n| bare | 1 |" in text
    assert " cores (" in text
    assert "GiB of memory" in text
    assert "\n**Quick: " in text
    assert "\nHow: so.\n" in text
    assert [row.what for row in table.missed()] == ["a check"]
    write(tmp_path / "results.md", [table], quick=False)
    assert "Quick" not in (tmp_path / "results.md").read_text("utf-8")


def test_a_section_of_somebody_else_stays_until_they_replace_it(tmp_path: Path) -> None:
    file, table = tmp_path / "results.md", Table("A check", [Row("a check", [0.02])])
    put(file, "Crash campaign", ["first"])
    write(file, [table], quick=False)
    once = file.read_text("utf-8")
    assert once.count("## A check") == once.count("## Crash campaign") == once.count("\nfirst\n") == 1
    put(file, "Crash campaign", ["second"])
    write(file, [table], quick=False)
    text = file.read_text("utf-8")
    assert text.endswith("\n\n## Crash campaign\n\nsecond\n")
    assert (text.count("## A check"), "first" in text, text.count("\n")) == (1, False, once.count("\n"))


def test_the_same_requests_in_any_order_are_the_same() -> None:
    other = Request("GET", "/version", "application/json")
    compare(Counter([GET, other, GET]), Counter([other, GET, GET]))


@pytest.mark.parametrize(
    "bare",
    [
        [GET],
        [GET, GET, GET],
        [GET, Request("GET", "/api/v1/nodes/one", "*/*")],
        [GET, Request("GET", "/api/v1/nodes/one?limit=1", "application/json")],
    ],
    ids=["one less", "one more", "another Accept header", "another query"],
)
def test_other_requests_are_told(bare: list[Request]) -> None:
    with pytest.raises(DifferentError, match=r"only the .*: GET /api/v1/nodes/one"):
        compare(Counter([GET, GET]), Counter(bare))


@pytest.mark.parametrize(
    ("verb", "about", "expected"),
    [
        ("list", {"resource": "pods"}, True),
        ("watch", {"resource": "secrets", "namespace": ""}, True),
        ("list", {"resource": "pods", "namespace": "shop"}, False),
        ("get", {"resource": "nodes", "name": "one"}, False),
        ("get", None, False),
    ],
)
def test_a_list_without_a_namespace_is_one_over_the_whole_cluster(
    verb: str, about: dict[str, str] | None, *, expected: bool
) -> None:
    event = {"verb": verb, "requestURI": "/", **({"objectRef": about} if about else {})}
    assert lists_whole_cluster(event) is expected


def test_a_copy_is_another_team_s_in_another_namespace() -> None:
    size = Size(namespaces=3, teams_each=2)
    original = Stored(
        "/registry/secrets/shop-000/checkout-0000-token",
        '{"metadata":{"name":"checkout-0000-token","namespace":"shop-000","uid":"0af56830-f6ae-4fd8-b363-48d19056b6a2"},'
        '"data":{"namespace":"c2hvcC0wMDA="},"kept":"0af56830-and-no-uid"}',
    )
    assert copied(original, Team(0, size), Team(5, size)) == Stored(
        "/registry/secrets/shop-002/checkout-0005-token",
        '{"metadata":{"name":"checkout-0005-token","namespace":"shop-002","uid":"00000005-f6ae-4fd8-b363-48d19056b6a2"},'
        '"data":{"namespace":"c2hvcC0wMDI="},"kept":"0af56830-and-no-uid"}',
    )
    assert (size.pods, size.secrets, size.token_secrets, size.held) == (120, 604, 180, 10)
    assert Size(namespaces=50, teams_each=10).secrets == 50_000


async def test_a_block_is_seen_and_a_wait_is_none() -> None:
    async def blocks() -> None:
        await asyncio.sleep(0.002)
        time.sleep(0.05)  # noqa: ASYNC251  # what is to be seen
        await asyncio.sleep(0.002)

    assert await longest_block(blocks) > 0.03
    assert (await longest_blocks(blocks)).own > 0.03
    assert await seconds(lambda: asyncio.sleep(0.02)) >= 0.02
