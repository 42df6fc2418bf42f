"""`decode`: a token's own words, explained without asking anybody."""

from datetime import UTC, datetime

from bot.cli.claims_page import claims_page
from bot.cli.page import page
from bot.cli.standard_input import read_token, refuse_arguments
from bot.tokens import inspect


def run(arguments: list[str], program: str) -> int:
    refuse_arguments(arguments)
    claims = inspect(read_token())
    out = page()
    claims_page(out, claims, datetime.now(UTC))
    out.gap()
    out.put((f"Nothing of this was verified: only the API server can, with {program} review.", "dim"))
    return 0
