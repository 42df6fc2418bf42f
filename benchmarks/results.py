"""What was measured, as a table on the terminal and in a file."""

import math
import os
import platform
import statistics
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table as Grid

COLUMNS = ("what", "runs", "median", "p95", "worst", "result", "goal", "met")
WIDTH = 120
OTHERS = ("Crash campaign",)
"""Sections that are written by something else: they stay when the benchmarks are written anew."""

RIGHT = {"runs", "median", "p95", "worst"}
PACKAGES = ("token-doctor", "aiohttp", "kubernetes", "msgspec", "slack-bolt")


@dataclass(frozen=True)
class Row:
    """A line of a table. `seconds` has a time for each run, `result` is what the goal is about."""

    what: str
    seconds: Sequence[float] = ()
    result: str = ""
    goal: str = ""
    met: bool | None = None

    def cells(self) -> tuple[str, ...]:
        times = [""] * 4
        if self.seconds:
            chosen = (statistics.median(self.seconds), percentile(self.seconds, 95), max(self.seconds))
            times = [str(len(self.seconds)), *(f"{each * 1000:.1f} ms" for each in chosen)]
        return (self.what, *times, self.result, self.goal, {True: "yes", False: "no", None: ""}[self.met])


@dataclass(frozen=True)
class Table:
    """`notes` say what was compared and how, a paragraph each."""

    title: str
    rows: Sequence[Row]
    notes: Sequence[str] = field(default_factory=tuple)

    def missed(self) -> list[Row]:
        return [row for row in self.rows if row.met is False]


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this many per cent of them do not exceed."""
    return sorted(values)[math.ceil(len(values) * share / 100) - 1]


def show(tables: Sequence[Table]) -> None:
    console = Console()
    if not console.is_terminal:  # a file or a pipe: nothing wraps there
        console.width = 200
    for table in tables:
        grid = Grid(title=table.title, title_justify="left")
        for column in COLUMNS:
            grid.add_column(column, justify="right" if column in RIGHT else "left")
        for row in table.rows:
            grid.add_row(*row.cells(), style="red" if row.met is False else None)
        console.print(grid)


def write(path: Path, tables: Sequence[Table], *, quick: bool) -> None:
    """Replaces the file, but for the sections of OTHERS."""
    lines = ["# Benchmarks", "", "Written by `make bench`. Every ratio is of one run, on one machine.", ""]
    if quick:
        lines += [
            "**Quick: a small cluster and few runs. It shows that the benchmarks work, not how fast the bot is.**",
            "",
        ]
    lines += [f"- {fact}" for fact in _circumstances()]
    for table in tables:
        lines += ["", f"## {table.title}", "", _line(COLUMNS)]
        lines += [_line(["--:" if column in RIGHT else "---" for column in COLUMNS])]
        lines += [_line(row.cells()) for row in table.rows]
        for note in table.notes:
            lines += ["", textwrap.fill(" ".join(note.split()), WIDTH)]
    kept = [f"\n{text}\n" for title, text in _sections(path).items() if title in OTHERS]
    path.write_text("\n".join(lines) + "\n" + "".join(kept), "utf-8")


def put(path: Path, title: str, lines: Sequence[str]) -> None:
    """Replaces one section, one of OTHERS, or adds it at the end."""
    sections = {**_sections(path), title: "\n".join([f"## {title}", "", *lines])}
    path.write_text("\n\n".join(filter(None, sections.values())) + "\n", "utf-8")


def _sections(path: Path) -> dict[str, str]:
    """The file's text by heading, "" for what stands before the first."""
    first, *others = (path.read_text("utf-8") if path.exists() else "").split("\n## ")
    if first.startswith("## "):
        first, others = "", [first.removeprefix("## "), *others]
    return {"": first.strip(), **{each.partition("\n")[0]: f"## {each}".strip() for each in others}}


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _circumstances() -> list[str]:
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return [
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        f"{os.cpu_count()} cores ({_processor()}), {_memory():.0f} GiB of memory, {platform.platform()}",
        f"load average at the end (1, 5, 15 minutes): {load}; control plane, bot, kubectl and Slack share the machine",
        f"Python {platform.python_version()}, {packages}",
    ]


def _processor() -> str:
    found = [line for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines() if line.startswith("model name")]
    return found[0].partition(":")[2].strip() if found else platform.machine()


def available_memory() -> int:
    """Bytes that programs may take without others having to go."""
    lines = Path("/proc/meminfo").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))


def _memory() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
