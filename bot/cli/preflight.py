"""`preflight`: every precondition tried, one line each, with the mend."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bot.cli.configuration import WRONG, loaded
from bot.cli.page import Page, page
from bot.kube.client import utc_now
from bot.preflight import required, tried
from bot.preflight.trial import Outcome, Section, Trial, exit_code, verdict, worst
from bot.visible import visible
from config import credentials

_STYLE = {Outcome.OK: "green", Outcome.NOT_TRIED: "magenta", Outcome.WARNING: "yellow", Outcome.FAILED: "red"}
_WIDTH = max(map(len, Outcome)) + 2
_INDENT = 2


def run(config: Path | None, namespaces: Sequence[str], *, only_required: bool, as_json: bool, program: str) -> int:
    """The exit code of what all of it comes to."""
    settings = loaded(config)
    if settings is None:
        return WRONG
    credentials.hide(os.environ)
    source, began = str(config or ""), time.monotonic()
    trials = asyncio.run(
        required(settings, source=source, now=utc_now)
        if only_required
        else tried(settings, source=source, now=utc_now, namespaces=namespaces, program=program)
    )
    took = round((time.monotonic() - began) * 1000)
    if as_json:
        sys.stdout.write(visible(_document(trials, took, only_required=only_required)) + "\n")
    else:
        show(page(), trials, only_required=only_required)
    return exit_code(trials)


def show(out: Page, trials: Sequence[Trial], *, only_required: bool) -> None:
    """The verdict, then each section's lines."""
    out.put((verdict(trials, required=only_required), f"bold {_STYLE[worst(trials)]}"))
    for section in Section:
        of_it = [trial for trial in trials if trial.section is section]
        if of_it:
            out.gap()
            out.put((section.capitalize(), "bold"))
        for trial in of_it:
            _line(out, trial)


def _line(out: Page, trial: Trial) -> None:
    out.put(trial.text, indent=_INDENT, marker=f"{trial.outcome:<{_WIDTH}}", style=_STYLE[trial.outcome])
    if trial.mend:
        out.put(trial.mend, indent=_INDENT + _WIDTH, marker=out.arrow, style="cyan")
    if trial.command:
        out.verbatim((trial.command, "bold"), indent=_INDENT + _WIDTH + len(out.arrow))


def _document(trials: Sequence[Trial], took_ms: int, *, only_required: bool) -> str:
    lines = [
        {
            "section": trial.section,
            "outcome": trial.outcome,
            "text": trial.text,
            "mend": trial.mend,
            "command": trial.command,
        }
        for trial in trials
    ]
    document = {
        "schema": 1,
        "outcome": worst(trials),
        "verdict": verdict(trials, required=only_required),
        "trials": lines,
        "took_ms": took_ms,
    }
    return json.dumps(document, ensure_ascii=False, indent=2)
