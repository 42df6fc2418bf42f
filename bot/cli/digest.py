"""`digest`: the census in the terminal."""

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.census import Progress, census
from bot.cli.digest_progress import shown
from bot.cli.inventory_json import inventory_json
from bot.cli.inventory_page import inventory_page, verdict_of
from bot.cli.page import page
from bot.errors import WrongUsageError
from bot.kube.client import connect, utc_now
from bot.model import Inventory, Verdict

_EXIT_CODE = {Verdict.HEALTHY: 0, Verdict.WARNING: 1, Verdict.CRITICAL: 1, Verdict.UNKNOWN: 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was asked for on the command line. `namespaces` are patterns, none of them means all."""

    cluster: str
    namespaces: Sequence[str]
    scan_secrets: bool
    kubeconfig: Path | None
    context: str | None


def run(wanted: Wanted, *, json: bool, program: str) -> int:
    """Prints the inventory as text or JSON; returns the exit code of its verdict."""
    if wanted.context and wanted.cluster not in {"", wanted.context}:
        raise WrongUsageError(
            f"--cluster names “{wanted.cluster}”, and --context names “{wanted.context}”.",
            next_step="In the terminal a cluster is a kubeconfig context: leave one of the two out.",
        )
    with shown(sys.stderr) as progress:
        inventory = asyncio.run(_inventory(wanted, progress))
    if json:
        sys.stdout.write(f"{inventory_json(inventory)}\n")
    else:
        inventory_page(page(), inventory, program=program)
    return _EXIT_CODE[verdict_of(inventory)]


async def _inventory(wanted: Wanted, progress: Callable[[Progress], None]) -> Inventory:
    cluster = await connect("", kubeconfig=wanted.kubeconfig, context=wanted.context or wanted.cluster or None)
    try:
        return await census(
            cluster,
            namespaces=tuple(wanted.namespaces) or ("*",),
            scan_secrets=wanted.scan_secrets,
            now=utc_now,
            monotonic=time.monotonic,
            progress=progress,
        )
    finally:
        await cluster.close()
