"""How far a census is: a bar on a terminal, nothing in a pipe."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

from bot.blocks.digest_words import number, scanned
from bot.census import Progress as Far


@contextmanager
def shown(stream: TextIO) -> Iterator[Callable[[Far], None]]:
    """What takes note of how far it is. The bar goes away when the census ends, however it ends."""
    console = Console(file=stream)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[counts]}", style="dim", markup=False),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("Reading", total=None, counts="")

        def note(far: Far) -> None:
            # A cluster that may not be asked for its namespaces has no end that could be told beforehand.
            description = "Reading" if far.total is None else f"{number(far.passed)} of {number(far.total)} namespaces"
            counts = scanned(far.scanned, where=False)
            bar.update(task, total=far.total, completed=far.passed, description=description, counts=counts)

        yield note
