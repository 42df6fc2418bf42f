"""From a Snapshot to a Report: pure functions, the catalogue of causes, and their runbooks."""

from importlib.resources import files

from bot.diagnosis.causes import CAUSES, GROUPS
from bot.diagnosis.engine import diagnose
from bot.diagnosis.together import conclude, together

__all__ = ["CAUSES", "GROUPS", "conclude", "diagnose", "runbook", "together"]


def runbook(code: str) -> str:
    """The runbook of a cause, in Markdown. Raises KeyError for a code that the catalogue does not have."""
    return files("bot.diagnosis.runbooks").joinpath(f"{CAUSES[code].code}.md").read_text(encoding="utf-8")
