"""What people see, kept as JSON in tests/blocks. `python -m tests.unit.blocks.test_goldens` writes them anew."""

import json
from pathlib import Path

import pytest

from bot.blocks.limits import Message
from demo.slack.block_limits import check_message_blocks
from tests.unit.blocks.samples import samples

GOLDENS = Path(__file__).parents[2] / "blocks"


def written(messages: tuple[Message, ...]) -> str:
    shown = [{"text": message.text, "blocks": list(message.blocks)} for message in messages]
    return json.dumps(shown, ensure_ascii=False, indent=1) + "\n"


@pytest.mark.parametrize("name", sorted(samples()))
def test_a_message_looks_as_its_golden_says(name: str) -> None:
    assert written(samples()[name]) == (GOLDENS / f"{name}.json").read_text("utf-8")


@pytest.mark.parametrize("name", sorted(samples()))
def test_slack_takes_it(name: str) -> None:
    for message in samples()[name]:
        check_message_blocks(list(message.blocks))


def test_no_golden_is_left_over() -> None:
    assert {path.stem for path in GOLDENS.glob("*.json")} == set(samples())


if __name__ == "__main__":
    GOLDENS.mkdir(exist_ok=True)
    for key, value in samples().items():
        (GOLDENS / f"{key}.json").write_text(written(value), "utf-8")
