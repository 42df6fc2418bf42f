"""What people see, kept as JSON in tests/blocks. `python -m tests.unit.blocks.test_goldens` writes them anew."""

import json
from pathlib import Path

import pytest

from bot.blocks.limits import Message
from bot.blocks.modals import View
from demo.slack.block_limits import check_message_blocks, check_view
from tests.unit.blocks import digests, requests
from tests.unit.blocks.samples import samples

GOLDENS = Path(__file__).parents[2] / "blocks"


def written(messages: tuple[Message, ...]) -> str:
    return as_json([{"text": message.text, "blocks": list(message.blocks)} for message in messages])


def views() -> dict[str, View]:
    return {**requests.views(), **digests.views()}


def as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


@pytest.mark.parametrize("name", sorted(samples()))
def test_a_message_looks_as_its_golden_says(name: str) -> None:
    assert written(samples()[name]) == (GOLDENS / f"{name}.json").read_text("utf-8")


@pytest.mark.parametrize("name", sorted(samples()))
def test_slack_takes_it(name: str) -> None:
    for message in samples()[name]:
        check_message_blocks(list(message.blocks))


@pytest.mark.parametrize("name", sorted(views()))
def test_a_view_looks_as_its_golden_says_and_slack_takes_it(name: str) -> None:
    view = views()[name]
    assert as_json(view) == (GOLDENS / f"{name}.json").read_text("utf-8")
    check_view(view, view["type"])


def test_no_golden_is_left_over() -> None:
    assert {path.stem for path in GOLDENS.glob("*.json")} == {*samples(), *views()}


if __name__ == "__main__":
    GOLDENS.mkdir(exist_ok=True)
    for key, value in samples().items():
        (GOLDENS / f"{key}.json").write_text(written(value), "utf-8")
    for key, view in views().items():
        (GOLDENS / f"{key}.json").write_text(as_json(view), "utf-8")
