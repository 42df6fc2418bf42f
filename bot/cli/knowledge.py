"""`errors` and `explain`: the error catalogue, and the causes with their runbooks."""

from difflib import get_close_matches
from itertools import groupby
from operator import attrgetter

from bot.cli.meaning import SEVERITY, example, meaning
from bot.cli.page import Page, Piece, page
from bot.cli.runbook_page import runbook_page
from bot.diagnosis import CAUSES, GROUPS, runbook
from bot.diagnosis.runbooks import to_fill_in
from bot.errors import WrongUsageError
from bot.messages import MESSAGES, meanings
from bot.model import Cause


def errors(text: str, program: str) -> int:
    """All known lines, or what this one means; 1 where it is not known."""
    out = page()
    if not text.strip():
        _catalogue(out, program)
        return 0
    found = meanings(text)
    if not found:
        out.put("No known error line is in this text: it may not be about a token at all.")
        out.put((f"All known lines: {program} errors", "dim"))
        return 1
    for index, message in enumerate(found):
        if index:
            out.gap()
        meaning(out, message, program)
    return 0


def _catalogue(out: Page, program: str) -> None:
    by_origin = attrgetter("origin")
    for origin, messages in groupby(sorted(MESSAGES, key=by_origin), by_origin):
        out.put((f"Written by the {origin}", "bold"))
        out.rows([((message.cause, "green"), example(message)) for message in messages], indent=2)
        out.gap()
    out.put((f"What a line means: {program} errors LINE", "dim"))


def explain(code: str, program: str) -> int:
    """All causes by group, or one with its runbook. Raises WrongUsageError for a code that is none."""
    out = page()
    wanted = code.strip().lower()
    if not wanted:
        _causes(out, program)
    elif wanted in CAUSES:
        _cause(out, CAUSES[wanted])
    else:
        near = ", ".join(get_close_matches(wanted, CAUSES, n=3, cutoff=0.5))
        raise WrongUsageError(
            f"There is no cause “{code}”.",
            next_step=f"Did you mean {near}?" if near else f"All causes: {program} explain",
        )
    return 0


def _causes(out: Page, program: str) -> None:
    for group, causes in GROUPS.items():
        out.put((group[:1].upper() + group[1:], "bold"))
        rows: list[tuple[Piece, tuple[Piece, ...]]] = [
            ((cause.code, SEVERITY[cause.severity]), (cause.title,)) for cause in causes
        ]
        out.rows(rows, indent=2)
        out.gap()
    out.put((f"A cause with its runbook: {program} explain CODE", "dim"))


def _cause(out: Page, cause: Cause) -> None:
    out.put((cause.title, "bold"), (f"  {cause.severity}", SEVERITY[cause.severity]))
    out.put((cause.code, "dim"))
    out.gap()
    _runbook(out, runbook(cause.code))


def _runbook(out: Page, text: str) -> None:
    """Formatted on a terminal; in a pipe the Markdown itself, which reads well. Its title stands above already."""
    title, _, body = text.partition("\n")
    body = (body if title.startswith("# ") else text).strip()
    if out.width is None:
        out.put(body)
    else:
        runbook_page(out, body)
    if filled := to_fill_in(text):
        out.gap()
        out.put((filled, "dim"))
