"""An entry of the error catalogue as text."""

from bot.cli.page import Page, Piece
from bot.diagnosis import CAUSES
from bot.messages import Message
from bot.model import Severity

SEVERITY = {Severity.CRITICAL: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}


def meaning(out: Page, message: Message, program: str) -> None:
    """What the line means, who writes it, and its causes, the likeliest first, each with what helps."""
    out.put((message.meaning, "bold"))
    out.put((f"written by the {message.origin} {_versions(message)}".rstrip() + f"; source: {message.source}", "dim"))
    for code in message.causes:
        cause = CAUSES[code]
        out.gap()
        out.put((cause.title, "bold"), marker=f"{out.bullet} ", style=SEVERITY[cause.severity])
        for remedy in cause.remedies:
            out.put(remedy.dated, indent=2, marker=out.arrow, style="green")
        out.put((f"More: {program} explain {code}", "dim"), indent=2)


def example(message: Message) -> tuple[Piece, Piece]:
    """The line as it is written, and by which versions."""
    return message.example, (f"  {versions}" if (versions := _versions(message)) else "", "dim")


def _versions(message: Message) -> str:
    return "" if message.versions == "all" else f"(Kubernetes {message.versions})"
