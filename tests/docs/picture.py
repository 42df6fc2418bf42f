"""The README's picture: the terminal's answer to a recorded snapshot. `python -m tests.docs.picture` draws it anew."""

import io
import json
import re
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from rich.console import Console
from rich.terminal_theme import MONOKAI

from bot.cli.page import Page
from bot.cli.render import report_page
from bot.diagnosis import diagnose
from bot.model import Report, Snapshot
from tests.causes.cases import RECORDED

PICTURE = Path(__file__).parents[2] / "docs" / "images" / "check.svg"
COLUMNS = 104


def drawn() -> str:
    """The picture, without the web fonts that rich would have a viewer load."""
    console = Console(record=True, width=COLUMNS, force_terminal=True, color_system="truecolor", file=io.StringIO())
    report_page(Page(console), _report(), program="token-doctor")
    title = "token-doctor check shop/checkout-5d9c7b-x7k2p --exec"
    svg = console.export_svg(title=title, theme=MONOKAI, unique_id="check")
    return re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)


def _report() -> Report:
    """The recorded fault of a cached token, under names that a reader can place."""
    recorded = (RECORDED / "expired-and-cached-exec.json").read_text()
    namespace = json.loads(recorded)["snapshot"]["target"]["namespace"]
    named = recorded.replace(namespace, "shop").replace('"name": "app"', '"name": "checkout-5d9c7b-x7k2p"', 2)
    snapshot = msgspec.json.decode(named, type=Recording).snapshot
    return replace(diagnose(snapshot), took_ms=93)


class Recording(Struct):
    """A file of tests/causes/recorded."""

    recorded_from: str
    snapshot: Snapshot


if __name__ == "__main__":
    PICTURE.write_text(drawn(), "utf-8")
