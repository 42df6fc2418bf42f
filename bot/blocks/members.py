"""What a target was answered by: a workload's pods, a namespace's workloads."""

from collections.abc import Iterator

from bot.blocks import elements as kit
from bot.blocks.limits import Block
from bot.model import Report, Verdict

SIGNS = {Verdict.HEALTHY: "🟢", Verdict.WARNING: "🟠", Verdict.CRITICAL: "🔴", Verdict.UNKNOWN: "⚪"}

_NOTES = 4
_NOTE = 250
_NAME = 150
_LINE = 200
_NAMES = 400


def members(report: Report, most: int) -> Iterator[Block]:
    """How many were examined, and each that is not well in a line of its own; a pod alone has none of this."""
    groups = [kit.line(kit.words(note, _NOTE)) for note in report.notes[:_NOTES]]
    if most and len(report.members) > 1 and (report.unwell or report.target.kind == "Namespace"):
        groups.append(kit.bullets(list(_lines(report, most))))
    if groups:
        yield kit.rich(*groups)


def _lines(report: Report, most: int) -> Iterator[kit.Group]:
    for member in report.unwell[:most]:
        sign, name = kit.words(f"{SIGNS[member.verdict]} "), kit.bold(member.name, _NAME)
        yield kit.line(sign, name, kit.words(f": {member.headline}", _LINE))
    if len(report.unwell) > most:
        yield kit.line(kit.words(f"… and {len(report.unwell) - most} more that are not well"))
    if report.well:
        names = ", ".join(member.name for member in report.well)
        yield kit.line(kit.words(f"{SIGNS[Verdict.HEALTHY]} {len(report.well)}: {names}", _NAMES))
