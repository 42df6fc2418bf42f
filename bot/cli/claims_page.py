"""A token's claims as text."""

from datetime import datetime

from bot.claim_lines import explain
from bot.cli.page import Page
from bot.model import Claims


def claims_page(out: Page, claims: Claims, now: datetime) -> None:
    """What explains a refusal first, then each claim with its meaning under it."""
    lines = explain(claims, now)
    bad = [line for line in lines if line.bad]
    for line in bad:
        out.put((f"{line.claim}: {line.meaning}", "bold red"))
    if not bad:
        out.put(("Nothing in the claims alone explains a refusal.", "bold"))
    out.gap()
    width = max(len(line.claim) for line in lines) + 2
    for line in lines:
        out.put((line.value, "bold"), marker=line.claim.ljust(width), style="red" if line.bad else "dim")
        out.put((line.meaning, "red" if line.bad else "dim"), indent=width)
